//! Means: Welch's test, which lets the arms vary differently.

use super::error::{finite, probability};
use super::student::{student_isf, student_sf};
use super::{Difference, Interval, StatisticsError};
use serde::{Deserialize, Serialize};

/// A sample's summary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Units; at least 2 for a test.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Their variance, with count - 1 below.
    pub variance: f64,
}

/// What Welch's test says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Welch {
    /// Treatment's mean minus control's.
    pub difference: f64,
    /// In standard errors.
    pub t: f64,
    /// Degrees of freedom (Welch-Satterthwaite).
    pub df: f64,
    /// Two-sided.
    pub p_value: f64,
    /// Of the difference.
    pub interval: Interval,
}

impl Sample {
    /// How far `treatment` is above this mean.
    ///
    /// # Errors
    /// Where an arm has fewer than 2 units, a number is not finite, a variance is below 0, or nothing varies.
    pub fn difference_to(&self, treatment: &Self) -> Result<Difference, StatisticsError> {
        Difference::new(
            treatment.mean - self.mean,
            libm::sqrt(self.mean_variance()? + treatment.mean_variance()?),
            self.count.saturating_add(treatment.count),
        )
    }

    /// Variance of the mean.
    fn mean_variance(&self) -> Result<f64, StatisticsError> {
        if self.count < 2 {
            return Err(StatisticsError::TooFew {
                what: "units of an arm",
                least: 2,
            });
        }
        finite("the mean", self.mean)?;
        if finite("the variance", self.variance)? < 0.0 {
            return Err(StatisticsError::OutOfRange {
                what: "the variance",
                range: "at least 0",
            });
        }
        Ok(self.variance / self.count as f64)
    }
}

/// Compares two means at a moment fixed before the data were seen (B. L. Welch, Biometrika 34, 1947).
///
/// # Errors
/// As [`Sample::difference_to`].
pub fn welch(control: &Sample, treatment: &Sample, alpha: f64) -> Result<Welch, StatisticsError> {
    probability("alpha", alpha)?;
    let difference = control.difference_to(treatment)?;
    let (a, b) = (control.mean_variance()?, treatment.mean_variance()?);
    // As shares of their sum, whose square could underflow.
    let (a, b) = (a / (a + b), b / (a + b));
    let df = 1.0 / (a * a / (control.count as f64 - 1.0) + b * b / (treatment.count as f64 - 1.0));
    let t = difference.z();
    Ok(Welch {
        difference: difference.estimate,
        t,
        df,
        p_value: 2.0 * student_sf(libm::fabs(t), df),
        interval: Interval::around(
            difference.estimate,
            student_isf(0.5 * alpha, df) * difference.standard_error,
        ),
    })
}
