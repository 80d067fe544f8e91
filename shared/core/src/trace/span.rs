//! A span: one operation, its time and what is known about it. No field takes text of a conversation.

use super::ids::{SpanId, TraceId};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

/// Longest text of an attribute in bytes: ids and slugs are shorter, and what a vendor sends may be longer.
const TEXT_BYTES: usize = 256;

/// An attribute's value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An id, a name, a slug.
    Text(String),
    /// A count, milliseconds, micros.
    Int(i64),
    /// A ratio or a setting.
    Double(f64),
    /// Yes or no.
    Bool(bool),
    /// Several slugs.
    List(Vec<String>),
}

fn short(text: &str) -> String {
    let mut end = text.len().min(TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().into()
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(short(text))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Int(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

impl From<&[String]> for Value {
    fn from(slugs: &[String]) -> Self {
        Self::List(slugs.iter().map(|slug| short(slug)).collect())
    }
}

/// A name and a value; names are fixed, but for those that end in a category's.
pub type Attribute = (Cow<'static, str>, Value);

/// What a span is to the one on the other side (`SpanKind` of OTLP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Work of our own.
    Internal = 1,
    /// We answer somebody.
    Server = 2,
    /// We ask somebody.
    Client = 3,
}

/// How a span ended (`StatusCode` of OTLP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to report.
    Unset = 0,
    /// It failed; `error.type` says how.
    Error = 2,
}

/// Something that happened at one moment of a span.
#[derive(Debug, Clone, PartialEq)]
pub struct SpanEvent {
    /// Its name.
    pub name: &'static str,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// What is known about it.
    pub attributes: Vec<Attribute>,
}

/// Another span that this one has to do with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its trace.
    pub trace_id: TraceId,
    /// It.
    pub span_id: SpanId,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// The trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// The span that caused it; none for the root.
    pub parent: Option<SpanId>,
    /// Whether the parent is in another process.
    pub parent_is_remote: bool,
    /// Whether the trace was chosen when it began.
    pub sampled: bool,
    /// `tracestate` of the trace.
    pub state: Option<String>,
    /// What was done; few different ones.
    pub name: Cow<'static, str>,
    /// What it is to the other side.
    pub kind: Kind,
    /// Milliseconds since 1970.
    pub start_ms: u64,
    /// Milliseconds since 1970, never before the start.
    pub end_ms: u64,
    /// What is known about it.
    pub attributes: Vec<Attribute>,
    /// What happened on the way.
    pub events: Vec<SpanEvent>,
    /// Other spans it has to do with.
    pub links: Vec<Link>,
    /// How it ended.
    pub outcome: Outcome,
}
