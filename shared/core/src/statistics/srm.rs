//! Sample-ratio mismatch: do the arms hold the shares of units that they were given?
//!
//! Count enrolled units, not those that survived a filter: a mismatch says that assignment or logging is broken, and then no
//! other figure of the experiment can be believed.

use super::StatisticsError;
use super::gamma::chi_squared_sf;
use alloc::vec::Vec;
use serde::Serialize;

/// How tightly the alternative's prior sits around the expected shares; the value of PyPI `ssrm-test`.
const CONCENTRATION: f64 = 10_000.0;

/// Pearson's χ² test, valid at one moment fixed in advance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatioCheck {
    /// Σ (observed - expected)² / expected.
    pub chi_squared: f64,
    /// Arms - 1.
    pub df: u32,
    /// Small where the shares differ from what was expected.
    pub p_value: f64,
}

/// The same question, answered so that one may look at any time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SequentialRatioCheck {
    /// Natural logarithm of the e-value: how much better other shares explain the counts.
    pub log_e_value: f64,
    /// 1 / e-value, at most 1; valid at every look.
    pub p_value: f64,
}

impl SequentialRatioCheck {
    /// This look together with an earlier one: the alarm, once raised, stays.
    #[must_use]
    pub fn with_earlier(&self, earlier: &Self) -> Self {
        if earlier.log_e_value > self.log_e_value {
            *earlier
        } else {
            *self
        }
    }

    /// Whether the shares are wrong; 0.001 is the usual `alpha`.
    #[must_use]
    pub fn is_mismatch(&self, alpha: f64) -> bool {
        self.p_value < alpha
    }
}

/// Compares counts of enrolled units with the expected shares, which are given as weights.
///
/// # Errors
/// Where there are fewer than two arms, as many weights are not given, one is not above 0, or nobody is enrolled.
pub fn sample_ratio(counts: &[u64], weights: &[f64]) -> Result<RatioCheck, StatisticsError> {
    let shares = shares(counts, weights)?;
    let total = total(counts);
    let chi_squared = counts
        .iter()
        .zip(&shares)
        .map(|(&count, share)| {
            let expected = share * total;
            let off = count as f64 - expected;
            off * off / expected
        })
        .sum();
    let df = u32::try_from(counts.len().saturating_sub(1)).unwrap_or(u32::MAX);
    Ok(RatioCheck {
        chi_squared,
        df,
        p_value: chi_squared_sf(chi_squared, df),
    })
}

/// The Bayes factor of a Dirichlet-multinomial alternative against the expected shares, which is an e-value: under the
/// right shares it passes 1/α at any time with probability at most α.
///
/// M. Lindon, A. Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022).
///
/// # Errors
/// As [`sample_ratio`].
pub fn sequential_sample_ratio(counts: &[u64], weights: &[f64]) -> Result<SequentialRatioCheck, StatisticsError> {
    let shares = shares(counts, weights)?;
    let total = total(counts);
    let growth = 1.0 + total / CONCENTRATION;
    // Each arm's Γ(α + n) / (Γ(α) αⁿ) over that of the whole, by Stirling's formula with the terms that cancel taken out:
    // differences of lnΓ would lose nine figures at a million units.
    let log_e_value = counts
        .iter()
        .zip(&shares)
        .map(|(&count, share)| {
            let (n, prior) = (count as f64, share * CONCENTRATION);
            let excess = (n - total * share) / (prior * growth);
            (prior + n) * libm::log1p(excess) - 0.5 * libm::log1p(n / prior) + stirling(prior + n) - stirling(prior)
        })
        .sum::<f64>()
        + 0.5 * libm::log(growth)
        - (stirling(CONCENTRATION + total) - stirling(CONCENTRATION));
    Ok(SequentialRatioCheck {
        log_e_value,
        p_value: libm::fmin(1.0, libm::exp(-log_e_value)),
    })
}

/// lnΓ(x) - ((x - ½) ln x - x + ½ ln 2π), DLMF 5.11.1.
fn stirling(x: f64) -> f64 {
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;
    if x < 16.0 {
        return libm::lgamma(x) - ((x - 0.5) * libm::log(x) - x + HALF_LN_TAU);
    }
    let square = 1.0 / (x * x);
    (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1_260.0 - square * (1.0 / 1_680.0 - square / 1_188.0)))) / x
}

fn total(counts: &[u64]) -> f64 {
    counts.iter().map(|&count| count as f64).sum()
}

fn shares(counts: &[u64], weights: &[f64]) -> Result<Vec<f64>, StatisticsError> {
    if counts.len() < 2 {
        return Err(StatisticsError::TooFew { what: "arms", least: 2 });
    }
    if counts.iter().all(|&count| count == 0) {
        return Err(StatisticsError::TooFew {
            what: "enrolled units",
            least: 1,
        });
    }
    let whole: f64 = weights.iter().sum();
    let usable = weights.iter().all(|weight| *weight > 0.0) && whole.is_finite();
    if weights.len() != counts.len() || !usable {
        return Err(StatisticsError::OutOfRange {
            what: "the expected shares",
            range: "one number above 0 for each arm",
        });
    }
    Ok(weights.iter().map(|weight| weight / whole).collect())
}
