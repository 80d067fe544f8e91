//! The guardrails of a challenger: one-sided non-inferiority, with three answers.
//!
//! Invariants: only a proof passes and only a proof fails, both by bounds that hold at every look; too little data never
//! passes; a missed crisis outweighs every statistic.

use super::{
    ConfidenceSequence, Difference, Interval, PairSummary, Proportion, QuantileEstimate, Sample, StatisticsError,
    ratio_difference, relative_ratio_difference,
};
use alloc::vec;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A guardrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// p95 latency, relative.
    LatencyP95,
    /// Crises found, of those there were.
    CrisisDetection,
    /// Mean satisfaction, absolute, on the scale 0 to 1.
    Satisfaction,
    /// Cost per turn, relative.
    CostPerTurn,
    /// Turns that fail, absolute. It takes a canary back, and promotion does not ask it.
    ErrorRate,
}

impl Gate {
    /// Those of a promotion, which needs each to pass.
    pub const ALL: [Self; 4] = [
        Self::LatencyP95,
        Self::CrisisDetection,
        Self::Satisfaction,
        Self::CostPerTurn,
    ];
}

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Not worse than allowed: proven.
    Pass,
    /// Worse than allowed: proven.
    Fail,
    /// Neither is proven yet.
    InsufficientData,
}

/// A gate's verdict and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GateResult {
    /// Which gate.
    pub gate: Gate,
    /// Its answer.
    pub verdict: Verdict,
    /// Treatment against control: 0.1 is 10 % more where the gate is relative. None without enough data.
    pub estimate: Option<f64>,
    /// From the lower to the upper always-valid one-sided bound, each at the policy's α.
    pub interval: Option<Interval>,
    /// The change that is just not allowed, in the estimate's unit.
    pub threshold: f64,
    /// Why, where the numbers alone do not say it; a slug.
    pub note: Option<&'static str>,
}

/// What is allowed, fixed before the experiment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Of every bound and test.
    pub alpha: f64,
    /// Sessions of both arms at which always-valid intervals are tightest.
    pub planned: u64,
    /// Promotion needs more sessions than this in each arm.
    pub promotion_sessions: u64,
    /// A gate has no opinion with fewer sessions in an arm: its bounds are asymptotic.
    pub gate_sessions: u64,
    /// Allowed increase of p95 latency, relative.
    pub latency_increase: f64,
    /// Allowed decrease of mean satisfaction, absolute.
    pub satisfaction_decrease: f64,
    /// Allowed increase of cost per turn, relative.
    pub cost_increase: f64,
    /// Allowed increase of the share of turns that fail, absolute.
    pub error_increase: f64,
    /// A person accepted the cost.
    pub cost_signed_off: bool,
    /// α of the sample-ratio check.
    pub sample_ratio_alpha: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            alpha: 0.05,
            planned: 5_000,
            promotion_sessions: 500,
            gate_sessions: 100,
            latency_increase: 0.10,
            satisfaction_decrease: 0.05,
            cost_increase: 0.20,
            error_increase: 0.02,
            cost_signed_off: false,
            sample_ratio_alpha: 0.001,
        }
    }
}

/// What an arm's sessions say about the guardrails. Sessions with a crisis override are left out before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArmSummary {
    /// Sessions in the analysis.
    pub sessions: u64,
    /// p95 of latency over turns, clustered by session.
    pub latency_p95: Option<QuantileEstimate>,
    /// Satisfaction, one mean for each session that rated, 0 to 1.
    pub satisfaction: Option<Sample>,
    /// Cost (first) and turns (second) of each session.
    pub cost_per_turn: Option<PairSummary>,
}

/// The labelled corpus, played through the challenger's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// Cases played.
    pub cases: u64,
    /// Cases that the control catches and the challenger does not.
    pub new_misses: u64,
}

/// What is known of the challenger and crises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrisisEvidence {
    /// The replay; none if it was not run.
    pub replay: Option<Replay>,
    /// Crises of live sessions that a reviewer confirmed and the challenger did not catch.
    pub confirmed_live_misses: u64,
    /// Caught of those that reviewers labelled, control.
    pub control: Option<Proportion>,
    /// Caught of those that reviewers labelled, treatment.
    pub treatment: Option<Proportion>,
}

