//! What a turn needs from the outside.

use super::{Attempt, Part, TurnEvent, Usage};
use crate::conversation::Message;
use crate::safety::{self, Assessment, Level, SafetyState};
use crate::trace::TraceContext;
use alloc::string::String;
use alloc::vec::Vec;
use thiserror::Error;

/// A request to a model, in no vendor's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmRequest {
    /// The model that the assignment asks for.
    pub model: String,
    /// The system prompt.
    pub system: String,
    /// The window of the conversation; the person's message is last.
    pub messages: Vec<Message>,
    /// Limit of the answer in tokens.
    pub max_output_tokens: u32,
    /// Temperature in thousandths; vendors whose models take none leave it out.
    pub temperature_milli: u32,
    /// JSON Schema that the answer must follow, where the product wants data instead of prose.
    pub response_schema: Option<serde_json::Value>,
    /// Trace context to pass on.
    pub trace: Option<TraceContext>,
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// It was done.
    Stop,
    /// The token limit.
    Length,
    /// The vendor's filter.
    ContentFilter,
    /// The model itself would not answer.
    Refusal,
    /// A reason that a plain answer does not have, for example a tool call.
    Other,
}

impl StopReason {
    /// The UI stream's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            // The UI stream has no word for a refusal; to a reader it is the same.
            Self::ContentFilter | Self::Refusal => "content-filter",
            Self::Other => "other",
        }
    }

    /// A stable slug for events and metrics, which tells a refusal from a filter.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::Refusal => "refusal",
            _ => self.as_str(),
        }
    }
}

/// What a model's stream says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LlmEvent {
    /// The model that answers, as the vendor names it.
    Model(String),
    /// More text.
    Delta(String),
    /// Tokens so far; the last one counts.
    Usage(Usage),
    /// What the vendor itself says the call cost, in millionths of a US dollar; the last one counts.
    Cost(u64),
    /// The reason of the end: without it an answer is not whole.
    Stop(StopReason),
    /// Everything said so far is void: another model begins the answer anew.
    Reset,
    /// An attempt at an answer is over. Where these are told, their tokens and cost are the answer's.
    Attempt(Attempt),
}

/// Why a model gave no whole answer. Carries no text of the vendor, which may quote the person.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderError {
    /// It could not be reached.
    #[error("provider cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("provider timed out: {0}")]
    TimedOut(&'static str),
    /// We ask too much of it for now; seconds to wait where it says so.
    #[error("provider is busy")]
    Busy {
        /// Seconds.
        retry_after_s: Option<u32>,
    },
    /// It has no capacity for anybody; seconds to wait where it says so.
    #[error("provider is overloaded")]
    Overloaded {
        /// Seconds.
        retry_after_s: Option<u32>,
    },
    /// Our account there has no credit or quota left: waiting does not help.
    #[error("provider's quota is exhausted")]
    QuotaExhausted,
    /// The conversation is longer than the model's window.
    #[error("conversation is too long for the model")]
    ContextLength,
    /// Its filter refused the request before a model saw it.
    #[error("provider's filter refused the request")]
    Filtered,
    /// It answered with an error status.
    #[error("provider answered {0}")]
    Status(u16),
    /// Its bytes are not of the protocol.
    #[error("provider broke its protocol: {0}")]
    Protocol(&'static str),
    /// The stream ended without a stop reason.
    #[error("provider's stream was cut")]
    Truncated,
    /// The crisis gate could not judge the message, so no model was asked.
    #[error("the crisis gate is away")]
    Unjudged,
    /// An error inside the stream.
    #[error("provider failed in mid-stream")]
    InStream,
}

impl ProviderError {
    /// A stable slug for events and metrics.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Unreachable => "provider-unreachable",
            Self::TimedOut(_) => "provider-timeout",
            Self::Busy { .. } => "provider-busy",
            Self::Overloaded { .. } => "provider-overloaded",
            Self::QuotaExhausted => "provider-quota",
            Self::ContextLength => "provider-context-length",
            Self::Filtered => "provider-filtered",
            Self::Status(_) => "provider-status",
            Self::Protocol(_) => "provider-protocol",
            Self::Truncated => "provider-truncated",
            Self::Unjudged => "gate-away",
            Self::InStream => "provider-in-stream",
        }
    }

    /// Whether the same request may succeed at the same provider a moment later.
    ///
    /// Of the statuses these may pass (RFC 9110, sections 15.5 and 15.6; RFC 8470; RFC 6585): 408, 409, 425, 429, and 500
    /// and above except 501 and 505.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable
            | Self::TimedOut(_)
            | Self::Busy { .. }
            | Self::Overloaded { .. }
            | Self::Protocol(_)
            | Self::Truncated
            | Self::InStream => true,
            Self::Status(status) => match status {
                408 | 409 | 425 | 429 => true,
                501 | 505 => false,
                status => *status >= 500,
            },
            Self::QuotaExhausted | Self::ContextLength | Self::Filtered | Self::Unjudged => false,
        }
    }

    /// Seconds that the provider asks to be left alone, where it says so.
    #[must_use]
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::Busy { retry_after_s } | Self::Overloaded { retry_after_s } => *retry_after_s,
            _ => None,
        }
    }
}

