//! The spans of a spoken turn's hearing and speaking, which end when its trace is long gone.

use super::context::TraceContext;
use super::names;
use super::span::{Kind, Outcome, Span};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The turn's own children are numbered from 0.
const FIRST: u32 = 1_000;
/// More than a turn has without a fault.
const MOST: usize = 64;

/// What was done with sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Speech to text.
    Stt,
    /// Text to speech, a piece of the answer.
    Tts,
}

/// One part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpokenPart {
    /// Which way.
    pub direction: Direction,
    /// Milliseconds since 1970.
    pub start_ms: u64,
    /// Milliseconds since 1970.
    pub end_ms: u64,
    /// Our name of the provider; none where nobody could be asked.
    pub provider: Option<String>,
    /// Length of the sound that was heard, milliseconds, or characters that were spoken and billed.
    pub amount: u64,
    /// Whether it came from the cache of fixed phrases.
    pub is_cached: bool,
    /// What failed, a stable slug.
    pub error: Option<String>,
}

/// The parts as spans of their turn's trace; none where it is not sampled and nothing failed.
#[must_use]
pub fn spoken(turn: &TraceContext, parts: &[SpokenPart]) -> Vec<Span> {
    if !turn.sampled && parts.iter().all(|part| part.error.is_none()) {
        return Vec::new();
    }
    (FIRST..)
        .zip(parts.iter().take(MOST))
        .map(|(n, part)| span(turn, n, part))
        .collect()
}

fn span(turn: &TraceContext, n: u32, part: &SpokenPart) -> Span {
    let (name, amount) = match part.direction {
        Direction::Stt => (names::STT, "speech.heard_ms"),
        Direction::Tts => (names::TTS, "speech.characters"),
    };
    let texts = [
        ("speech.provider", part.provider.as_deref()),
        (names::ERROR_TYPE, part.error.as_deref()),
    ];
    let texts = texts
        .into_iter()
        .filter_map(|(name, value)| Some((Cow::Borrowed(name), value?.into())));
    let mut attributes = Vec::from([
        (Cow::Borrowed(amount), part.amount.into()),
        (Cow::Borrowed("speech.cached"), part.is_cached.into()),
    ]);
    attributes.extend(texts);
    Span {
        trace_id: turn.trace_id,
        span_id: turn.span_id.child(n),
        parent: Some(turn.span_id),
        parent_is_remote: false,
        sampled: turn.sampled,
        state: turn.state.clone(),
        name: name.into(),
        kind: Kind::Client,
        start_ms: part.start_ms,
        end_ms: part.end_ms.max(part.start_ms),
        attributes,
        events: Vec::new(),
        links: Vec::new(),
        outcome: if part.error.is_some() {
            Outcome::Error
        } else {
            Outcome::Unset
        },
    }
}
