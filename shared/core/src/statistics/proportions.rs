//! Rates: one (Wilson) and two (z with the pooled variance, Newcombe's interval).

use super::error::probability;
use super::normal::{normal_isf, normal_sf};
use super::{Difference, Interval, StatisticsError};
use serde::{Deserialize, Serialize};

/// So many of so many; `trials` is at least 1 and `successes` not above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Counts")]
pub struct Proportion {
    successes: u64,
    trials: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Counts {
    successes: u64,
    trials: u64,
}

impl TryFrom<Counts> for Proportion {
    type Error = StatisticsError;
    fn try_from(counts: Counts) -> Result<Self, StatisticsError> {
        Self::new(counts.successes, counts.trials)
    }
}

/// What the z test says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ProportionTest {
    /// Treatment's rate minus control's.
    pub difference: f64,
    /// In standard errors of the pooled rate.
    pub z: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Newcombe's interval of the difference.
    pub interval: Interval,
}

impl Proportion {
    /// `successes` of `trials`.
    ///
    /// # Errors
    /// Where there is no trial, or more successes than trials.
    pub fn new(successes: u64, trials: u64) -> Result<Self, StatisticsError> {
        if trials == 0 {
            return Err(StatisticsError::TooFew {
                what: "trials",
                least: 1,
            });
        }
        if successes > trials {
            return Err(StatisticsError::OutOfRange {
                what: "the number of successes",
                range: "at most the number of trials",
            });
        }
        Ok(Self { successes, trials })
    }

    /// How many succeeded.
    #[must_use]
    pub fn successes(&self) -> u64 {
        self.successes
    }

    /// How many there were.
    #[must_use]
    pub fn trials(&self) -> u64 {
        self.trials
    }

    /// The share of successes.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.successes as f64 / self.trials as f64
    }

    /// Variance of one trial, p (1 - p).
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.rate() * ((self.trials - self.successes) as f64 / self.trials as f64)
    }

    /// Wilson's score interval (E. B. Wilson, 1927), at `z` standard errors.
    #[must_use]
    pub fn wilson(&self, z: f64) -> Interval {
        let (n, p, square) = (self.trials as f64, self.rate(), z * z);
        let centre = (p + square / (2.0 * n)) / (1.0 + square / n);
        let half = z / (1.0 + square / n) * libm::sqrt(self.variance() / n + square / (4.0 * n * n));
        let mut interval = Interval::around(centre, half);
        // Rounding must not move an end that is exactly 0 or 1.
        if self.successes == 0 {
            interval.lower = 0.0;
        }
        if self.successes == self.trials {
            interval.upper = 1.0;
        }
        interval
    }

    /// How far `treatment` is above this rate, with the unpooled standard error that the always-valid interval needs.
    ///
    /// # Errors
    /// [`StatisticsError::NoVariation`] where neither arm varies.
    pub fn difference_to(&self, treatment: &Self) -> Result<Difference, StatisticsError> {
        let variance = self.variance() / self.trials as f64 + treatment.variance() / treatment.trials as f64;
        Difference::new(
            rate_difference(self, treatment),
            libm::sqrt(variance),
            self.trials.saturating_add(treatment.trials),
        )
    }
}

/// By integers, so that equal rates differ by exactly 0.
fn rate_difference(control: &Proportion, treatment: &Proportion) -> f64 {
    let product = |a: u64, b: u64| i128::from(a).checked_mul(i128::from(b));
    let exact = product(treatment.successes, control.trials)
        .zip(product(control.successes, treatment.trials))
        .and_then(|(up, down)| up.checked_sub(down));
    match exact {
        Some(numerator) => numerator as f64 / (control.trials as f64 * treatment.trials as f64),
        None => treatment.rate() - control.rate(),
    }
}

/// Compares two rates at a moment fixed before the data were seen.
///
/// z with the pooled variance; R. G. Newcombe, Statistics in Medicine 17 (1998), method 10, for the interval.
///
/// # Errors
/// [`StatisticsError::NoVariation`] where all trials of both arms ended alike.
pub fn two_proportions(
    control: &Proportion,
    treatment: &Proportion,
    alpha: f64,
) -> Result<ProportionTest, StatisticsError> {
    let critical = normal_isf(0.5 * probability("alpha", alpha)?);
    let (n1, n2) = (control.trials as f64, treatment.trials as f64);
    let pooled = (control.successes as f64 + treatment.successes as f64) / (n1 + n2);
    let failed =
        ((control.trials - control.successes) as f64 + (treatment.trials - treatment.successes) as f64) / (n1 + n2);
    let variance = pooled * failed * (1.0 / n1 + 1.0 / n2);
    if variance <= 0.0 {
        return Err(StatisticsError::NoVariation);
    }
    let difference = rate_difference(control, treatment);
    let z = difference / libm::sqrt(variance);
    let (below, above) = (control.wilson(critical), treatment.wilson(critical));
    Ok(ProportionTest {
        difference,
        z,
        p_value: 2.0 * normal_sf(libm::fabs(z)),
        interval: Interval {
            lower: difference - libm::hypot(treatment.rate() - above.lower, below.upper - control.rate()),
            upper: difference + libm::hypot(above.upper - treatment.rate(), control.rate() - below.lower),
        },
    })
}
