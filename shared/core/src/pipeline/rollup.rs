//! The figures of one variant, one day: whole numbers and sketches that add up.

use crate::statistics::{
    ArmSummary, Moments, PairMoments, Proportion, Sample, Sketch, StatisticsError, sketched_quantile,
};
use serde::{Deserialize, Serialize};

/// Satisfaction is kept in millionths of the scale 0 to 1.
const MICROS: f64 = 1e6;

/// Sums over the sessions of a variant on a day; of several days, merged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollup {
    /// Sessions with a turn of the variant, those of `crisis_sessions` included.
    pub sessions: u64,
    /// Of these, those with a crisis override on the day: they leave everything below but the persons.
    pub crisis_sessions: u64,
    /// Persons with a session.
    pub persons: u64,
    /// Of these, those whose id was made on the day: each person once, whatever the range of days.
    pub new_persons: u64,
    /// Of the persons, those with a turn on one of the seven days after.
    pub returned: u64,
    /// Turns.
    pub turns: u64,
    /// Turns that failed or were interrupted.
    pub errors: u64,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Known cost.
    pub cost_micros: u64,
    /// Turns whose cost is known.
    pub priced_turns: u64,
    /// Turns that were rated.
    pub ratings: u64,
    /// From the start of work to the end, of full answers, milliseconds.
    pub latency_ms: Sketch,
    /// To the first token, milliseconds.
    pub ttft_ms: Sketch,
    /// Turns of each session.
    pub session_turns: Moments,
    /// Errors and turns of each session.
    pub session_errors: PairMoments,
    /// Cost in micros and turns with a known cost, of each session that has one.
    pub session_cost: PairMoments,
    /// Mean of each session that rated, in millionths.
    pub session_satisfaction: Moments,
}

/// What people read of a roll-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Turns.
    pub turns: u64,
    /// Sessions, those with a crisis override included.
    pub sessions: u64,
    /// Median latency, milliseconds.
    pub latency_p50_ms: Option<f64>,
    /// 95th percentile of latency, milliseconds.
    pub latency_p95_ms: Option<f64>,
    /// Median time to the first token, milliseconds.
    pub ttft_p50_ms: Option<f64>,
    /// 95th percentile of the time to the first token, milliseconds.
    pub ttft_p95_ms: Option<f64>,
    /// Micros for a turn whose cost is known.
    pub cost_per_turn_micros: Option<f64>,
    /// Mean over the sessions that rated, 0 to 1.
    pub satisfaction: Option<f64>,
    /// Turns that were rated.
    pub ratings: u64,
    /// Share of the persons who came back within seven days.
    pub return_rate: Option<f64>,
    /// Share of the sessions that a crisis overrode.
    pub crisis_rate: Option<f64>,
    /// Share of the turns that failed.
    pub error_rate: Option<f64>,
    /// Tokens read.
    pub tokens_in: u64,
    /// Tokens written.
    pub tokens_out: u64,
    /// Known cost.
    pub cost_micros: u64,
}

impl Rollup {
    /// Adds another roll-up's sums.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.sessions, other.sessions),
            (&mut self.crisis_sessions, other.crisis_sessions),
            (&mut self.persons, other.persons),
            (&mut self.new_persons, other.new_persons),
            (&mut self.returned, other.returned),
            (&mut self.turns, other.turns),
            (&mut self.errors, other.errors),
            (&mut self.tokens_in, other.tokens_in),
            (&mut self.tokens_out, other.tokens_out),
            (&mut self.cost_micros, other.cost_micros),
            (&mut self.priced_turns, other.priced_turns),
            (&mut self.ratings, other.ratings),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.latency_ms.merge(&other.latency_ms);
        self.ttft_ms.merge(&other.ttft_ms);
        self.session_turns.merge(&other.session_turns);
        self.session_errors.merge(&other.session_errors);
        self.session_cost.merge(&other.session_cost);
        self.session_satisfaction.merge(&other.session_satisfaction);
    }

    /// The figures for people.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let quantile = |sketch: &Sketch, q| sketch.quantile(q).ok().flatten();
        Figures {
            turns: self.turns,
            sessions: self.sessions,
            latency_p50_ms: quantile(&self.latency_ms, 0.5),
            latency_p95_ms: quantile(&self.latency_ms, 0.95),
            ttft_p50_ms: quantile(&self.ttft_ms, 0.5),
            ttft_p95_ms: quantile(&self.ttft_ms, 0.95),
            cost_per_turn_micros: share(self.cost_micros, self.priced_turns),
            satisfaction: self.session_satisfaction.mean().map(|mean| mean / MICROS),
            ratings: self.ratings,
            return_rate: share(self.returned, self.persons),
            crisis_rate: share(self.crisis_sessions, self.sessions),
            error_rate: share(self.errors, self.turns),
            tokens_in: self.tokens_in,
            tokens_out: self.tokens_out,
            cost_micros: self.cost_micros,
        }
    }

    /// Satisfaction of the sessions that rated, 0 to 1.
    #[must_use]
    pub fn satisfaction(&self) -> Option<Sample> {
        self.session_satisfaction.sample().map(|sample| Sample {
            count: sample.count,
            mean: sample.mean / MICROS,
            variance: sample.variance / (MICROS * MICROS),
        })
    }

    /// Sessions that a crisis overrode, of all.
    #[must_use]
    pub fn crises(&self) -> Option<Proportion> {
        Proportion::new(self.crisis_sessions, self.sessions).ok()
    }

    /// Persons who came back, of all.
    #[must_use]
    pub fn returns(&self) -> Option<Proportion> {
        Proportion::new(self.returned, self.persons).ok()
    }

    /// What the gates ask of an arm.
    ///
    /// The sketch knows no sessions, so that the design effect is bounded by that of the turns per session.
    ///
    /// # Errors
    /// Where `alpha` is out of range.
    pub fn arm(&self, alpha: f64) -> Result<ArmSummary, StatisticsError> {
        let sessions = self.session_turns.count();
        let latency_p95 = match self.session_turns.largest_design_effect() {
            Some(effect) if self.latency_ms.count() > 0 => {
                Some(sketched_quantile(&self.latency_ms, 0.95, alpha, sessions, effect)?)
            }
            _ => None,
        };
        Ok(ArmSummary {
            sessions,
            latency_p95,
            satisfaction: self.satisfaction(),
            cost_per_turn: self.session_cost.summary(),
        })
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
