//! Collects the spans of one turn. Has no clock: times are given.

use super::context::TraceContext;
use super::ids::SpanId;
use super::names;
use super::span::{Attribute, Kind, Outcome, Span, SpanEvent, Value};
use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// More spans than a turn can have without a fault: what comes after is not recorded.
const MOST_SPANS: usize = 64;

/// A span that is not over yet is open: its end lies before its start.
const OPEN: u64 = 0;

/// The spans of one turn, which are handed out together when it is over, or not at all.
///
/// Shared by all that take part in a turn, which run in one thread; nothing is borrowed between two calls.
#[derive(Debug)]
pub struct Recorder {
    context: TraceContext,
    next: Cell<u32>,
    spans: RefCell<Vec<Span>>,
    keep: Cell<bool>,
}

impl Recorder {
    /// Begins with the span of the turn itself, whose context is `context`; `caller` is the context that came in.
    #[must_use]
    pub fn new(context: TraceContext, caller: Option<&TraceContext>, start_ms: u64) -> Self {
        let recorder = Self {
            keep: Cell::new(context.sampled),
            context,
            next: Cell::new(0),
            spans: RefCell::default(),
        };
        let own = recorder.context.span_id;
        recorder.push(
            own,
            caller.map(|caller| caller.span_id),
            names::TURN.into(),
            Kind::Server,
            start_ms,
        );
        if let Some(root) = recorder.spans.borrow_mut().first_mut() {
            root.parent_is_remote = caller.is_some();
        }
        recorder
    }

    /// The turn's context.
    #[must_use]
    pub fn context(&self) -> &TraceContext {
        &self.context
    }

    /// The turn's span.
    #[must_use]
    pub fn turn(&self) -> SpanId {
        self.context.span_id
    }

    fn push(&self, span_id: SpanId, parent: Option<SpanId>, name: Cow<'static, str>, kind: Kind, start_ms: u64) {
        let mut spans = self.spans.borrow_mut();
        if spans.len() < MOST_SPANS {
            spans.push(Span {
                trace_id: self.context.trace_id,
                span_id,
                parent,
                parent_is_remote: false,
                sampled: self.context.sampled,
                state: self.context.state.clone(),
                name,
                kind,
                start_ms,
                end_ms: OPEN,
                attributes: Vec::new(),
                events: Vec::new(),
                links: Vec::new(),
                outcome: Outcome::Unset,
            });
        }
    }

    /// Begins a part of the turn.
    pub fn start(&self, name: &'static str, at_ms: u64) -> SpanId {
        self.start_in(self.turn(), name, Kind::Internal, at_ms)
    }

    /// Begins a part of another span.
    pub fn start_in(&self, parent: SpanId, name: impl Into<Cow<'static, str>>, kind: Kind, at_ms: u64) -> SpanId {
        let n = self.next.get();
        self.next.set(n.wrapping_add(1));
        let span = self.turn().child(n);
        self.push(span, Some(parent), name.into(), kind, at_ms);
        span
    }

    /// Begins a part whose id was given away before, by [`SpanId::child`] of its parent.
    pub fn start_as(&self, span: SpanId, parent: SpanId, name: impl Into<Cow<'static, str>>, kind: Kind, at_ms: u64) {
        self.push(span, Some(parent), name.into(), kind, at_ms);
    }

    fn with(&self, span: SpanId, change: impl FnOnce(&mut Span)) {
        if let Some(span) = self.spans.borrow_mut().iter_mut().find(|known| known.span_id == span) {
            change(span);
        }
    }

    /// Says something about a span; a later word replaces an earlier one.
    pub fn set(&self, span: SpanId, name: &'static str, value: impl Into<Value>) {
        self.set_all(span, [(Cow::Borrowed(name), value.into())]);
    }

    /// Says several things about a span.
    pub fn set_all(&self, span: SpanId, attributes: impl IntoIterator<Item = Attribute>) {
        self.with(span, |span| {
            for (name, value) in attributes {
                match span.attributes.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, old)) => *old = value,
                    None => span.attributes.push((name, value)),
                }
            }
        });
    }

    /// Something happened.
    pub fn event(&self, span: SpanId, name: &'static str, at_ms: u64) {
        self.with(span, |span| {
            span.events.push(SpanEvent {
                name,
                at_ms,
                attributes: Vec::new(),
            });
        });
    }

    /// A span failed; `slug` is the class of the error. The trace is kept, whatever the sampler said.
    pub fn fail(&self, span: SpanId, slug: &str) {
        self.keep();
        self.set(span, names::ERROR_TYPE, slug);
        self.with(span, |span| span.outcome = Outcome::Error);
    }

    /// Keeps the trace, whatever the sampler said.
    pub fn keep(&self) {
        self.keep.set(true);
    }

    /// A span is over.
    pub fn end(&self, span: SpanId, at_ms: u64) {
        self.with(span, |span| span.end_ms = at_ms.max(span.start_ms));
    }

    /// The turn is over, and with it what is still open. Empty where the trace is not kept.
    #[must_use]
    pub fn finish(&self, at_ms: u64) -> Vec<Span> {
        let mut spans = self.spans.take();
        if !self.keep.get() {
            return Vec::new();
        }
        for span in spans
            .iter_mut()
            .filter(|span| span.end_ms < span.start_ms || span.end_ms == OPEN)
        {
            span.end_ms = at_ms.max(span.start_ms);
        }
        spans
    }
}
