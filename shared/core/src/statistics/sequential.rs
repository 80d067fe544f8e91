//! Intervals that are valid however often one looks, and whenever one stops.

use super::error::probability;
use super::{Difference, Interval, StatisticsError};

/// An asymptotic confidence sequence: Robbins' normal mixture with an estimated variance.
///
/// I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy, A. Ramdas, "Time-uniform central limit theory and asymptotic
/// confidence sequences" (Annals of Statistics 2024), as experiment platforms use it. It is asymptotic: with a few dozen
/// units it promises nothing, which is why promotion has a floor of sessions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfidenceSequence {
    alpha: f64,
    rho_two_sided: f64,
    rho_one_sided: f64,
}

impl ConfidenceSequence {
    /// Level 1 - `alpha`; `planned` is the number of units of both arms at which the interval shall be tightest. It must be
    /// fixed before the data are seen: one that follows the data is not valid.
    ///
    /// # Errors
    /// Where `alpha` is not between 0 and ½, or `planned` is 0.
    pub fn new(alpha: f64, planned: u64) -> Result<Self, StatisticsError> {
        probability("alpha", alpha)?;
        if alpha >= 0.5 {
            return Err(StatisticsError::OutOfRange {
                what: "alpha",
                range: "below 0.5",
            });
        }
        if planned == 0 {
            return Err(StatisticsError::TooFew {
                what: "planned units",
                least: 1,
            });
        }
        // The mixture's spread that makes the boundary tightest at `planned`, approximately.
        let rho = |alpha: f64| {
            let tail = -2.0 * libm::log(alpha);
            libm::sqrt((tail + libm::log1p(tail)) / planned as f64)
        };
        Ok(Self {
            alpha,
            rho_two_sided: rho(alpha),
            // One side at α spends what two sides at 2α do.
            rho_one_sided: rho(2.0 * alpha),
        })
    }

    /// Contains the true difference at every look at once, with probability 1 - α.
    #[must_use]
    pub fn interval(&self, difference: &Difference) -> Interval {
        let spread = spread(difference.units, self.rho_two_sided);
        let log = 0.5 * libm::log(spread) - libm::log(self.alpha);
        Interval::around(difference.estimate, half_width(difference, spread, log))
    }

    /// The smallest α at which the interval, with the same spread, excludes 0; also valid at every look.
    #[must_use]
    pub fn p_value(&self, difference: &Difference) -> f64 {
        let spread = spread(difference.units, self.rho_two_sided);
        libm::fmin(1.0, libm::sqrt(spread) * libm::exp(-exponent(difference, spread)))
    }

    /// The true difference is above this, at every look at once, with probability 1 - α.
    ///
    /// The one-sided normal mixture, in the closed form that bounds it (S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon,
    /// "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 2021).
    #[must_use]
    pub fn lower_bound(&self, difference: &Difference) -> f64 {
        difference.estimate - self.one_sided_width(difference)
    }

    /// The true difference is below this, at every look at once, with probability 1 - α.
    #[must_use]
    pub fn upper_bound(&self, difference: &Difference) -> f64 {
        difference.estimate + self.one_sided_width(difference)
    }

    /// Of the hypothesis that the difference is at most 0: the smallest α at which [`Self::lower_bound`], with the same
    /// spread, is above 0.
    #[must_use]
    pub fn p_value_above(&self, difference: &Difference) -> f64 {
        if difference.estimate <= 0.0 {
            return 1.0;
        }
        let spread = spread(difference.units, self.rho_one_sided);
        let exponent = exponent(difference, spread);
        // √spread / (2 (e^x - 1)), without overflow.
        libm::fmin(
            1.0,
            0.5 * libm::sqrt(spread) * libm::exp(-exponent) / -libm::expm1(-exponent),
        )
    }

    fn one_sided_width(&self, difference: &Difference) -> f64 {
        let spread = spread(difference.units, self.rho_one_sided);
        half_width(difference, spread, libm::log1p(libm::sqrt(spread) / (2.0 * self.alpha)))
    }
}

/// Nρ² + 1.
fn spread(units: u64, rho: f64) -> f64 {
    units as f64 * rho * rho + 1.0
}

/// σ̂ √N · √(2 (Nρ² + 1) / (N²ρ²) · log), with σ̂ the standard error.
fn half_width(difference: &Difference, spread: f64, log: f64) -> f64 {
    difference.standard_error * libm::sqrt(2.0 * spread / (spread - 1.0) * log)
}

/// ρ² S / (2 (Nρ² + 1)) with S = N (Δ/σ̂)².
fn exponent(difference: &Difference, spread: f64) -> f64 {
    let z = difference.z();
    0.5 * (spread - 1.0) / spread * z * z
}
