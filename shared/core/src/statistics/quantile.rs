//! Quantiles with an interval: turns of one session resemble each other, so that sessions are what is counted.

use super::error::probability;
use super::normal::normal_isf;
use super::sketch::rank;
use super::{Difference, Interval, Sketch, StatisticsError};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// A quantile and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileEstimate {
    /// The value at rank ⌈q·n⌉.
    pub value: f64,
    /// Between two order statistics; an end is infinite where there are too few observations to have one.
    pub interval: Interval,
    /// z that the interval was made with.
    pub critical: f64,
    /// Observations (turns).
    pub observations: u64,
    /// Randomised units (sessions).
    pub sessions: u64,
    /// How much more the share below the value varies than that of independent observations would.
    pub design_effect: f64,
}

impl QuantileEstimate {
    /// Standard error of the value's logarithm, by the interval's width; none where an end is infinite or not above 0.
    fn log_standard_error(&self) -> Option<f64> {
        let usable = self.interval.lower > 0.0 && self.interval.upper.is_finite() && self.critical > 0.0;
        usable.then(|| libm::log(self.interval.upper / self.interval.lower) / (2.0 * self.critical))
    }

    /// ln(treatment's quantile / this one): a relative change, for thresholds given in per cent.
    ///
    /// # Errors
    /// Where an interval has no end, or one that is not above 0.
    pub fn relative_difference_to(&self, treatment: &Self) -> Result<Difference, StatisticsError> {
        let few = StatisticsError::TooFew {
            what: "observations above the quantile",
            least: 2,
        };
        let before = self.log_standard_error().ok_or(few)?;
        let after = treatment.log_standard_error().ok_or(few)?;
        Difference::new(
            libm::log(treatment.value / self.value),
            libm::hypot(before, after),
            self.sessions.saturating_add(treatment.sessions),
        )
    }
}

/// The q-quantile of all observations, with the order-statistic interval at level 1 - `alpha`, clustered by session.
///
/// The interval's ranks are n (q ± z σ), outwards (W. J. Conover, "Practical Nonparametric Statistics"); σ is the standard
/// error of the share of observations that are not above the estimate, by the delta method over sessions (Deng, Knoblich, Lu,
/// KDD 2018), and never below that of independent observations.
///
/// # Errors
/// Where `q` or `alpha` is not between 0 and 1, an observation is not finite, or fewer than 2 sessions have any.
pub fn clustered_quantile<S: AsRef<[f64]>>(
    sessions: &[S],
    q: f64,
    alpha: f64,
) -> Result<QuantileEstimate, StatisticsError> {
    probability("the quantile", q)?;
    let critical = normal_isf(0.5 * probability("alpha", alpha)?);
    let mut values: Vec<f64> = sessions
        .iter()
        .flat_map(|session| session.as_ref().iter().copied())
        .collect();
    if !values.iter().all(|value| value.is_finite()) {
        return Err(StatisticsError::OutOfRange {
            what: "an observation",
            range: "a finite number",
        });
    }
    let filled = sessions.iter().filter(|session| !session.as_ref().is_empty()).count();
    if filled < 2 {
        return Err(StatisticsError::TooFew {
            what: "sessions",
            least: 2,
        });
    }
    values.sort_by(f64::total_cmp);
    let count = values.len() as u64;
    let at = |rank: u64| {
        values
            .get(usize::try_from(rank.saturating_sub(1)).unwrap_or(usize::MAX))
            .copied()
    };
    let value = at(rank(q, count)).unwrap_or(f64::NAN);
    let n = count as f64;
    let share = values.partition_point(|other| *other <= value) as f64 / n;
    let squares: f64 = sessions
        .iter()
        .map(|session| {
            let session = session.as_ref();
            let below = session.iter().filter(|other| **other <= value).count() as f64;
            let off = below - share * session.len() as f64;
            off * off
        })
        .sum();
    let groups = filled as f64;
    let variance = groups / (groups - 1.0) * squares / (n * n);
    let design_effect = variance / (q * (1.0 - q) / n);
    let (below, above) = ranks(q, critical, count, design_effect);
    Ok(QuantileEstimate {
        value,
        interval: Interval {
            lower: below.and_then(at).unwrap_or(f64::NEG_INFINITY),
            upper: above.and_then(at).unwrap_or(f64::INFINITY),
        },
        critical,
        observations: count,
        sessions: filled as u64,
        design_effect,
    })
}

/// The same from a sketch, which knows no sessions: their number and the design effect come with it.
///
/// [`Moments::largest_design_effect`](super::Moments::largest_design_effect) of turns per session bounds the design effect
/// from above. The ends are those of the sketch's buckets, outwards.
///
/// # Errors
/// Where `q` or `alpha` is not between 0 and 1, the design effect is not a number, or the sketch is empty.
pub fn sketched_quantile(
    sketch: &Sketch,
    q: f64,
    alpha: f64,
    sessions: u64,
    design_effect: f64,
) -> Result<QuantileEstimate, StatisticsError> {
    let critical = normal_isf(0.5 * probability("alpha", alpha)?);
    let observations = sketch.count();
    let value = sketch.quantile(q)?.ok_or(StatisticsError::TooFew {
        what: "observations",
        least: 1,
    })?;
    let design_effect = super::error::finite("the design effect", design_effect)?;
    let (below, above) = ranks(q, critical, observations, design_effect);
    let at = |rank: Option<u64>| rank.and_then(|rank| sketch.around(rank));
    Ok(QuantileEstimate {
        value,
        interval: Interval {
            lower: at(below).map_or(f64::NEG_INFINITY, |range| range.lower),
            upper: at(above).map_or(f64::INFINITY, |range| range.upper),
        },
        critical,
        observations,
        sessions,
        design_effect,
    })
}

/// Ranks, from 1, of the interval's ends; none where they fall outside.
fn ranks(q: f64, critical: f64, count: u64, design_effect: f64) -> (Option<u64>, Option<u64>) {
    let n = count as f64;
    let half = critical * libm::sqrt(n * q * (1.0 - q) * libm::fmax(1.0, design_effect));
    let (below, above) = (libm::floor(n * q - half), libm::ceil(n * q + half) + 1.0);
    (
        (below >= 1.0).then_some(below as u64),
        (above <= n).then_some(above as u64),
    )
}
