//! Running sums of whole numbers, from which mean, variance and covariance follow.
//!
//! Invariant: sums are exact integers, so that any order of events and any order of merging give the same figures.

use super::{PairSummary, Sample};
use serde::{Deserialize, Serialize};

/// Count, sum and sum of squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    count: u64,
    #[serde(with = "text")]
    sum: i128,
    #[serde(with = "text")]
    squares: i128,
}

impl Moments {
    /// Larger values are taken as this one, so that no sum can overflow below 2^46 of them: in micros a million dollars, in
    /// microseconds twelve days.
    pub const LARGEST: i64 = 1 << 40;

    /// Adds a value, in micros, milliseconds or whatever the metric's whole unit is.
    pub fn record(&mut self, value: i64) {
        let value = bounded(value);
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(value);
        self.squares = self.squares.saturating_add(value * value);
    }

    /// Takes a value back that was recorded.
    pub fn forget(&mut self, value: i64) {
        let value = bounded(value);
        self.count = self.count.saturating_sub(1);
        self.sum = self.sum.saturating_sub(value);
        self.squares = self.squares.saturating_sub(value * value);
    }

    /// Adds all that `other` saw.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.squares = self.squares.saturating_add(other.squares);
    }

    /// Values seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    #[must_use]
    pub fn sum(&self) -> i128 {
        self.sum
    }

    /// Their mean; none of nothing.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| mean(self.sum, self.count))
    }

    /// Their variance, with count - 1 below; none of fewer than two.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| covariance(self.count, self.sum, self.sum, self.squares))
    }

    /// Σ x² / Σ x: for the sizes of clusters the largest design effect that any correlation within them can cause (L. Kish,
    /// "Survey Sampling", 1965, with perfect correlation). None where the sum is not above 0.
    #[must_use]
    pub fn largest_design_effect(&self) -> Option<f64> {
        (self.sum > 0).then(|| self.squares as f64 / self.sum as f64)
    }

    /// Mean and variance for a test; none of fewer than two.
    #[must_use]
    pub fn sample(&self) -> Option<Sample> {
        Some(Sample {
            count: self.count,
            mean: self.mean()?,
            variance: self.variance()?,
        })
    }
}

/// Two values of each unit: a ratio's numerator and denominator, or a metric before and after.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairMoments {
    first: Moments,
    second: Moments,
    #[serde(with = "text")]
    products: i128,
}

impl PairMoments {
    /// Adds a unit's two values.
    pub fn record(&mut self, first: i64, second: i64) {
        self.first.record(first);
        self.second.record(second);
        self.products = self.products.saturating_add(bounded(first) * bounded(second));
    }

    /// Takes a unit back that was recorded.
    pub fn forget(&mut self, first: i64, second: i64) {
        self.first.forget(first);
        self.second.forget(second);
        self.products = self.products.saturating_sub(bounded(first) * bounded(second));
    }

    /// Adds all that `other` saw.
    pub fn merge(&mut self, other: &Self) {
        self.first.merge(&other.first);
        self.second.merge(&other.second);
        self.products = self.products.saturating_add(other.products);
    }

    /// The first values.
    #[must_use]
    pub fn first(&self) -> &Moments {
        &self.first
    }

    /// The second values.
    #[must_use]
    pub fn second(&self) -> &Moments {
        &self.second
    }

    /// Means, variances and covariance for a test; none of fewer than two units.
    #[must_use]
    pub fn summary(&self) -> Option<PairSummary> {
        let (first, second) = (self.first.sample()?, self.second.sample()?);
        Some(PairSummary {
            count: first.count,
            first_mean: first.mean,
            second_mean: second.mean,
            first_variance: first.variance,
            second_variance: second.variance,
            covariance: covariance(first.count, self.first.sum, self.second.sum, self.products),
        })
    }
}

fn bounded(value: i64) -> i128 {
    i128::from(value.clamp(-Moments::LARGEST, Moments::LARGEST))
}

/// The quotient with its remainder, since a sum can have more figures than an `f64`.
fn mean(sum: i128, count: u64) -> f64 {
    let count = i128::from(count);
    sum.div_euclid(count) as f64 + sum.rem_euclid(count) as f64 / count as f64
}

/// (Σ xy - Σx Σy / n) / (n - 1), centred in integers first: the plain formula loses what a large mean hides.
fn covariance(count: u64, x_sum: i128, y_sum: i128, products: i128) -> f64 {
    let n = i128::from(count);
    let (x_mean, x_rest) = (x_sum.div_euclid(n), x_sum.rem_euclid(n));
    let (y_mean, y_rest) = (y_sum.div_euclid(n), y_sum.rem_euclid(n));
    // Σ (x - x̄)(y - ȳ) with the means rounded down, less what that rounding adds.
    let centred = products
        .saturating_sub(x_mean.saturating_mul(y_sum))
        .saturating_sub(y_mean.saturating_mul(x_rest));
    let exact = centred
        .checked_mul(n)
        .zip(x_rest.checked_mul(y_rest))
        .and_then(|(whole, rest)| whole.checked_sub(rest));
    let (n, below) = (n as f64, n as f64 - 1.0);
    match exact {
        Some(numerator) => numerator as f64 / n / below,
        None => (centred as f64 - x_rest as f64 / n * y_rest as f64) / below,
    }
}

/// Integers of more than 53 bits as decimal text, since JSON's readers take numbers for `f64`.
mod text {
    use alloc::borrow::Cow;
    use alloc::string::ToString;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