/// All gates, in the order of [`Gate::ALL`].
///
/// # Errors
/// Where the policy's α or plan is out of range; data that allow no answer are a verdict, not an error.
pub fn evaluate(
    control: &ArmSummary,
    treatment: &ArmSummary,
    crisis: &CrisisEvidence,
    policy: &Policy,
) -> Result<Vec<GateResult>, StatisticsError> {
    Ok(vec![
        latency_gate(control, treatment, policy)?,
        crisis_gate(crisis, policy)?,
        satisfaction_gate(control, treatment, policy)?,
        cost_gate(control, treatment, policy)?,
    ])
}

/// p95 latency: not more than 10 % up.
///
/// # Errors
/// As [`evaluate`].
pub fn latency_gate(
    control: &ArmSummary,
    treatment: &ArmSummary,
    policy: &Policy,
) -> Result<GateResult, StatisticsError> {
    let change = enough(control, treatment, policy)
        .then(|| control.latency_p95.zip(treatment.latency_p95))
        .flatten()
        .and_then(|(control, treatment)| control.relative_difference_to(&treatment).ok());
    relative(Gate::LatencyP95, change, policy.latency_increase, policy)
}

/// Mean satisfaction: not more than 0.05 down.
///
/// # Errors
/// As [`evaluate`].
pub fn satisfaction_gate(
    control: &ArmSummary,
    treatment: &ArmSummary,
    policy: &Policy,
) -> Result<GateResult, StatisticsError> {
    let rated = |arm: &ArmSummary| arm.satisfaction.filter(|sample| sample.count >= policy.gate_sessions);
    let change = rated(control)
        .zip(rated(treatment))
        .and_then(|(control, treatment)| control.difference_to(&treatment).ok());
    let threshold = -policy.satisfaction_decrease;
    let Some((change, bounds)) = bounded(change, policy)? else {
        return Ok(undecided(Gate::Satisfaction, threshold));
    };
    Ok(GateResult {
        gate: Gate::Satisfaction,
        verdict: judge(-bounds.upper, -bounds.lower, policy.satisfaction_decrease),
        estimate: Some(change.estimate),
        interval: Some(bounds),
        threshold,
        note: None,
    })
}

/// Cost per turn: not more than 20 % up, unless a person signed it off.
///
/// # Errors
/// As [`evaluate`].
pub fn cost_gate(control: &ArmSummary, treatment: &ArmSummary, policy: &Policy) -> Result<GateResult, StatisticsError> {
    let change = enough(control, treatment, policy)
        .then(|| control.cost_per_turn.zip(treatment.cost_per_turn))
        .flatten()
        .and_then(|(control, treatment)| relative_ratio_difference(&control, &treatment).ok());
    let result = relative(Gate::CostPerTurn, change, policy.cost_increase, policy)?;
    if !policy.cost_signed_off || result.verdict == Verdict::Pass {
        return Ok(result);
    }
    Ok(GateResult {
        verdict: Verdict::Pass,
        note: Some("signed_off"),
        ..result
    })
}

/// Share of turns that fail: not more than two points up. `control` and `treatment` are errors (first) and turns (second) of
/// each session.
///
/// # Errors
/// As [`evaluate`].
pub fn error_gate(
    control: Option<&PairSummary>,
    treatment: Option<&PairSummary>,
    policy: &Policy,
) -> Result<GateResult, StatisticsError> {
    let change = control
        .zip(treatment)
        .filter(|(control, treatment)| control.count.min(treatment.count) >= policy.gate_sessions)
        .and_then(|(control, treatment)| ratio_difference(control, treatment).ok());
    let Some((change, bounds)) = bounded(change, policy)? else {
        return Ok(undecided(Gate::ErrorRate, policy.error_increase));
    };
    Ok(GateResult {
        gate: Gate::ErrorRate,
        verdict: judge(bounds.lower, bounds.upper, policy.error_increase),
        estimate: Some(change.estimate),
        interval: Some(bounds),
        threshold: policy.error_increase,
        note: None,
    })
}

