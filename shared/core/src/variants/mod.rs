//! The registry of choices: what can vary, who gets what, and why.
//!
//! Invariant: an assignment is a pure function of snapshot, subject and overrides, made from integers alone.

mod assignment;
mod category;
mod config;
mod explain;
mod hash;
mod layer;
mod snapshot;
#[cfg(test)]
mod tests;
mod variant;

pub use assignment::{Assignment, Choice, Overrides, Reason, Subject};
pub use category::{Category, Exclusion, UnknownCategory};
pub use config::ConfigError;
pub use explain::{Candidate, Explain, Outcome};
pub use hash::{HASH_VERSION, TOTAL_WEIGHT, bucket, murmur3_x86_32};
pub use snapshot::{MAX_EXPERIMENTS, Snapshot, SnapshotError};
pub use variant::{Cohort, InvalidVariantId, Slot, Status, Variant, VariantId};
