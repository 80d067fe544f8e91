//! The write side of the registry: what an admin may ask, what it changes, what it waits for, and how it is remembered.
//!
//! Invariant: pure. A change is made from a snapshot and gives a checked one; storing both and their record is the shell's.

mod actor;
mod apply;
mod audit;
mod command;
mod pending;
mod refusal;
#[cfg(test)]
mod tests;

pub use actor::{Actor, ActorKind};
pub use apply::{Change, Undo, apply};
pub use audit::{Broken, Draft, Entry, GENESIS, Verifier};
pub use command::{Command, Needs, REASON_CHARS, Sign, Target, check_reason};
pub use pending::{COOL_DOWN_MS, Pending, State, WAITING_MS};
pub use refusal::Refusal;
