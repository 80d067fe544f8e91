//! From events to figures: bronze (what arrived), silver (typed rows), gold (a day's roll-up of each variant).
//!
//! Invariant: every layer is a function of the set of events. Their order, their grouping and how often each was delivered
//! change no byte of it.

pub mod bronze;
mod compare;
mod day;
mod facts;
mod gold;
pub mod parquet;
mod part;
mod rollup;
pub mod silver;
#[cfg(test)]
mod tests;
mod watch;

pub use compare::{Arm, Band, Comparison, GateShown, SampleRatio, Test, Verdicts, compare, expected_shares};
pub use day::{Day, HOUR_MS, InvalidDay};
pub use gold::{DayBuilder, Gold, PRODUCT, RETURN_DAYS, RowKey};
pub use rollup::{Figures, Rollup};
pub use watch::{Finding, Watch, WatchedSession, evidence};
