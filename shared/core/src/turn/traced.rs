//! What a turn's trace says about its parts.

use super::{Attempt, Status, TurnEvent};
use crate::safety::Assessment;
use crate::trace::names::{self, ModelCall};
use crate::trace::{Kind, Recorder, SpanId, TraceContext};

/// The level from which on every trace is kept.
const KEPT_LEVEL: u8 = 2;

/// The gate has judged, or could not.
pub(super) fn judged(trace: &Recorder, span: SpanId, judged: Option<&Assessment>, at_ms: u64) {
    match judged {
        Some(assessment) => {
            trace.set(span, names::CRISIS_LEVEL, u64::from(assessment.level.get()));
            trace.set(span, "guardrails.uncertain", assessment.uncertain);
        }
        None => trace.fail(span, "gate-away"),
    }
    trace.end(span, at_ms);
}

/// The event is made: the turn's own span says what it says.
pub(super) fn recorded(trace: &Recorder, event: &TurnEvent) {
    let turn = trace.turn();
    trace.set_all(turn, names::of_turn(event));
    if let Some(slug) = &event.error {
        trace.fail(turn, slug);
    } else if matches!(event.status, Status::Failed | Status::Interrupted) {
        trace.fail(turn, event.status.as_str());
    }
    if event.crisis_level >= KEPT_LEVEL {
        trace.keep();
    }
}

/// The span of an answer, and that of the request for it.
pub(super) struct Call<'a> {
    trace: &'a Recorder,
    answer: SpanId,
    /// The span of the first attempt, whose id travels with the request.
    request: SpanId,
    began_ms: u64,
    spoke: bool,
}

impl<'a> Call<'a> {
    pub(super) fn new(trace: &'a Recorder, at_ms: u64) -> Self {
        let answer = trace.start(names::LLM, at_ms);
        Self {
            trace,
            answer,
            request: answer.child(0),
            began_ms: at_ms,
            spoke: false,
        }
    }

    /// What the request carries.
    pub(super) fn context(&self) -> TraceContext {
        self.trace.context().at(self.request)
    }

    pub(super) fn first_token(&mut self, at_ms: u64) {
        if !core::mem::replace(&mut self.spoke, true) {
            self.trace.event(self.answer, names::TTFT, at_ms);
        }
    }

    /// The answer is over. `call` is the request as a whole, which is also the only one where no attempts were told of.
    pub(super) fn end(self, attempts: &[Attempt], call: &ModelCall<'_>, at_ms: u64) {
        let Self { trace, answer, .. } = self;
        if attempts.is_empty() {
            self.request(self.request, call, self.began_ms, at_ms);
        }
        for attempt in attempts {
            self.attempt(attempt, call);
        }
        if let Some(slug) = call.error {
            trace.fail(answer, slug);
        }
        if call.finish_reason.is_some() {
            trace.event(answer, names::STREAM_COMPLETE, at_ms);
        }
        trace.end(answer, at_ms);
    }

    /// One attempt's span; none for a provider that was left alone.
    fn attempt(&self, attempt: &Attempt, call: &ModelCall<'_>) {
        let Some(span) = attempt.span_id else {
            return;
        };
        let one = ModelCall {
            provider: &attempt.provider,
            model: &attempt.model,
            response_model: attempt.response_model.as_deref(),
            finish_reason: call.finish_reason.filter(|_| attempt.outcome == "ok"),
            usage: attempt.usage,
            error: attempt.failure(),
            ..call.clone()
        };
        let at_ms = |ms: u64| attempt.started_at_ms.saturating_add(ms);
        self.request(span, &one, attempt.started_at_ms, at_ms(attempt.total_ms));
        self.trace.set(span, "llm.outcome", attempt.outcome.as_str());
        if let Some(ms) = attempt.ttft_ms {
            self.trace.event(span, names::TTFT, at_ms(ms));
        }
    }

    fn request(&self, span: SpanId, call: &ModelCall<'_>, start_ms: u64, end_ms: u64) {
        // The embedded listener is nobody's server.
        let kind = if call.provider == "offline" {
            Kind::Internal
        } else {
            Kind::Client
        };
        self.trace.start_as(span, self.answer, call.name(), kind, start_ms);
        self.trace.set_all(span, call.attributes());
        if let Some(slug) = call.error {
            self.trace.fail(span, slug);
        }
        self.trace.end(span, end_ms);
    }
}
