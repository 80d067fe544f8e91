//! Experiments that are watched all the time: how often two equal variants get a "winner", by the usual rule and by ours.

mod experiment;
mod metric;
mod random;
#[cfg(test)]
mod tests;

use crate::Failure;
use crate::arguments::Arguments;
use experiment::{Outcome, Plan, run_all};
use metric::Kind;
use silent_core::statistics::{Proportion, normal_isf};
use std::fmt::Write;

/// Prints the tables of docs/statistics.md.
pub(crate) fn run(arguments: &Arguments) -> Result<String, Failure> {
    arguments.only(&["experiments", "seed", "alpha", "planned"])?;
    arguments.exactly([])?;
    let plan = Plan {
        experiments: arguments.option("experiments", 2_000)?,
        seed: arguments.option("seed", 1)?,
        alpha: arguments.option("alpha", 0.05)?,
        planned: arguments.option("planned", 5_000)?,
        ..Plan::default()
    };
    if plan.experiments == 0 {
        return Err(String::from("sim needs at least 1 experiment"));
    }
    plan.sequence().map_err(|error| error.to_string())?;
    let mut text = String::new();
    let say = |text: &mut String, line: String| {
        let _ = writeln!(text, "{line}");
    };
    say(
        &mut text,
        format!(
            "{} experiments a row, a look every {} sessions per arm up to {}, alpha {}, planned {}, seed {}.\n",
            plan.experiments, plan.look_every, plan.longest, plan.alpha, plan.planned, plan.seed
        ),
    );
    say(
        &mut text,
        "### Equal variants: how often one is promoted (95 % Wilson)".into(),
    );
    say(
        &mut text,
        "| metric | p < α and > 500 sessions, by 1,000 | the same, by 10,000 | ours, by 10,000 |\n|---|---|---|---|"
            .into(),
    );
    let mut worst: f64 = 0.0;
    for kind in Kind::ALL {
        let outcomes = run_all(kind, 0.0, &plan);
        let share = |of: fn(&Outcome) -> bool| rate(&outcomes, of);
        let ours = share(|outcome| outcome.ours.is_some());
        worst = worst.max(ours.rate());
        let naive_early = share(|outcome| outcome.naive.is_some_and(|sessions| sessions <= 1_000));
        let naive = share(|outcome| outcome.naive.is_some());
        say(
            &mut text,
            format!(
                "| {} | {} | {} | {} |",
                kind.name(),
                percent(&naive_early),
                percent(&naive),
                percent(&ours)
            ),
        );
    }
    say(&mut text, format!("\nOurs at worst: {:.1} %.\n", 100.0 * worst));

    say(
        &mut text,
        "### Several experiments at once, all of equal variants: how often at least one is promoted".into(),
    );
    say(
        &mut text,
        "| at once | p < α and > 500 sessions | ours | ours, each at α shared out |\n|---|---|---|---|".into(),
    );
    let equal = run_all(Kind::Rate, 0.0, &plan);
    for together in [1_u32, 2, 5] {
        let shared = Plan {
            alpha: plan.alpha / f64::from(together),
            ..plan.clone()
        };
        let strict = run_all(Kind::Rate, 0.0, &shared);
        let any = |outcomes: &[Outcome], of: fn(&Outcome) -> bool| percent(&any_of(outcomes, together as usize, of));
        say(
            &mut text,
            format!(
                "| {together} | {} | {} | {} |",
                any(&equal, |outcome| outcome.naive.is_some()),
                any(&equal, |outcome| outcome.ours.is_some()),
                any(&strict, |outcome| outcome.ours.is_some())
            ),
        );
    }
    say(&mut text, "\nBy 10,000 sessions per arm, in either direction.\n".into());

    say(
        &mut text,
        "### A true lift of the 30 % rate: how often and when it is promoted".into(),
    );
    say(
        &mut text,
        "| lift, points | promoted by 10,000 | half of those by | nine tenths by | fixed plan for 80 % power |\n|---|---|---|---|---|".into(),
    );
    for lift in [0.02, 0.03, 0.05, 0.10] {
        let outcomes = run_all(Kind::Rate, lift, &plan);
        let mut when: Vec<u64> = outcomes.iter().filter_map(|outcome| outcome.ours).collect();
        when.sort_unstable();
        let at = |share: f64| {
            let place = (share * when.len() as f64).ceil() as usize;
            when.get(place.saturating_sub(1))
                .map_or(String::from("-"), u64::to_string)
        };
        let promoted = rate(&outcomes, |outcome| outcome.ours.is_some());
        say(
            &mut text,
            format!(
                "| {:.0} | {} | {} | {} | {:.0} |",
                100.0 * lift,
                percent(&promoted),
                at(0.5),
                at(0.9),
                fixed_plan(0.3, lift, plan.alpha)
            ),
        );
    }
    say(&mut text, "\nSessions per arm.\n".into());

    say(
        &mut text,
        "### The satisfaction gate: what it says at least once".into(),
    );
    say(
        &mut text,
        "| true change | pass | fail, so demoted |\n|---|---|---|".into(),
    );
    for change in [0.0, -0.025, -0.05, -0.10] {
        let outcomes = run_all(Kind::Rating, change, &plan);
        let share = |of: fn(&Outcome) -> bool| percent(&rate(&outcomes, of));
        let (passed, failed) = (
            share(|outcome| outcome.gate_passed),
            share(|outcome| outcome.gate_failed),
        );
        say(&mut text, format!("| {change} | {passed} | {failed} |"));
    }
    Ok(text.trim_end().to_owned())
}

fn rate(outcomes: &[Outcome], of: fn(&Outcome) -> bool) -> Proportion {
    let hits = outcomes.iter().filter(|outcome| of(outcome)).count() as u64;
    // Not empty: there is at least one experiment.
    Proportion::new(hits, (outcomes.len() as u64).max(hits).max(1)).unwrap_or_else(|_| unreachable!())
}

/// Of families of so many experiments, those in which any one is what is asked.
fn any_of(outcomes: &[Outcome], together: usize, of: fn(&Outcome) -> bool) -> Proportion {
    let families: Vec<Outcome> = outcomes
        .chunks_exact(together.max(1))
        .map(|family| family.iter().find(|outcome| of(outcome)).copied().unwrap_or_default())
        .collect();
    rate(&families, of)
}

fn percent(rate: &Proportion) -> String {
    let interval = rate.wilson(normal_isf(0.025));
    let [share, lower, upper] = [rate.rate(), interval.lower, interval.upper].map(|share| 100.0 * share);
    format!("{share:.1} % [{lower:.1}, {upper:.1}]")
}

/// Sessions per arm of a test at one fixed moment (normal approximation, unpooled).
fn fixed_plan(base: f64, lift: f64, alpha: f64) -> f64 {
    let z = normal_isf(0.5 * alpha) + normal_isf(0.2);
    let variance = |p: f64| p * (1.0 - p);
    (z / lift).powi(2) * (variance(base) + variance(base + lift))
}
