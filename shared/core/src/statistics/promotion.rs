//! Whether a challenger becomes the default, waits, or goes back.

use super::{
    ConfidenceSequence, Difference, Gate, GateResult, Policy, SequentialRatioCheck, StatisticsError, Verdict, holm,
};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Which way a metric is to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Up,
    /// Less is better.
    Down,
}

/// A success metric of the experiment, named before it began.
#[derive(Debug, Clone, PartialEq)]
pub struct Success {
    /// Its name.
    pub name: String,
    /// Treatment minus control; none where the data allow no answer yet.
    pub difference: Option<Difference>,
    /// Which way is better.
    pub better: Direction,
}

/// A success metric, judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuccessResult {
    /// Its name.
    pub name: String,
    /// Always-valid and two-sided, before the correction.
    pub p_value: f64,
    /// By Holm, over all success metrics.
    pub adjusted_p_value: f64,
    /// Significant, and in the better direction.
    pub superior: bool,
}

/// Something that stands against promotion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// The arms do not hold the shares they were given.
    SampleRatioMismatch {
        /// Of the sequential check.
        p_value: f64,
    },
    /// A guardrail is broken.
    GateFailed {
        /// Which.
        gate: Gate,
    },
    /// A guardrail is neither held nor broken yet, or was not looked at.
    GateUndecided {
        /// Which.
        gate: Gate,
    },
    /// An arm has too few sessions.
    TooFewSessions {
        /// Of the smaller arm.
        sessions: u64,
        /// That many are not enough.
        more_than: u64,
    },
    /// No success metric is superior.
    NotSignificant {
        /// The smallest adjusted p-value.
        p_value: f64,
    },
    /// A crisis of a live session was missed.
    ConfirmedLiveMiss {
        /// How many.
        misses: u64,
    },
}

/// What a person should do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NextStep {
    /// A guardrail is broken.
    RollBack,
    /// Assignment or logging is broken.
    InvestigateSampleRatio,
    /// Wait.
    CollectMore,
    /// Someone other than the author approves.
    ReadyForReview,
}

/// The answer to "may it be promoted?".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// Whether nothing stands against it.
    pub promote: bool,
    /// What to do now.
    pub next: NextStep,
    /// All that stands against it.
    pub reasons: Vec<Reason>,
    /// The success metrics, judged.
    pub metrics: Vec<SuccessResult>,
}

/// The answer to "must it go back now?".
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Demotion {
    /// Whether it must.
    pub demote: bool,
    /// Each proven breach.
    pub reasons: Vec<Reason>,
}

/// Promotion needs a superior success metric, more than 500 sessions in each arm, every gate passed and no sample-ratio
/// mismatch. A gate that is missing from `gates` is undecided.
///
/// # Errors
/// Where the policy's α or plan is out of range.
pub fn promotion_decision(
    control_sessions: u64,
    treatment_sessions: u64,
    successes: &[Success],
    gates: &[GateResult],
    sample_ratio: &SequentialRatioCheck,
    policy: &Policy,
) -> Result<Decision, StatisticsError> {
    let metrics = judge(successes, policy)?;
    let mut reasons = Vec::new();
    if sample_ratio.is_mismatch(policy.sample_ratio_alpha) {
        reasons.push(Reason::SampleRatioMismatch {
            p_value: sample_ratio.p_value,
        });
    }
    for gate in Gate::ALL {
        let of_gate = || gates.iter().filter(move |result| result.gate == gate);
        if of_gate().any(|result| result.verdict == Verdict::Fail) {
            reasons.push(Reason::GateFailed { gate });
        } else if of_gate().count() == 0 || of_gate().any(|result| result.verdict != Verdict::Pass) {
            reasons.push(Reason::GateUndecided { gate });
        }
    }
    let sessions = control_sessions.min(treatment_sessions);
    if sessions <= policy.promotion_sessions {
        reasons.push(Reason::TooFewSessions {
            sessions,
            more_than: policy.promotion_sessions,
        });
    }
    if !metrics.iter().any(|metric| metric.superior) {
        let p_value = metrics
            .iter()
            .map(|metric| metric.adjusted_p_value)
            .fold(1.0, libm::fmin);
        reasons.push(Reason::NotSignificant { p_value });
    }
    Ok(Decision {
        promote: reasons.is_empty(),
        next: next_step(&reasons),
        reasons,
        metrics,
    })
}

/// A challenger goes back when a gate's breach is proven, or when it missed a confirmed crisis. Both hold at every look, so
/// this may run after each batch of events.
#[must_use]
pub fn demotion_decision(gates: &[GateResult], confirmed_live_misses: u64) -> Demotion {
    let mut reasons = Vec::new();
    if confirmed_live_misses > 0 {
        reasons.push(Reason::ConfirmedLiveMiss {
            misses: confirmed_live_misses,
        });
    }
    let failed = gates.iter().filter(|result| result.verdict == Verdict::Fail);
    reasons.extend(failed.map(|result| Reason::GateFailed { gate: result.gate }));
    Demotion {
        demote: !reasons.is_empty(),
        reasons,
    }
}

fn judge(successes: &[Success], policy: &Policy) -> Result<Vec<SuccessResult>, StatisticsError> {
    let sequence = ConfidenceSequence::new(policy.alpha, policy.planned)?;
    let p_values: Vec<f64> = successes
        .iter()
        .map(|success| {
            success
                .difference
                .map_or(1.0, |difference| sequence.p_value(&difference))
        })
        .collect();
    let adjusted = holm(&p_values)?;
    let judged = successes.iter().zip(p_values).zip(adjusted);
    Ok(judged
        .map(|((success, p_value), adjusted_p_value)| SuccessResult {
            name: success.name.clone(),
            p_value,
            adjusted_p_value,
            superior: adjusted_p_value <= policy.alpha && is_better(success),
        })
        .collect())
}

fn is_better(success: &Success) -> bool {
    success.difference.is_some_and(|difference| match success.better {
        Direction::Up => difference.estimate > 0.0,
        Direction::Down => difference.estimate < 0.0,
    })
}

fn next_step(reasons: &[Reason]) -> NextStep {
    let any = |wanted: fn(&Reason) -> bool| reasons.iter().any(wanted);
    if any(|reason| matches!(reason, Reason::GateFailed { .. } | Reason::ConfirmedLiveMiss { .. })) {
        NextStep::RollBack
    } else if any(|reason| matches!(reason, Reason::SampleRatioMismatch { .. })) {
        NextStep::InvestigateSampleRatio
    } else if reasons.is_empty() {
        NextStep::ReadyForReview
    } else {
        NextStep::CollectMore
    }
}
