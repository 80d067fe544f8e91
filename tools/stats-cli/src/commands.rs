//! The commands that answer with one JSON value.

use crate::arguments::{Arguments, number};
use crate::rows::{arms, rows};
use crate::{Failure, decide};
use serde_json::{Value, json};
use silent_core::statistics::{
    ConfidenceSequence, Difference, Interval, PairMoments, PairSummary, Proportion, Sample, Sketch, StatisticsError,
    adjust, clustered_quantile, holm, normal_isf, normal_sf, ratio_difference, sample_ratio, sequential_sample_ratio,
    two_proportions, welch,
};
use std::collections::BTreeMap;

const DEFAULT_ALPHA: f64 = 0.05;
const DEFAULT_PLANNED: u64 = 5_000;

/// Whether the command reads standard input.
pub(crate) fn reads_input(command: &str) -> bool {
    ["ratio", "cuped", "quantile", "sketch", "gates"].contains(&command)
}

pub(crate) fn run(arguments: &Arguments, input: &str) -> Result<Value, Failure> {
    match arguments.command.as_str() {
        "proportions" => proportions(arguments),
        "means" => means(arguments),
        "srm" => ratio_of_arms(arguments),
        "holm" => several(arguments),
        "ratio" => ratio(arguments, input),
        "cuped" => cuped(arguments, input),
        "quantile" => quantile(arguments, input),
        "sketch" => sketch(arguments, input),
        "gates" => decide::run(arguments, input),
        other => Err(format!("there is no command \"{other}\"")),
    }
}

/// Takes an error of the library for the answer's text.
fn said(error: StatisticsError) -> Failure {
    error.to_string()
}

struct Levels {
    alpha: f64,
    planned: u64,
}

fn levels(arguments: &Arguments, more: &[&str]) -> Result<Levels, Failure> {
    let known: Vec<&str> = ["alpha", "planned"].iter().chain(more).copied().collect();
    arguments.only(&known)?;
    Ok(Levels {
        alpha: arguments.option("alpha", DEFAULT_ALPHA)?,
        planned: arguments.option("planned", DEFAULT_PLANNED)?,
    })
}

fn always_valid(difference: Result<Difference, StatisticsError>, levels: &Levels) -> Result<Value, Failure> {
    let sequence = ConfidenceSequence::new(levels.alpha, levels.planned).map_err(said)?;
    let difference = match difference {
        Ok(difference) => difference,
        Err(StatisticsError::NoVariation) => return Ok(Value::Null),
        Err(error) => return Err(said(error)),
    };
    Ok(json!({
        "planned": levels.planned,
        "p": sequence.p_value(&difference),
        "interval": sequence.interval(&difference),
        "one_sided": {
            "p_above": sequence.p_value_above(&difference),
            "lower_bound": sequence.lower_bound(&difference),
            "upper_bound": sequence.upper_bound(&difference),
        },
    }))
}

fn proportions(arguments: &Arguments) -> Result<Value, Failure> {
    let levels = levels(arguments, &[])?;
    let words = arguments.exactly(["SUCCESSES", "TRIALS", "SUCCESSES", "TRIALS"])?;
    let [a, n, b, m] = words.map(|word| number("proportions", word));
    let control = Proportion::new(a?, n?).map_err(said)?;
    let treatment = Proportion::new(b?, m?).map_err(said)?;
    let test = two_proportions(&control, &treatment, levels.alpha).map_err(said)?;
    let arm = |arm: &Proportion| json!({ "successes": arm.successes(), "trials": arm.trials(), "rate": arm.rate() });
    Ok(json!({
        "test": "z of two proportions, pooled variance; Newcombe's interval",
        "control": arm(&control),
        "treatment": arm(&treatment),
        "difference": test.difference,
        "statistic": test.z,
        "p": test.p_value,
        "alpha": levels.alpha,
        "interval": test.interval,
        "always_valid": always_valid(control.difference_to(&treatment), &levels)?,
    }))
}

