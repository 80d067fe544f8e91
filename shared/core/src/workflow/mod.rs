//! Work that takes days and survives anything: a promotion from its first session to the last message about it.
//!
//! Invariant: what is to be done follows from the state alone, under a key that names it. Whoever does it may be cut off
//! anywhere and do it again: an effect that was done answers as it did, and an answer that was heard changes nothing.

mod promotion;
mod retry;
#[cfg(test)]
mod tests;

pub use promotion::{
    Answer, Approval, Effect, Ending, Event, MAX_ROUNDS, Note, Plan, Refused, Run, State, Verdict, Wanted,
};
pub use retry::{DELIVERY_ATTEMPTS, EFFECT_ATTEMPTS, delivery_in_ms, effect_in_ms};
