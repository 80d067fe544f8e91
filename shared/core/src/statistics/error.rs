//! Why a figure cannot be had.

use thiserror::Error;

/// The inputs allow no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StatisticsError {
    /// Fewer units than the formula needs.
    #[error("{what}: at least {least} are needed")]
    TooFew {
        /// Which number.
        what: &'static str,
        /// The least that works.
        least: u64,
    },
    /// Outside what the quantity can be, or not a number.
    #[error("{what} must be {range}")]
    OutOfRange {
        /// Which input.
        what: &'static str,
        /// What it may be, in words.
        range: &'static str,
    },
    /// All units are alike, so that nothing says how far chance could have moved the estimate.
    #[error("the data do not vary: no error can be estimated")]
    NoVariation,
}

pub(super) fn probability(what: &'static str, value: f64) -> Result<f64, StatisticsError> {
    if value > 0.0 && value < 1.0 {
        return Ok(value);
    }
    Err(StatisticsError::OutOfRange {
        what,
        range: "between 0 and 1",
    })
}

pub(super) fn finite(what: &'static str, value: f64) -> Result<f64, StatisticsError> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(StatisticsError::OutOfRange {
        what,
        range: "a finite number",
    })
}
