//! Two arms of an experiment, from their roll-ups: tests as people know them, tests that may be watched, gates, a decision.

use super::rollup::{Figures, Rollup};
use crate::statistics::{
    ConfidenceSequence, CrisisEvidence, Difference, Direction, Interval, NextStep, PairSummary, Policy, Proportion,
    Reason, SequentialRatioCheck, StatisticsError, Success, Verdict, evaluate, normal_isf, normal_sf,
    promotion_decision, ratio_difference, sequential_sample_ratio, two_proportions, welch,
};
use crate::variants::{Category, Snapshot};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use serde::Serialize;

/// An arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arm {
    /// `control` or `treatment`.
    pub role: &'static str,
    /// The variant.
    pub id: String,
    /// Sessions in the analysis: those without a crisis override.
    pub analysed_sessions: u64,
    /// Persons who were enrolled on a day of the range.
    pub new_persons: u64,
    /// The rest.
    #[serde(flatten)]
    pub figures: Figures,
}

/// An interval and its p-value; an end that says nothing is `null`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Band {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided.
    pub p: f64,
}

/// A metric, compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Test {
    /// The metric.
    pub metric: &'static str,
    /// Treatment minus control, in the metric's unit; of `latency_p95_ms` the relative change. None without enough data.
    pub estimate: Option<f64>,
    /// Valid at one moment that was fixed before the data were seen.
    pub fixed: Option<Band>,
    /// Valid however often one looks.
    pub always_valid: Option<Band>,
}

/// A gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateShown {
    name: crate::statistics::Gate,
    verdict: Verdict,
    estimate: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    threshold: f64,
    note: Option<&'static str>,
}

/// Whether the arms hold the shares that they were given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SampleRatio {
    /// Of the sequential check; none where the shares were not constant, or nobody is enrolled.
    pub p: Option<f64>,
    /// Whether assignment or logging is broken.
    pub alarm: bool,
}

/// The decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdicts {
    /// Whether nothing stands against promotion.
    pub promote: bool,
    /// What to do now.
    pub next: NextStep,
    /// All that stands against it.
    pub reasons: Vec<serde_json::Value>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Control, then treatment.
    pub arms: Vec<Arm>,
    /// The metrics.
    pub tests: Vec<Test>,
    /// The gates.
    pub gates: Vec<GateShown>,
    /// The sample ratio.
    pub sample_ratio: SampleRatio,
    /// The decision.
    pub decision: Verdicts,
}

/// The shares of control and treatment among a category's people, by the registry; none where a challenger is open to some
/// cohorts only, where an arm takes no traffic, or where the category is switched off.
#[must_use]
pub fn expected_shares(snapshot: &Snapshot, category: Category, control: &str, treatment: &str) -> Option<[f64; 2]> {
    if snapshot.killed().contains(&category) {
        return None;
    }
    let sides = category.exclusion().map_or(1.0, |exclusion| f64::from(exclusion.sides));
    let mut left = 1.0;
    for challenger in snapshot.challengers(category) {
        if !challenger.cohorts.contains(&crate::variants::Cohort::All) {
            return None;
        }
        left -= f64::from(challenger.rollout_basis_points()) / 10_000.0 / sides;
    }
    let defaults = snapshot.defaults(category).count().max(1) as f64;
    let share = |id: &str| {
        let challenger = snapshot.challengers(category).find(|variant| variant.id == *id);
        let is_default = snapshot.defaults(category).any(|variant| variant.id == *id);
        challenger
            .map(|variant| f64::from(variant.rollout_basis_points()) / 10_000.0 / sides)
            .or(is_default.then_some(left / defaults))
            .filter(|share| *share > 0.0)
    };
    Some([share(control)?, share(treatment)?])
}

/// Compares. `expected` are the shares of the arms where they are known and did not change; `crisis` is what is known of the
/// treatment and crises.
///
/// The success metrics are fixed: satisfaction up, cost per turn down, Holm over both.
///
/// # Errors
/// Where the policy's α or plan is out of range; data that allow no answer are none, not an error.
pub fn compare(
    control: (&str, &Rollup),
    treatment: (&str, &Rollup),
    expected: Option<[f64; 2]>,
    crisis: &CrisisEvidence,
    policy: &Policy,
) -> Result<Comparison, StatisticsError> {
    let sequence = ConfidenceSequence::new(policy.alpha, policy.planned)?;
    let looks = Looks {
        sequence,
        alpha: policy.alpha,
    };
    let (a, b) = (control.1, treatment.1);
    let (arm_a, arm_b) = (a.arm(policy.alpha)?, b.arm(policy.alpha)?);
    let latency = arm_a
        .latency_p95
        .zip(arm_b.latency_p95)
        .and_then(|(a, b)| a.relative_difference_to(&b).ok());
    let satisfaction = looks.means(&a.satisfaction(), &b.satisfaction());
    let cost = ratios(&a.session_cost.summary(), &b.session_cost.summary());
    let successes = [
        ("satisfaction", satisfaction.0, Direction::Up),
        ("cost_per_turn_micros", cost, Direction::Down),
    ]
    .map(|(name, difference, better)| Success {
        name: name.into(),
        difference,
        better,
    });
    let turns = looks.means(&a.session_turns.sample(), &b.session_turns.sample());
    let tests = vec![
        looks.test("satisfaction", satisfaction),
        looks.rates("return_rate", a.returns(), b.returns()),
        looks.rates("crisis_rate", a.crises(), b.crises()),
        looks.by_normal(
            "error_rate",
            ratios(&a.session_errors.summary(), &b.session_errors.summary()),
        ),
        looks.by_normal("cost_per_turn_micros", cost),
        looks.relative("latency_p95_ms", latency),
        looks.test("turns_per_session", turns),
    ];
    let gates = evaluate(&arm_a, &arm_b, crisis, policy)?;
    let ratio = expected.and_then(|shares| sequential_sample_ratio(&[a.new_persons, b.new_persons], &shares).ok());
    let unknown = SequentialRatioCheck {
        log_e_value: 0.0,
        p_value: 1.0,
    };
    let decision = promotion_decision(
        arm_a.sessions,
        arm_b.sessions,
        &successes,
        &gates,
        &ratio.unwrap_or(unknown),
        policy,
    )?;
    Ok(Comparison {
        arms: vec![arm("control", control), arm("treatment", treatment)],
        tests,
        gates: gates
            .iter()
            .map(|result| GateShown {
                name: result.gate,
                verdict: result.verdict,
                estimate: result.estimate,
                low: result.interval.map(|interval| interval.lower),
                high: result.interval.map(|interval| interval.upper),
                threshold: result.threshold,
                note: result.note,
            })
            .collect(),
        sample_ratio: SampleRatio {
            p: ratio.map(|ratio| ratio.p_value),
            alarm: ratio.is_some_and(|ratio| ratio.is_mismatch(policy.sample_ratio_alpha)),
        },
        decision: verdicts(decision.promote, decision.next, &decision.reasons, ratio.is_some()),
    })
}

