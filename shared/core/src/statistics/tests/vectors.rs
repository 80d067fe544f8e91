//! Figures from elsewhere: scipy, statsmodels, gbstats and ssrm-test; thousands more run in tests/statistics.

use super::*;
use alloc::{vec, vec::Vec};
use proptest::prelude::*;

#[test]
fn two_rates() {
    // statsmodels 0.15: proportions_ztest, confint_proportions_2indep(method="newcomb").
    let test = two_proportions(&rate(250, 1_000), &rate(300, 1_000), 0.05).unwrap();
    assert_close(test.z, 2.503_915_429_180_671, 1e-13);
    assert_close(test.p_value, 0.012_282_738_972_377_402, 1e-12);
    assert_close(test.interval.lower, 0.010_859_030_388_200_2, 1e-11);
    assert_close(test.interval.upper, 0.088_939_203_469_925_58, 1e-11);
}

#[test]
fn one_rate() {
    // Newcombe 1998, table I: 81 of 263.
    let interval = rate(81, 263).wilson(normal_isf(0.025));
    assert_close(interval.lower, 0.255_288_519_878_274_2, 1e-13);
    assert_close(interval.upper, 0.366_209_576_982_800_04, 1e-13);
}

#[test]
fn two_means() {
    // scipy: ttest_ind_from_stats(equal_var=False), which subtracts the second from the first.
    let test = welch(&sample(5.0, 2.0, 600), &sample(5.2, 2.5, 640), 0.05).unwrap();
    assert_close(test.t, 1.560_202_351_864_613_3, 1e-12);
    assert_close(test.p_value, 0.118_973_897_448_477_43, 1e-12);
}

#[test]
fn the_naive_rule_promotes_and_the_always_valid_one_does_not() {
    // gbstats 0.8: SequentialTwoSidedTTest, tuned to 5,000 units.
    let difference = rate(250, 1_000).difference_to(&rate(300, 1_000)).unwrap();
    let sequence = ConfidenceSequence::new(0.05, 5_000).unwrap();
    let interval = sequence.interval(&difference);
    assert!((interval.lower + 0.012_28).abs() < 5e-6 && (interval.upper - 0.112_28).abs() < 5e-6);
    assert!((sequence.p_value(&difference) - 0.186_96).abs() < 5e-6);
}

#[test]
fn sample_ratios() {
    let check = sample_ratio(&[5_000, 5_100], &[0.5, 0.5]).unwrap();
    assert_close(check.chi_squared, 0.990_099_009_900_990_1, 1e-12);
    assert_eq!(check.df, 1);
    // ssrm-test 0.1.5: log of sequential_posteriors' Bayes factor.
    for (counts, weights, log_e_value) in [
        (&[5_000, 5_100][..], &[0.5, 0.5][..], -0.100_310_301_6),
        (&[60_000, 61_500], &[1.0, 1.0], 7.267_149_700_5),
        (&[1_000_000, 1_003_000], &[0.5, 0.5], -0.416_951_656_3),
        (&[10, 30, 5], &[0.4, 0.4, 0.2], 0.025_867_520_06),
    ] {
        let seen = sequential_sample_ratio(counts, weights).unwrap().log_e_value;
        assert!((seen - log_e_value).abs() < 1e-9, "{counts:?}: {seen}");
    }
}

#[test]
fn a_mismatch_once_found_stays() {
    let bad = sequential_sample_ratio(&[10_000, 12_000], &[1.0, 1.0]).unwrap();
    let later = sequential_sample_ratio(&[1_000_000, 1_002_000], &[1.0, 1.0]).unwrap();
    assert!(bad.is_mismatch(0.001) && !later.is_mismatch(0.001));
    assert!(later.with_earlier(&bad).is_mismatch(0.001));
}

#[test]
fn holm_steps_down() {
    // statsmodels: multipletests([0.01, 0.04, 0.03], method="holm").
    let adjusted = holm(&[0.01, 0.04, 0.03]).unwrap();
    for (seen, expected) in adjusted.iter().zip([0.03, 0.06, 0.06]) {
        assert_close(*seen, expected, 1e-15);
    }
    assert!(holm(&[]).unwrap().is_empty());
    assert!(holm(&[0.5, 1.1]).is_err() && holm(&[f64::NAN]).is_err());
}

