//! One experiment after another, each looked at every 50 sessions.

use super::metric::{Kind, Look, Sums};
use super::random::Random;
use silent_core::statistics::{
    ArmSummary, ConfidenceSequence, Difference, Direction, Gate, GateResult, Policy, SequentialRatioCheck,
    StatisticsError, Success, Verdict, promotion_decision, satisfaction_gate,
};

/// How experiments are run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) experiments: u64,
    pub(crate) seed: u64,
    pub(crate) alpha: f64,
    pub(crate) planned: u64,
    /// Sessions per arm between looks.
    pub(crate) look_every: u64,
    /// Sessions per arm at the last look.
    pub(crate) longest: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            experiments: 2_000,
            seed: 1,
            alpha: 0.05,
            planned: 5_000,
            look_every: 50,
            longest: 10_000,
        }
    }
}

impl Plan {
    pub(crate) fn sequence(&self) -> Result<ConfidenceSequence, StatisticsError> {
        ConfidenceSequence::new(self.alpha, self.planned)
    }

    fn policy(&self) -> Policy {
        Policy {
            alpha: self.alpha,
            planned: self.planned,
            ..Policy::default()
        }
    }
}

/// Sessions per arm at which a winner was first called, if ever, and what the satisfaction gate ever said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) naive: Option<u64>,
    pub(crate) ours: Option<u64>,
    pub(crate) gate_passed: bool,
    pub(crate) gate_failed: bool,
}

/// All experiments of a plan, in their order, on every core.
pub(crate) fn run_all(kind: Kind, lift: f64, plan: &Plan) -> Vec<Outcome> {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let each = plan.experiments.div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|part| {
                let numbers = part * each..((part + 1) * each).min(plan.experiments);
                scope.spawn(move || {
                    numbers
                        .map(|number| one(kind, lift, plan, number))
                        .collect::<Vec<Outcome>>()
                })
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_default())
            .collect()
    })
}

fn one(kind: Kind, lift: f64, plan: &Plan, number: u64) -> Outcome {
    let mut random = Random::new(plan.seed, (number << 4) | kind as u64);
    let (mut control, mut treatment) = (Sums::default(), Sums::default());
    let (policy, gates) = (plan.policy(), all_passed());
    let mut outcome = Outcome::default();
    for look in 1..=plan.longest / plan.look_every {
        control.add(kind, plan.look_every, &mut random, 0.0);
        treatment.add(kind, plan.look_every, &mut random, lift);
        let sessions = look * plan.look_every;
        if kind == Kind::Rating {
            gate(&control, &treatment, &policy, &mut outcome);
        }
        let Some(seen) = kind.look(&control, &treatment, plan.alpha) else {
            continue;
        };
        if outcome.naive.is_none() && sessions > policy.promotion_sessions && seen.fixed_p < plan.alpha {
            outcome.naive = Some(sessions);
        }
        if outcome.ours.is_none() && promotes(seen, sessions, &gates, &policy) {
            outcome.ours = Some(sessions);
        }
        // Nothing more can happen, but to the gate.
        if outcome.naive.is_some() && outcome.ours.is_some() && kind != Kind::Rating {
            break;
        }
    }
    outcome
}

/// Whether either variant would be promoted, by the platform's own decision.
fn promotes(seen: Look, sessions: u64, gates: &[GateResult], policy: &Policy) -> bool {
    let success = Success {
        name: String::new(),
        difference: Some(Difference {
            estimate: seen.difference.estimate.abs(),
            ..seen.difference
        }),
        better: Direction::Up,
    };
    let even = SequentialRatioCheck {
        log_e_value: 0.0,
        p_value: 1.0,
    };
    promotion_decision(sessions, sessions, &[success], gates, &even, policy).is_ok_and(|decision| decision.promote)
}

fn gate(control: &Sums, treatment: &Sums, policy: &Policy, outcome: &mut Outcome) {
    let arm = |sums: &Sums| {
        let sample = sums.sample();
        ArmSummary {
            sessions: sample.count,
            satisfaction: Some(sample),
            ..ArmSummary::default()
        }
    };
    match satisfaction_gate(&arm(control), &arm(treatment), policy).map(|result| result.verdict) {
        Ok(Verdict::Pass) => outcome.gate_passed = true,
        Ok(Verdict::Fail) => outcome.gate_failed = true,
        _ => {}
    }
}

/// Gates that stand in nobody's way: what is simulated is the success metric.
fn all_passed() -> Vec<GateResult> {
    let passed = |gate| GateResult {
        gate,
        verdict: Verdict::Pass,
        estimate: None,
        interval: None,
        threshold: 0.0,
        note: None,
    };
    Gate::ALL.map(passed).to_vec()
}
