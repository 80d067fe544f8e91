//! The registry of choices: what can vary, who gets what, and why.
//!
//! Invariant: an assignment is a pure function of the snapshot and the subject, made from integers alone.

mod assignment;
mod category;
mod hash;
mod snapshot;
#[cfg(test)]
mod tests;

pub use assignment::{Assignment, Choice, Reason, Subject};
pub use category::Category;
pub use hash::{HASH_VERSION, TOTAL_WEIGHT, bucket, murmur3_x86_32};
pub use snapshot::{Cohort, Slot, Snapshot, SnapshotError, Status, Variant, MAX_EXPERIMENTS};
