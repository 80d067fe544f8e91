//! An estimate of a difference, and the interval around it.

use super::StatisticsError;
use super::error::finite;
use serde::{Deserialize, Serialize};

/// From `lower` to `upper`; an infinite end means that side says nothing (`null` in JSON).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Ends")]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// As JSON has it, which knows no infinity.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ends {
    lower: Option<f64>,
    upper: Option<f64>,
}

impl From<Ends> for Interval {
    fn from(ends: Ends) -> Self {
        Self {
            lower: ends.lower.unwrap_or(f64::NEG_INFINITY),
            upper: ends.upper.unwrap_or(f64::INFINITY),
        }
    }
}

impl Interval {
    /// The interval `half_width` to both sides of `centre`.
    #[must_use]
    pub fn around(centre: f64, half_width: f64) -> Self {
        Self {
            lower: centre - half_width,
            upper: centre + half_width,
        }
    }

    /// Whether `value` lies inside or on an end.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// From end to end.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.upper - self.lower
    }
}

/// Treatment minus control, as every test and gate takes it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The estimate, in the metric's unit.
    pub estimate: f64,
    /// Its standard error; above 0.
    pub standard_error: f64,
    /// Randomised units (sessions) of both arms together.
    pub units: u64,
}

impl Difference {
    /// A difference that can be judged.
    ///
    /// # Errors
    /// [`StatisticsError::NoVariation`] where the standard error is 0, out of range where a number is not finite.
    pub fn new(estimate: f64, standard_error: f64, units: u64) -> Result<Self, StatisticsError> {
        finite("the estimate", estimate)?;
        finite("the standard error", standard_error)?;
        if standard_error <= 0.0 {
            return Err(StatisticsError::NoVariation);
        }
        Ok(Self {
            estimate,
            standard_error,
            units,
        })
    }

    /// The estimate in standard errors.
    #[must_use]
    pub fn z(&self) -> f64 {
        self.estimate / self.standard_error
    }

    /// The same with the sign turned, for metrics where less is better.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self {
            estimate: -self.estimate,
            ..*self
        }
    }
}
