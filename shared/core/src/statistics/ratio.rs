//! Ratio metrics such as cost per turn, where the unit that was randomised is the session: the delta method.

use super::{Difference, StatisticsError};
use serde::{Deserialize, Serialize};

/// Summary of two values of each unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairSummary {
    /// Units; at least 2.
    pub count: u64,
    /// Mean of the first value: a ratio's numerator, or a metric during the experiment.
    pub first_mean: f64,
    /// Mean of the second: a ratio's denominator, or the metric before the experiment.
    pub second_mean: f64,
    /// Variance of the first, with count - 1 below.
    pub first_variance: f64,
    /// Variance of the second.
    pub second_variance: f64,
    /// Covariance of the two.
    pub covariance: f64,
}

impl PairSummary {
    /// First over second, over all units together.
    ///
    /// # Errors
    /// Where there are fewer than 2 units or the second mean is 0.
    pub fn ratio(&self) -> Result<f64, StatisticsError> {
        if self.count < 2 {
            return Err(StatisticsError::TooFew {
                what: "units of an arm",
                least: 2,
            });
        }
        if self.second_mean == 0.0 {
            return Err(StatisticsError::OutOfRange {
                what: "the mean denominator",
                range: "other than 0",
            });
        }
        Ok(self.first_mean / self.second_mean)
    }

    /// Variance of the ratio as an estimate (A. Deng, U. Knoblich, J. Lu, "Applying the delta method in metric analytics",
    /// KDD 2018).
    fn ratio_variance(&self) -> Result<f64, StatisticsError> {
        let ratio = self.ratio()?;
        let linear = self.first_variance - 2.0 * ratio * self.covariance + ratio * ratio * self.second_variance;
        // Rounding can leave a little below 0 where the two are proportional.
        Ok(libm::fmax(0.0, linear) / (self.second_mean * self.second_mean * self.count as f64))
    }
}

/// Treatment's ratio minus control's.
///
/// # Errors
/// As [`PairSummary::ratio`], and [`StatisticsError::NoVariation`].
pub fn ratio_difference(control: &PairSummary, treatment: &PairSummary) -> Result<Difference, StatisticsError> {
    Difference::new(
        treatment.ratio()? - control.ratio()?,
        libm::sqrt(control.ratio_variance()? + treatment.ratio_variance()?),
        control.count.saturating_add(treatment.count),
    )
}

/// ln(treatment's ratio / control's): a relative change, for thresholds given in per cent.
///
/// # Errors
/// As [`ratio_difference`], and where a ratio is not above 0.
pub fn relative_ratio_difference(
    control: &PairSummary,
    treatment: &PairSummary,
) -> Result<Difference, StatisticsError> {
    let (before, after) = (control.ratio()?, treatment.ratio()?);
    if before <= 0.0 || after <= 0.0 {
        return Err(StatisticsError::OutOfRange {
            what: "a ratio to be compared in per cent",
            range: "above 0",
        });
    }
    let variance = control.ratio_variance()? / (before * before) + treatment.ratio_variance()? / (after * after);
    Difference::new(
        libm::log(after / before),
        libm::sqrt(variance),
        control.count.saturating_add(treatment.count),
    )
}