fn means(arguments: &Arguments) -> Result<Value, Failure> {
    let levels = levels(arguments, &[])?;
    let [mean1, sd1, n1, mean2, sd2, n2] = arguments.exactly(["MEAN", "SD", "COUNT", "MEAN", "SD", "COUNT"])?;
    let arm = |mean: &str, deviation: &str, count: &str| -> Result<Sample, Failure> {
        let deviation: f64 = number("means", deviation)?;
        if deviation < 0.0 {
            return Err(String::from("means: a standard deviation is at least 0"));
        }
        Ok(Sample {
            count: number("means", count)?,
            mean: number("means", mean)?,
            variance: deviation * deviation,
        })
    };
    compare_means(&arm(mean1, sd1, n1)?, &arm(mean2, sd2, n2)?, &levels)
}

fn compare_means(control: &Sample, treatment: &Sample, levels: &Levels) -> Result<Value, Failure> {
    let test = welch(control, treatment, levels.alpha).map_err(said)?;
    Ok(json!({
        "test": "Welch's t",
        "control": control,
        "treatment": treatment,
        "difference": test.difference,
        "statistic": test.t,
        "degrees_of_freedom": test.df,
        "p": test.p_value,
        "alpha": levels.alpha,
        "interval": test.interval,
        "always_valid": always_valid(control.difference_to(treatment), levels)?,
    }))
}

fn ratio_of_arms(arguments: &Arguments) -> Result<Value, Failure> {
    arguments.only(&["alpha", "expected"])?;
    let alpha = arguments.option("alpha", 0.001)?;
    let counts: Vec<u64> = arguments.numbers()?;
    let expected = match arguments.list("expected")? {
        None => vec![1.0; counts.len()],
        Some(one) if one.len() == 1 && counts.len() == 2 => {
            one.iter().flat_map(|share| [*share, 1.0 - share]).collect()
        }
        Some(all) => all,
    };
    let check = sample_ratio(&counts, &expected).map_err(said)?;
    let sequential = sequential_sample_ratio(&counts, &expected).map_err(said)?;
    Ok(json!({
        "test": "sample ratio, chi-squared; always valid by a Dirichlet-multinomial e-value",
        "counts": counts,
        "expected": expected,
        "statistic": check.chi_squared,
        "degrees_of_freedom": check.df,
        "p": check.p_value,
        "alpha": alpha,
        "always_valid": {
            "p": sequential.p_value,
            "log_e_value": sequential.log_e_value,
            "mismatch": sequential.is_mismatch(alpha),
        },
    }))
}

fn several(arguments: &Arguments) -> Result<Value, Failure> {
    arguments.only(&["alpha"])?;
    let alpha = arguments.option("alpha", DEFAULT_ALPHA)?;
    let p_values: Vec<f64> = arguments.numbers()?;
    if p_values.is_empty() {
        return Err(String::from("holm takes p-values"));
    }
    let adjusted = holm(&p_values).map_err(said)?;
    let significant: Vec<bool> = adjusted.iter().map(|p| *p <= alpha).collect();
    Ok(json!({
        "test": "Holm",
        "p": p_values,
        "alpha": alpha,
        "adjusted": adjusted,
        "significant": significant,
    }))
}

/// Both values of each session, by arm.
fn pairs(input: &str, first: &str, second: &str) -> Result<[PairSummary; 2], Failure> {
    let rows = rows(input, ["arm", first, second])?
        .into_iter()
        .map(|[arm, a, b]| Ok((arm, (number(first, &a)?, number(second, &b)?))))
        .collect::<Result<Vec<(String, (f64, f64))>, Failure>>()?;
    let [control, treatment] = arms(rows)?;
    Ok([summary(&control)?, summary(&treatment)?])
}

/// Whole numbers go through the exact sums of the gold layer, others through two passes.
fn summary(values: &[(f64, f64)]) -> Result<PairSummary, Failure> {
    let whole = |value: f64| value == value.trunc() && value.abs() <= 1e12;
    if values.len() < 2 {
        return Err(String::from("each arm needs at least 2 sessions"));
    }
    if values.iter().all(|(a, b)| whole(*a) && whole(*b)) {
        let mut moments = PairMoments::default();
        values.iter().for_each(|(a, b)| moments.record(*a as i64, *b as i64));
        return moments
            .summary()
            .ok_or(String::from("each arm needs at least 2 sessions"));
    }
    let n = values.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| values.iter().map(of).sum::<f64>() / n;
    let (a, b) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let spread = |of: &dyn Fn(&(f64, f64)) -> f64| values.iter().map(of).sum::<f64>() / (n - 1.0);
    Ok(PairSummary {
        count: values.len() as u64,
        first_mean: a,
        second_mean: b,
        first_variance: spread(&|pair| (pair.0 - a).powi(2)),
        second_variance: spread(&|pair| (pair.1 - b).powi(2)),
        covariance: spread(&|pair| (pair.0 - a) * (pair.1 - b)),
    })
}