fn arm(role: &'static str, (id, rollup): (&str, &Rollup)) -> Arm {
    Arm {
        role,
        id: id.into(),
        analysed_sessions: rollup.session_turns.count(),
        new_persons: rollup.new_persons,
        figures: rollup.figures(),
    }
}

/// Nothing is promoted whose sample ratio was not checked.
fn verdicts(promote: bool, next: NextStep, reasons: &[Reason], ratio_is_known: bool) -> Verdicts {
    let mut shown: Vec<serde_json::Value> = reasons
        .iter()
        .filter_map(|reason| serde_json::to_value(reason).ok())
        .collect();
    if !ratio_is_known {
        shown.push(serde_json::json!({"reason": "sample_ratio_unknown"}));
    }
    Verdicts {
        promote: promote && ratio_is_known,
        next: match next {
            NextStep::ReadyForReview if !ratio_is_known => NextStep::CollectMore,
            next => next,
        },
        reasons: shown,
    }
}

fn ratios(control: &Option<PairSummary>, treatment: &Option<PairSummary>) -> Option<Difference> {
    ratio_difference(control.as_ref()?, treatment.as_ref()?).ok()
}

/// A difference, and what a fixed test of its own says of it.
type Tested = (Option<Difference>, Option<Band>);

struct Looks {
    sequence: ConfidenceSequence,
    alpha: f64,
}

impl Looks {
    fn means(
        &self,
        control: &Option<crate::statistics::Sample>,
        treatment: &Option<crate::statistics::Sample>,
    ) -> Tested {
        let (Some(a), Some(b)) = (control, treatment) else {
            return (None, None);
        };
        let fixed = welch(a, b, self.alpha).ok();
        (
            a.difference_to(b).ok(),
            fixed.map(|test| band(test.interval, test.p_value)),
        )
    }

    fn rates(&self, metric: &'static str, control: Option<Proportion>, treatment: Option<Proportion>) -> Test {
        let (Some(a), Some(b)) = (control, treatment) else {
            return self.test(metric, (None, None));
        };
        let fixed = two_proportions(&a, &b, self.alpha).ok();
        let difference = a.difference_to(&b).ok();
        let mut test = self.test(
            metric,
            (difference, fixed.map(|test| band(test.interval, test.p_value))),
        );
        // Two arms that do not vary have no test, but a difference.
        test.estimate = test.estimate.or(Some(b.rate() - a.rate()));
        test
    }

    /// By the normal distribution, for estimates whose standard error the delta method gives.
    fn by_normal(&self, metric: &'static str, difference: Option<Difference>) -> Test {
        let fixed = difference.map(|difference| self.normal(&difference));
        self.test(metric, (difference, fixed))
    }

    /// A difference of logarithms, told in shares.
    fn relative(&self, metric: &'static str, difference: Option<Difference>) -> Test {
        let share = |band: Band| Band {
            low: libm::expm1(band.low),
            high: libm::expm1(band.high),
            p: band.p,
        };
        let test = self.by_normal(metric, difference);
        Test {
            metric,
            estimate: test.estimate.map(libm::expm1),
            fixed: test.fixed.map(share),
            always_valid: test.always_valid.map(share),
        }
    }

    fn test(&self, metric: &'static str, (difference, fixed): Tested) -> Test {
        Test {
            metric,
            estimate: difference.map(|difference| difference.estimate),
            fixed,
            always_valid: difference
                .map(|difference| band(self.sequence.interval(&difference), self.sequence.p_value(&difference))),
        }
    }

    fn normal(&self, difference: &Difference) -> Band {
        let half = normal_isf(0.5 * self.alpha) * difference.standard_error;
        let p = 2.0 * normal_sf(libm::fabs(difference.z()));
        band(Interval::around(difference.estimate, half), p)
    }
}

fn band(interval: Interval, p: f64) -> Band {
    Band {
        low: interval.lower,
        high: interval.upper,
        p,
    }
}
