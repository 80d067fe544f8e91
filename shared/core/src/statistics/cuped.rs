//! CUPED: what was known of a unit before the experiment takes noise out of what is measured during it.

use super::{PairSummary, Sample, StatisticsError};
use serde::Serialize;

/// Both arms with the past taken out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Adjusted {
    /// How much of the past value is taken off.
    pub theta: f64,
    /// Control, for [`welch`](super::welch) or an always-valid interval.
    pub control: Sample,
    /// Treatment.
    pub treatment: Sample,
    /// Share of the variance that went, 0 to 1.
    pub variance_removed: f64,
}

/// Takes `theta` times the past value (`second`) off the present one (`first`), with one `theta` for both arms.
///
/// A. Deng, Y. Xu, R. Kohavi, T. Walker, "Improving the sensitivity of online controlled experiments by utilizing
/// pre-experiment data" (WSDM 2013); θ from the pooled sample, arm means included, as PyPI `gbstats` does. The past must be
/// from before enrolment: what the treatment can have touched biases the result.
///
/// # Errors
/// Where an arm has fewer than 2 units, or the past does not vary.
pub fn adjust(control: &PairSummary, treatment: &PairSummary) -> Result<Adjusted, StatisticsError> {
    if control.count < 2 || treatment.count < 2 {
        return Err(StatisticsError::TooFew {
            what: "units of an arm",
            least: 2,
        });
    }
    let (n1, n2) = (control.count as f64, treatment.count as f64);
    let between = n1 * n2 / (n1 + n2);
    let past_gap = treatment.second_mean - control.second_mean;
    let gap = treatment.first_mean - control.first_mean;
    let covariance = (n1 - 1.0) * control.covariance + (n2 - 1.0) * treatment.covariance + between * past_gap * gap;
    let variance =
        (n1 - 1.0) * control.second_variance + (n2 - 1.0) * treatment.second_variance + between * past_gap * past_gap;
    if variance <= 0.0 {
        return Err(StatisticsError::NoVariation);
    }
    let theta = covariance / variance;
    let (a, b) = (take_off(control, theta), take_off(treatment, theta));
    let before = control.first_variance / n1 + treatment.first_variance / n2;
    let after = a.variance / n1 + b.variance / n2;
    Ok(Adjusted {
        theta,
        control: a,
        treatment: b,
        variance_removed: if before > 0.0 {
            libm::fmax(0.0, 1.0 - after / before)
        } else {
            0.0
        },
    })
}

fn take_off(arm: &PairSummary, theta: f64) -> Sample {
    let variance = arm.first_variance - 2.0 * theta * arm.covariance + theta * theta * arm.second_variance;
    Sample {
        count: arm.count,
        mean: arm.first_mean - theta * arm.second_mean,
        variance: libm::fmax(0.0, variance),
    }
}
