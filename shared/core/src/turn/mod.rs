//! One turn: gate, prompt, model, guardrails, record. Pure use case over ports.
//!
//! Invariants: a model is never asked at crisis level 2 or above; the record is durable before `finish` is said; a
//! half answer is never shown as whole.

mod answer;
mod event;
mod part;
mod port;
mod process;
#[cfg(test)]
mod tests;
mod traced;

pub use event::{Attempt, EVENT_VERSION, Kind, Status, TurnEvent, Usage};
pub use part::{Metadata, Part};
pub use port::{
    Clock, ConversationStore, GateError, LlmEvent, LlmProvider, LlmRequest, OwnRules, PartSink, ProviderError,
    RulesAlone, SafetyGate, SafetyModel, StopReason, StoreError, TokenStream, TurnRecord,
};
pub use process::{DISCLOSURE, Policy, TurnInput, process_turn, unanswered};