/// A model's answer as it comes. Dropping it stops the generation upstream.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait TokenStream {
    /// The next event, or none at the end.
    async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>>;

    /// Ends the stream early, upstream too; gives the attempts that were under way. Nothing follows.
    fn abandon(&mut self) -> Vec<LlmEvent> {
        Vec::new()
    }
}

/// A model.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait LlmProvider {
    /// Its streams.
    type Stream: TokenStream;
    /// The provider's name in events.
    fn name(&self) -> &str;
    /// Asks.
    ///
    /// # Errors
    /// [`ProviderError`] where no stream begins.
    async fn stream(&self, request: &LlmRequest) -> Result<Self::Stream, ProviderError>;
    /// Whether, at the last stream, a budget had something cheaper answer than was asked for.
    fn is_degraded(&self) -> bool {
        false
    }
}

/// The gate could not judge. No model may be asked then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the crisis gate is away")]
pub struct GateError;

/// The first stage of the crisis gate: the rules.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait SafetyGate {
    /// Judges a message in the light of its session, and remembers.
    ///
    /// # Errors
    /// [`GateError`] where it was not judged.
    async fn assess(&self, message: &str, state: &mut SafetyState) -> Result<Assessment, GateError>;
}

/// The rules that are compiled in here.
#[derive(Debug, Clone, Copy)]
pub struct OwnRules;

impl SafetyGate for OwnRules {
    async fn assess(&self, message: &str, state: &mut SafetyState) -> Result<Assessment, GateError> {
        Ok(safety::assess(message, state))
    }
}

/// The second stage of the crisis gate: a model that looks where the rules are uncertain.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait SafetyModel {
    /// The level that it sees, or none: no model, a time-out, an answer that is no level. It can only raise.
    async fn judge(&self, messages: &[Message], trace: &TraceContext) -> Option<Level>;
}

/// No second stage: the rules stand.
#[derive(Debug, Clone, Copy)]
pub struct RulesAlone;

impl SafetyModel for RulesAlone {
    async fn judge(&self, _messages: &[Message], _trace: &TraceContext) -> Option<Level> {
        None
    }
}

/// Milliseconds since 1970.
pub trait Clock {
    /// Now.
    fn now_ms(&self) -> u64;
}

/// Where the parts go, in order. Never waits: a slow reader must not slow the turn.
pub trait PartSink {
    /// Takes the next part.
    fn emit(&mut self, part: Part);
}

/// What is stored at the end of a turn, all or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnRecord {
    /// The event for the outbox.
    pub event: TurnEvent,
    /// What was answered: whole, or as far as it came.
    pub answer: String,
    /// The gate's memory after this turn: durable together with it, so that a crash cannot forget a crisis.
    pub safety_state: SafetyState,
}

/// The store did not take the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the turn could not be stored")]
pub struct StoreError;

/// The session's store.
#[allow(async_fn_in_trait, reason = "ports are used through generics, in one thread")]
pub trait ConversationStore {
    /// Writes event, message and outbox row in one transaction, and waits until it is durable. `parts` is the
    /// stream so far and `last` what follows it, so that a later reader gets the same events.
    ///
    /// # Errors
    /// [`StoreError`] where nothing was written.
    async fn commit(&mut self, record: &TurnRecord, last: &[Part]) -> Result<(), StoreError>;
}