fn ratio(arguments: &Arguments, input: &str) -> Result<Value, Failure> {
    let levels = levels(arguments, &[])?;
    let [control, treatment] = pairs(input, "numerator", "denominator")?;
    let difference = ratio_difference(&control, &treatment).map_err(said)?;
    let half_width = normal_isf(0.5 * levels.alpha) * difference.standard_error;
    let sequential = always_valid(Ok(difference), &levels)?;
    let arm = |arm: &PairSummary| -> Result<Value, Failure> {
        Ok(json!({ "sessions": arm.count, "ratio": arm.ratio().map_err(said)? }))
    };
    Ok(json!({
        "test": "z of two ratios, delta method over sessions",
        "control": arm(&control)?,
        "treatment": arm(&treatment)?,
        "difference": difference.estimate,
        "standard_error": difference.standard_error,
        "statistic": difference.z(),
        "p": 2.0 * normal_sf(difference.z().abs()),
        "alpha": levels.alpha,
        "interval": Interval::around(difference.estimate, half_width),
        "always_valid": sequential,
    }))
}

fn cuped(arguments: &Arguments, input: &str) -> Result<Value, Failure> {
    let levels = levels(arguments, &[])?;
    let [control, treatment] = pairs(input, "during", "before")?;
    let adjusted = adjust(&control, &treatment).map_err(said)?;
    let mut answer = compare_means(&adjusted.control, &adjusted.treatment, &levels)?;
    if let Some(object) = answer.as_object_mut() {
        object.insert("test".into(), "Welch's t after CUPED".into());
        object.insert("theta".into(), adjusted.theta.into());
        object.insert("variance_removed".into(), adjusted.variance_removed.into());
    }
    Ok(answer)
}

fn quantile(arguments: &Arguments, input: &str) -> Result<Value, Failure> {
    let levels = levels(arguments, &["q"])?;
    let q = arguments.option("q", 0.95)?;
    let rows = rows(input, ["arm", "session", "value"])?
        .into_iter()
        .map(|[arm, session, value]| Ok((arm, (session, number("value", &value)?))))
        .collect::<Result<Vec<(String, (String, f64))>, Failure>>()?;
    let [control, treatment] = arms(rows)?.map(|arm| {
        let mut sessions: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        arm.into_iter()
            .for_each(|(session, value)| sessions.entry(session).or_default().push(value));
        let sessions: Vec<Vec<f64>> = sessions.into_values().collect();
        clustered_quantile(&sessions, q, levels.alpha)
    });
    let (control, treatment) = (control.map_err(said)?, treatment.map_err(said)?);
    let change = match control.relative_difference_to(&treatment) {
        Ok(difference) => always_valid(Ok(difference), &levels)?,
        Err(_) => Value::Null,
    };
    Ok(json!({
        "test": "quantiles, order statistics clustered by session",
        "q": q,
        "alpha": levels.alpha,
        "control": control,
        "treatment": treatment,
        "relative": treatment.value / control.value - 1.0,
        "always_valid_log_ratio": change,
    }))
}

fn sketch(arguments: &Arguments, input: &str) -> Result<Value, Failure> {
    arguments.only(&["q"])?;
    let quantiles = arguments.list("q")?.unwrap_or(vec![0.5, 0.95]);
    let mut sketch = Sketch::default();
    for [value] in rows(input, ["value"])? {
        sketch.record(number("value", &value)?);
    }
    let found: Result<Vec<Value>, Failure> = quantiles
        .iter()
        .map(|&q| Ok(json!({ "q": q, "value": sketch.quantile(q).map_err(said)? })))
        .collect();
    Ok(json!({ "count": sketch.count(), "quantiles": found?, "sketch": sketch }))
}