/// The bound in closed form against the mixture that it bounds: E = 2 Φ(u) e^(u²/2) / √(Nρ² + 1), u = ρ S / √(Nρ² + 1),
/// which is the integral of the likelihood ratio over a half-normal effect.
#[test]
fn one_sided_bound_is_close_to_its_mixture_and_never_bolder() {
    let (alpha, planned) = (0.05, 5_000);
    let sequence = ConfidenceSequence::new(alpha, planned).unwrap();
    let tail = -2.0 * (2.0 * alpha).ln();
    let rho_squared = (tail + tail.ln_1p()) / planned as f64;
    for (units, z) in [(200, 1.0), (1_000, 2.5), (5_000, 3.0), (20_000, 4.0)] {
        let difference = Difference::new(z, 1.0, units).unwrap();
        let spread = units as f64 * rho_squared + 1.0;
        let u = z * ((spread - 1.0) / spread).sqrt();
        let e_value = 2.0 * normal_cdf(u) * (u * u / 2.0).exp() / spread.sqrt();
        let p_value = sequence.p_value_above(&difference);
        assert!(p_value >= (1.0 / e_value).min(1.0) - 1e-12, "{units} {z}");
        assert!(
            p_value <= 1.4 / e_value,
            "{units} {z}: {p_value} against {}",
            1.0 / e_value
        );
    }
}

#[test]
fn what_cannot_be_judged_is_an_error() {
    assert_eq!(
        two_proportions(&rate(0, 9), &rate(0, 9), 0.05),
        Err(StatisticsError::NoVariation)
    );
    assert!(two_proportions(&rate(1, 9), &rate(2, 9), 1.0).is_err());
    assert!(Proportion::new(3, 2).is_err() && Proportion::new(0, 0).is_err());
    assert!(welch(&sample(1.0, 1.0, 1), &sample(1.0, 1.0, 9), 0.05).is_err());
    assert!(welch(&sample(f64::NAN, 1.0, 9), &sample(1.0, 1.0, 9), 0.05).is_err());
    assert!(ConfidenceSequence::new(0.05, 0).is_err() && ConfidenceSequence::new(0.5, 10).is_err());
    assert!(sample_ratio(&[5], &[1.0]).is_err() && sample_ratio(&[5, 5], &[1.0, 0.0]).is_err());
    assert!(sequential_sample_ratio(&[0, 0], &[1.0, 1.0]).is_err());
    assert!(clustered_quantile(&[[1.0]], 0.5, 0.05).is_err());
    assert!(clustered_quantile(&[[1.0], [f64::NAN]], 0.5, 0.05).is_err());
}

#[test]
fn an_interval_without_an_end_survives_json() {
    let interval = Interval {
        lower: f64::NEG_INFINITY,
        upper: 2.0,
    };
    let text = serde_json::to_string(&interval).unwrap();
    assert_eq!(text, r#"{"lower":null,"upper":2.0}"#);
    assert_eq!(serde_json::from_str::<Interval>(&text).unwrap(), interval);
}

proptest! {
    /// Turns of one session are alike: an interval that counted turns would cover far too rarely.
    #[test]
    fn a_design_effect_widens(shift in 0.0..50.0_f64) {
        let mut next = numbers(7);
        let together: Vec<Vec<f64>> = (0..200).map(|_| vec![shift + next(); 5]).collect();
        let apart: Vec<Vec<f64>> = together.iter().flatten().map(|value| vec![*value]).collect();
        let (together, apart) =
            (clustered_quantile(&together, 0.5, 0.05).unwrap(), clustered_quantile(&apart, 0.5, 0.05).unwrap());
        prop_assert_eq!(together.value, apart.value);
        prop_assert!((together.design_effect - 5.0).abs() < 0.1 && (apart.design_effect - 1.0).abs() < 0.02);
        prop_assert!(together.interval.width() > apart.interval.width());
    }
}

/// 95 % intervals of p95 of clustered latencies cover the truth about as often as they say.
#[test]
fn clustered_intervals_cover() {
    let mut next = numbers(11);
    let runs = 400;
    let covered = (0..runs)
        .filter(|_| {
            // A session is slow or fast as a whole (uniform 0..1), each turn adds noise (uniform 0..1): p95 of the sum of
            // two uniforms is 2 - √0.1.
            let sessions: Vec<Vec<f64>> = (0..300)
                .map(|_| {
                    let base = next();
                    let turns = 1 + (next() * 8.0) as usize;
                    (0..turns).map(|_| base + next()).collect()
                })
                .collect();
            let estimate = clustered_quantile(&sessions, 0.95, 0.05).unwrap();
            estimate.interval.contains(2.0 - 0.1_f64.sqrt())
        })
        .count();
    // 3.5 standard errors below 95 %.
    assert!(covered * 1_000 >= runs * 912, "{covered} of {runs}");
}
