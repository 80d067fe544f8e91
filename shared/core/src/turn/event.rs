//! The turn event: what happened, immutable, without anything that was said.

use crate::ids::{PersonId, SessionId, TurnId};
use crate::safety::Tag;
use crate::trace::SpanId;
use crate::variants::Reason;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// Version of the event's format; a reader keeps all of them.
pub const EVENT_VERSION: u16 = 1;

/// How a turn stands or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted, waits for the turns before it.
    Queued,
    /// Work has begun.
    Running,
    /// Answered in full.
    Done,
    /// Stopped by the person; the text so far is kept.
    Stopped,
    /// Its object lost its memory while it ran.
    Interrupted,
    /// No answer could be had.
    Failed,
}

impl Status {
    /// The name that stores and events carry.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }

    /// Reads a stored name; an unknown one counts as failed.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "done" => Self::Done,
            "stopped" => Self::Stopped,
            "interrupted" => Self::Interrupted,
            _ => Self::Failed,
        }
    }

    /// Whether nothing more happens to the turn.
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// How the turn came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A new message.
    Send,
    /// The same message, answered anew.
    Regenerate,
    /// The last message, said differently.
    Edit,
}

/// Tokens as the provider counted them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read, with those that came from a cache.
    pub input_tokens: u64,
    /// Tokens written, with those that nobody sees.
    pub output_tokens: u64,
    /// Of the tokens read, those that came from the vendor's cache, which are cheaper.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cached_input_tokens: u64,
    /// Of the tokens written, those that the model thought and did not say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasoning_tokens: u64,
}

impl Usage {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            cached_input_tokens: self.cached_input_tokens.saturating_add(other.cached_input_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// One request to one model for a turn's answer. Durations count from its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Who was asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// The model that answered, in the provider's words, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_model: Option<String>,
    /// The request's span in the turn's trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span_id: Option<SpanId>,
    /// `ok`, `stopped` (by the person), `hedge-lost`, `breaker-open` (not asked), or a failure's slug.
    pub outcome: String,
    /// Milliseconds since 1970.
    pub started_at_ms: u64,
    /// Until the answer's headers, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_ms: Option<u64>,
    /// Until the first token, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_ms: Option<u64>,
    /// Until the end, milliseconds.
    pub total_ms: u64,
    /// Tokens that the provider charges for; none where it charges nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Whether the provider had no time to count, so that the tokens are our estimate.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub usage_estimated: bool,
    /// Cost in millionths of a US dollar, where the price is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micros: Option<u64>,
}

/// Outcomes of attempts that gave nothing of the answer.
const NOT_HEARD: [&str; 2] = ["hedge-lost", "breaker-open"];

impl Attempt {
    /// The slug of what failed; none where nothing did.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        let outcome = self.outcome.as_str();
        (self.was_heard() && !matches!(outcome, "ok" | "stopped")).then_some(outcome)
    }

    /// Whether the person may have heard it.
    #[must_use]
    pub fn was_heard(&self) -> bool {
        !NOT_HEARD.contains(&self.outcome.as_str())
    }
}

/// One turn, as analysis sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnEvent {
    /// `session:seq`, the key of exactly-once effect.
    pub event_id: String,
    /// [`EVENT_VERSION`].
    pub version: u16,
    /// The session.
    pub session_id: SessionId,
    /// Its owner.
    pub person_id: PersonId,
    /// The turn.
    pub turn_id: TurnId,
    /// Position in the session, from 1.
    pub seq: u64,
    /// How it came about.
    pub kind: Kind,
    /// The product whose policy applied.
    pub product: String,
    /// How it ended.
    pub status: Status,
    /// Accepted at, milliseconds since 1970.
    pub accepted_at_ms: u64,
    /// Waited for earlier turns, milliseconds.
    pub queued_ms: u64,
    /// From the start of work to the model's first token, milliseconds.
    pub ttft_ms: Option<u64>,
    /// From the start of work to the end, milliseconds.
    pub total_ms: u64,
    /// Who really answered.
    pub provider: String,
    /// The model that really answered.
    pub model: String,
    /// The model that the assignment asks for.
    pub requested_model: String,
    /// `name@version-hash` of the system prompt.
    pub prompt_version: String,
    /// Version of the registry snapshot.
    pub snapshot_version: u64,
    /// Variant by category: production defaults when the crisis override holds.
    pub variants: BTreeMap<String, String>,
    /// Why, by category, where it is not the plain default: `split`, `override`, `withdrawn`, `degraded`. What was
    /// overridden, withdrawn or degraded belongs in no analysis of its category.
    #[serde(default)]
    pub reasons: BTreeMap<String, Reason>,
    /// Whether crisis replaced the assignment for this turn.
    pub crisis_override: bool,
    /// Crisis level, 0-4.
    pub crisis_level: u8,
    /// Ids of the rules that spoke.
    pub safety_rules: Vec<String>,
    /// What else the gate noticed.
    #[serde(default)]
    pub safety_tags: Vec<Tag>,
    /// Version of the safety rules.
    pub rules_version: String,
    /// Whether the input looks like prompt injection (a flag, not a refusal).
    pub injection_suspected: bool,
    /// Reasons for which sentences of the answer were replaced.
    pub guardrails: Vec<String>,
    /// Tokens of all attempts that were charged.
    pub usage: Usage,
    /// Cost of all of them in millionths of a US dollar, as far as prices are known; none where no price is.
    pub cost_micros: Option<u64>,
    /// Every attempt at an answer, in the order of their ends.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Whether more than one model took part: such a turn says nothing clean about the model that was assigned.
    #[serde(default)]
    pub mixed_providers: bool,
    /// Why the model stopped.
    pub finish_reason: String,
    /// What failed, a stable slug.
    pub error: Option<String>,
    /// Country of the request, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// W3C trace id.
    pub trace_id: Option<String>,
}
