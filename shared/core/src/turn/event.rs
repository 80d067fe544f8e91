//! The turn event: what happened, immutable, without anything that was said.

use crate::ids::{PersonId, SessionId, TurnId};
use crate::safety::Tag;
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

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
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
    /// Why, by category, where it is not the plain default: `split`, `override`, `withdrawn`. What was overridden or
    /// withdrawn belongs in no analysis of its category.
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
    /// Tokens.
    pub usage: Usage,
    /// Cost in millionths of a US dollar; none where the model's price is unknown.
    pub cost_micros: Option<u64>,
    /// Why the model stopped.
    pub finish_reason: String,
    /// What failed, a stable slug.
    pub error: Option<String>,
    /// Country of the request, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// W3C trace id.
    pub trace_id: Option<String>,
}