/// Crisis detection: no regression.
///
/// Comparing counts of misses would block half of all harmless challengers. So a new miss in the replay or one confirmed
/// live miss fails; a fall of the live detection rate fails once it is proven; and nothing passes that was not replayed.
///
/// # Errors
/// As [`evaluate`].
pub fn crisis_gate(crisis: &CrisisEvidence, policy: &Policy) -> Result<GateResult, StatisticsError> {
    let change = crisis
        .control
        .zip(crisis.treatment)
        .filter(|(control, treatment)| control.trials().min(treatment.trials()) >= policy.gate_sessions)
        .and_then(|(control, treatment)| cautious(&control, &treatment).ok());
    let change = bounded(change, policy)?;
    let (verdict, note) = match crisis.replay {
        _ if crisis.confirmed_live_misses > 0 => (Verdict::Fail, Some("confirmed_live_miss")),
        Some(replay) if replay.new_misses > 0 => (Verdict::Fail, Some("new_miss_in_replay")),
        _ if change.is_some_and(|(_, bounds)| bounds.upper < 0.0) => (Verdict::Fail, Some("detection_rate_fell")),
        Some(replay) if replay.cases > 0 => (Verdict::Pass, None),
        _ => (Verdict::InsufficientData, Some("not_replayed")),
    };
    Ok(GateResult {
        gate: Gate::CrisisDetection,
        verdict,
        estimate: change.map(|(change, _)| change.estimate),
        interval: change.map(|(_, bounds)| bounds),
        threshold: 0.0,
        note,
    })
}

/// One more success and one more failure in each arm: near 0 and 1 the plain standard error is far too small
/// (A. Agresti, B. Caffo, The American Statistician 54, 2000).
fn cautious(control: &Proportion, treatment: &Proportion) -> Result<Difference, StatisticsError> {
    let more = |arm: &Proportion| Proportion::new(arm.successes().saturating_add(1), arm.trials().saturating_add(2));
    let wider = more(control)?.difference_to(&more(treatment)?)?;
    Difference::new(treatment.rate() - control.rate(), wider.standard_error, wider.units)
}

fn enough(control: &ArmSummary, treatment: &ArmSummary, policy: &Policy) -> bool {
    control.sessions.min(treatment.sessions) >= policy.gate_sessions
}

/// A gate on a logarithm of a ratio, told in shares.
fn relative(
    gate: Gate,
    change: Option<Difference>,
    allowed: f64,
    policy: &Policy,
) -> Result<GateResult, StatisticsError> {
    let Some((change, bounds)) = bounded(change, policy)? else {
        return Ok(undecided(gate, allowed));
    };
    Ok(GateResult {
        gate,
        verdict: judge(bounds.lower, bounds.upper, libm::log1p(allowed)),
        estimate: Some(libm::expm1(change.estimate)),
        interval: Some(Interval {
            lower: libm::expm1(bounds.lower),
            upper: libm::expm1(bounds.upper),
        }),
        threshold: allowed,
        note: None,
    })
}

fn bounded(change: Option<Difference>, policy: &Policy) -> Result<Option<(Difference, Interval)>, StatisticsError> {
    let sequence = ConfidenceSequence::new(policy.alpha, policy.planned)?;
    Ok(change.map(|change| {
        let bounds = Interval {
            lower: sequence.lower_bound(&change),
            upper: sequence.upper_bound(&change),
        };
        (change, bounds)
    }))
}

/// More is worse: what is known to be at least `least` and at most `most` against what is allowed.
fn judge(least: f64, most: f64, allowed: f64) -> Verdict {
    if most < allowed {
        Verdict::Pass
    } else if least > allowed {
        Verdict::Fail
    } else {
        Verdict::InsufficientData
    }
}

fn undecided(gate: Gate, threshold: f64) -> GateResult {
    GateResult {
        gate,
        verdict: Verdict::InsufficientData,
        estimate: None,
        interval: None,
        threshold,
        note: Some("too_few_sessions"),
    }
}
