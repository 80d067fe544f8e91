//! W3C Trace Context, level 1: where a request stands in a trace that others may have begun.
//!
//! Invariant: what is not valid to the letter is no context; a new trace begins then, and its `tracestate` is dropped.

use super::ids::{SpanId, TraceId, unhex};
use crate::ids::TurnId;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use sha2::{Digest, Sha256};

/// Members of a `tracestate` (section 3.3.1.1).
const STATE_MEMBERS: usize = 32;
/// Characters of a `tracestate` that are passed on (section 3.3.1.5 asks for at least as many).
const STATE_CHARS: usize = 512;
/// The one flag of level 1.
const SAMPLED: u8 = 1;

/// A span's place in its trace, as headers carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: TraceId,
    /// The span that asks; `parent-id` in the header.
    pub span_id: SpanId,
    /// Whether the caller may have recorded it.
    pub sampled: bool,
    /// What other systems put in, unchanged.
    pub state: Option<String>,
}

impl TraceContext {
    /// Reads a `traceparent` (section 3.2) and its `tracestate` (section 3.3).
    ///
    /// Version 00 has exactly four fields; of a later one the first four are read, and more may follow after a dash.
    #[must_use]
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let mut fields = traceparent.trim_matches([' ', '\t']).splitn(5, '-');
        let [version] = unhex(fields.next()?)?;
        let trace_id = TraceId::parse(fields.next()?)?;
        let span_id = SpanId::parse(fields.next()?)?;
        let [flags] = unhex(fields.next()?)?;
        if version == 0xFF || (version == 0 && fields.next().is_some()) {
            return None;
        }
        Some(Self {
            trace_id,
            span_id,
            sampled: flags & SAMPLED != 0,
            state: tracestate.and_then(state),
        })
    }

    /// The context of a turn: a child of the caller's, or the root of a trace of its own.
    ///
    /// Its ids come from a hash of the turn's id, so that every part of the system knows them without being told. A turn's
    /// id has 80 random bits.
    #[must_use]
    pub fn of_turn(turn: &TurnId, caller: Option<&Self>, sampled: impl FnOnce(TraceId) -> bool) -> Self {
        let hash = Sha256::new()
            .chain_update(b"trace\0")
            .chain_update(turn.as_str())
            .finalize();
        let mut bytes = hash.iter().copied();
        let mut own = [0; 16];
        own.iter_mut().zip(bytes.by_ref()).for_each(|(to, from)| *to = from);
        let mut span = [0; 8];
        span.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        let trace_id = caller.map_or_else(|| TraceId::new(own), |caller| caller.trace_id);
        Self {
            trace_id,
            span_id: SpanId::new(span),
            sampled: caller.map_or_else(|| sampled(trace_id), |caller| caller.sampled),
            state: caller.and_then(|caller| caller.state.clone()),
        }
    }

    /// The same trace, seen from another span.
    #[must_use]
    pub fn at(&self, span_id: SpanId) -> Self {
        Self {
            span_id,
            ..self.clone()
        }
    }

    /// The context of attempt number `n` at a request to a provider, from 0, where this is the first one's.
    #[must_use]
    pub fn attempt(&self, n: u32) -> Self {
        self.at(self.span_id.attempt(n))
    }

    /// The `traceparent` header.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }

    /// One line to store: the `traceparent` and, after a space, the `tracestate`.
    #[must_use]
    pub fn to_line(&self) -> String {
        match &self.state {
            Some(state) => format!("{} {state}", self.traceparent()),
            None => self.traceparent(),
        }
    }

    /// Reads what [`Self::to_line`] wrote.
    #[must_use]
    pub fn from_line(line: &str) -> Option<Self> {
        match line.split_once(' ') {
            Some((traceparent, state)) => Self::parse(traceparent, Some(state)),
            None => Self::parse(line, None),
        }
    }
}

/// A `tracestate` that is valid and within the limits, as it came.
fn state(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t', ',']);
    let mut keys = Vec::new();
    for member in text.split(',') {
        let member = member.trim_matches([' ', '\t']);
        // An empty member is allowed (section 3.3.1.1) and says nothing.
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        if !is_key(key) || !is_value(value) || keys.contains(&key) {
            return None;
        }
        keys.push(key);
    }
    let fits = (1..=STATE_MEMBERS).contains(&keys.len()) && text.len() <= STATE_CHARS;
    fits.then(|| text.to_string())
}

/// `simple-key` or `multi-tenant-key` of section 3.3.1.3.1.
fn is_key(key: &str) -> bool {
    let rest = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/'))
    };
    let letter = |text: &str| text.starts_with(|first: char| first.is_ascii_lowercase());
    match key.split_once('@') {
        None => letter(key) && key.len() <= 256 && rest(key),
        Some((tenant, system)) => {
            let begins = tenant.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit());
            begins && tenant.len() <= 241 && rest(tenant) && letter(system) && system.len() <= 14 && rest(system)
        }
    }
}

/// `value` of section 3.3.1.3.2; spaces at the end were cut with those around the member.
fn is_value(value: &str) -> bool {
    let visible = |byte: u8| matches!(byte, 0x20..=0x2B | 0x2D..=0x3C | 0x3E..=0x7E);
    (1..=256).contains(&value.len()) && value.bytes().all(visible)
}
