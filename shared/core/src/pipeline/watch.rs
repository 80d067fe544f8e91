//! Canaries under watch: sums of the experiments that run now, kept turn by turn, and what they prove.
//!
//! Invariants: an arm's sums are those of its sessions as they stand, whatever the order of turns and ratings; a session that
//! meets a crisis leaves every arm; what changes a share or a variant of a category begins its sums anew.

use super::Rollup;
use super::facts::is_analysed;
use super::part::Part;
use crate::statistics::{
    CrisisEvidence, Demotion, Gate, GateResult, PairMoments, Policy, Reason, StatisticsError, Verdict,
    demotion_decision, error_gate, evaluate,
};
use crate::turn::{Status, TurnEvent};
use crate::variants::{Category, Snapshot, Variant, VariantId};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The arm of whoever has production; no variant has an empty id.
const CONTROL: &str = "";

/// Every experiment that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    experiments: BTreeMap<Category, Experiment>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Experiment {
    /// Names the variants, their versions and so their shares: another phase has sums of its own.
    phase: String,
    /// The arm of each variant.
    arms: BTreeMap<String, String>,
    sums: BTreeMap<String, Rollup>,
}

/// What a session gave so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedSession {
    in_crisis: bool,
    parts: BTreeMap<Category, Phased>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Phased {
    phase: String,
    arms: BTreeMap<String, Tally>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    #[serde(flatten)]
    part: Part,
    latency_ms: Vec<u64>,
}

impl Tally {
    fn add_to(&self, sums: &mut Rollup) {
        self.part.add_to(sums);
        sums.latency_ms.extend(self.latency_ms.iter().copied());
    }

    fn take_from(&self, sums: &mut Rollup) {
        self.part.take_from(sums);
        self.latency_ms.iter().for_each(|value| sums.latency_ms.forget(*value));
    }
}

/// A canary that has to go back.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The category.
    pub category: Category,
    /// The canary.
    pub id: VariantId,
    /// The version that was watched.
    pub version: u64,
    /// Analysed sessions of control and canary.
    pub sessions: [u64; 2],
    /// What is proven.
    pub demotion: Demotion,
    /// Every gate, as it stands.
    pub gates: Vec<GateResult>,
}

impl Watch {
    /// Takes the registry's state on: what changed begins anew, what ended goes.
    pub fn follow(&mut self, snapshot: &Snapshot) {
        let running = |category: &Category| !snapshot.killed().contains(category);
        let mut next = BTreeMap::new();
        for category in snapshot.experiments().filter(running) {
            let mut arms = BTreeMap::new();
            let mut phase = String::new();
            for (variant, arm) in snapshot
                .defaults(category)
                .map(|variant| (variant, CONTROL))
                .chain(snapshot.challengers(category).map(|one| (one, one.id.as_str())))
            {
                phase.push_str(&format!("{}@{} ", variant.id, variant.version));
                arms.insert(variant.id.as_str().into(), arm.into());
            }
            let known = self.experiments.remove(&category).filter(|known| known.phase == phase);
            let experiment = known.unwrap_or_else(|| Experiment {
                phase,
                arms,
                sums: BTreeMap::new(),
            });
            next.insert(category, experiment);
        }
        self.experiments = next;
    }

