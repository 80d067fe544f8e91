//! The gates and what follows from them, for one JSON document.

use crate::Failure;
use crate::arguments::Arguments;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::statistics::{
    ArmSummary, CrisisEvidence, Difference, Direction, Policy, Success, demotion_decision, evaluate,
    promotion_decision, sequential_sample_ratio,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Evidence {
    control: ArmSummary,
    treatment: ArmSummary,
    #[serde(default)]
    crisis: CrisisEvidence,
    #[serde(default)]
    success: Vec<Metric>,
    /// Units of control and treatment as assigned, before any filter.
    enrolled: [u64; 2],
    #[serde(default = "even")]
    expected: [f64; 2],
    #[serde(default)]
    policy: Policy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    name: String,
    better: Direction,
    estimate: f64,
    standard_error: f64,
    units: u64,
}

fn even() -> [f64; 2] {
    [1.0, 1.0]
}

pub(crate) fn run(arguments: &Arguments, input: &str) -> Result<Value, Failure> {
    arguments.only(&[])?;
    let evidence: Evidence = serde_json::from_str(input).map_err(|error| format!("standard input: {error}"))?;
    let Evidence {
        control,
        treatment,
        policy,
        ..
    } = &evidence;
    let said = |error: silent_core::statistics::StatisticsError| error.to_string();
    let gates = evaluate(control, treatment, &evidence.crisis, policy).map_err(said)?;
    let ratio = sequential_sample_ratio(&evidence.enrolled, &evidence.expected).map_err(said)?;
    let successes: Vec<Success> = evidence
        .success
        .iter()
        .map(|metric| Success {
            name: metric.name.clone(),
            difference: Difference::new(metric.estimate, metric.standard_error, metric.units).ok(),
            better: metric.better,
        })
        .collect();
    let promotion = promotion_decision(control.sessions, treatment.sessions, &successes, &gates, &ratio, policy);
    Ok(json!({
        "gates": gates,
        "sample_ratio": ratio,
        "promotion": promotion.map_err(said)?,
        "demotion": demotion_decision(&gates, evidence.crisis.confirmed_live_misses),
    }))
}