    /// Whether nothing is experimented on.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.experiments.is_empty()
    }

    /// Adds a turn of a session, which must not have been added before.
    pub fn turn(&mut self, session: &mut WatchedSession, event: &TurnEvent) {
        if session.in_crisis {
            return;
        }
        if event.crisis_override {
            self.leave(session);
            return;
        }
        let is_error = matches!(event.status, Status::Failed | Status::Interrupted);
        let latency_ms = (event.status == Status::Done).then_some(event.total_ms);
        self.change(session, event, |tally| {
            tally.part.turn(is_error, event.cost_micros);
            tally.latency_ms.extend(latency_ms);
        });
    }

    /// Adds the rating of a turn.
    pub fn rating(&mut self, session: &mut WatchedSession, event: &TurnEvent, satisfaction_milli: u16) {
        if !session.in_crisis && !event.crisis_override {
            self.change(session, event, |tally| tally.part.rating(satisfaction_milli));
        }
    }

    fn change(&mut self, session: &mut WatchedSession, event: &TurnEvent, change: impl Fn(&mut Tally)) {
        for (category, experiment) in &mut self.experiments {
            let reason = event.reasons.get(category.as_str()).copied();
            let Some(arm) = event
                .variants
                .get(category.as_str())
                .filter(|_| is_analysed(reason))
                .and_then(|name| experiment.arms.get(name))
            else {
                continue;
            };
            let phased = session.parts.entry(*category).or_default();
            if phased.phase != experiment.phase {
                *phased = Phased {
                    phase: experiment.phase.clone(),
                    arms: BTreeMap::new(),
                };
            }
            let tally = phased.arms.entry(arm.clone()).or_default();
            let sums = experiment.sums.entry(arm.clone()).or_default();
            tally.take_from(sums);
            change(tally);
            tally.add_to(sums);
        }
    }

    fn leave(&mut self, session: &mut WatchedSession) {
        for (category, phased) in core::mem::take(&mut session.parts) {
            let Some(experiment) = self.experiments.get_mut(&category) else {
                continue;
            };
            for (arm, tally) in phased.arms {
                if let Some(sums) = experiment
                    .sums
                    .get_mut(&arm)
                    .filter(|_| experiment.phase == phased.phase)
                {
                    tally.take_from(sums);
                }
            }
        }
        session.in_crisis = true;
    }

    /// The canaries that have to go back. It may be asked after every event: each gate's error holds at every look.
    ///
    /// # Errors
    /// Where the policy's α or plan is out of range.
    pub fn findings(&self, snapshot: &Snapshot, policy: &Policy) -> Result<Vec<Finding>, StatisticsError> {
        let mut findings = Vec::new();
        let nothing = Rollup::default();
        for (category, experiment) in &self.experiments {
            let sums = |arm: &str| experiment.sums.get(arm).unwrap_or(&nothing);
            let control = sums(CONTROL);
            for canary in snapshot.challengers(*category) {
                let treatment = sums(canary.id.as_str());
                let crisis = evidence(canary);
                let (a, b) = (control.arm(policy.alpha)?, treatment.arm(policy.alpha)?);
                let mut gates = evaluate(&a, &b, &crisis, policy)?;
                let (errors_a, errors_b) = (cautious(control), cautious(treatment));
                gates.push(error_gate(
                    errors_a.summary().as_ref(),
                    errors_b.summary().as_ref(),
                    policy,
                )?);
                let demotion = demotion_decision(&gates, crisis.confirmed_live_misses);
                if demotion.demote {
                    findings.push(Finding {
                        category: *category,
                        id: canary.id.clone(),
                        version: canary.version,
                        sessions: [a.sessions, b.sessions],
                        demotion,
                        gates,
                    });
                }
            }
        }
        Ok(findings)
    }
}

/// What is known of a variant and crises: whoever replays the corpus or confirms a miss leaves it with its figures.
#[must_use]
pub fn evidence(variant: &Variant) -> CrisisEvidence {
    let known = variant.metrics.get("crisis").cloned().unwrap_or_default();
    serde_json::from_value(known).unwrap_or_default()
}

/// Errors of each session, and two sessions more: one of errors only and one without. An arm in which every turn fails has no
/// variance, and is the last one that may go undetected (after Agresti and Caffo, as for crisis detection).
fn cautious(sums: &Rollup) -> PairMoments {
    let mut errors = sums.session_errors;
    let turns = sums.session_turns.mean().map_or(1, |mean| (mean as i64).max(1));
    errors.record(turns, turns);
    errors.record(0, turns);
    errors
}

impl Finding {
    /// The proven breaches with their figures, on one line.
    #[must_use]
    pub fn in_words(&self) -> String {
        let mut words = Vec::new();
        for reason in &self.demotion.reasons {
            match reason {
                Reason::ConfirmedLiveMiss { misses } => words.push(format!("{misses} confirmed missed crises")),
                Reason::GateFailed { gate } => {
                    words.extend(self.gates.iter().find(|result| result.gate == *gate).map(told));
                }
                _ => {}
            }
        }
        let [control, canary] = self.sessions;
        format!("{}; {control} and {canary} sessions", words.join("; "))
    }
}

fn told(result: &GateResult) -> String {
    let name = match result.gate {
        Gate::LatencyP95 => "p95 latency",
        Gate::CrisisDetection => "crisis detection",
        Gate::Satisfaction => "satisfaction",
        Gate::CostPerTurn => "cost per turn",
        Gate::ErrorRate => "error rate",
    };
    let (Some(estimate), Some(bounds)) = (result.estimate, result.interval) else {
        return format!("{name}: {}", result.note.unwrap_or("failed"));
    };
    debug_assert!(result.verdict == Verdict::Fail, "only what failed is told");
    let scale = |value: f64| match result.gate {
        Gate::Satisfaction => format!("{value:+.3}"),
        _ => format!("{:+.1} %", value * 100.0),
    };
    let proven = match result.gate {
        Gate::Satisfaction | Gate::CrisisDetection => bounds.upper,
        _ => bounds.lower,
    };
    let (estimate, proven, allowed) = (scale(estimate), scale(proven), scale(result.threshold));
    format!("{name} {estimate} (proven {proven}, allowed {allowed})")
}
