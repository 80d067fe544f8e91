//! One attempt while it runs: what is known of it so far, also to whoever gives it up.

use super::order::input_tokens;
use super::{Permit, Target};
use crate::memory::estimate_tokens;
use crate::pricing;
use crate::trace::TraceContext;
use crate::turn::{Attempt, LlmEvent, LlmRequest, Usage};
use alloc::string::String;
use core::cell::{Cell, RefCell};

/// Outcomes beside the slugs of errors.
pub(crate) const OK: &str = "ok";
pub(crate) const STOPPED: &str = "stopped";
pub(crate) const HEDGE_LOST: &str = "hedge-lost";
pub(crate) const BREAKER_OPEN: &str = "breaker-open";

/// An attempt under way.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) target: Target,
    /// What its request carries.
    pub(crate) trace: Option<TraceContext>,
    pub(crate) permit: Permit,
    pub(crate) started_at_ms: u64,
    pub(crate) opened_ms: Cell<Option<u64>>,
    pub(crate) ttft_ms: Cell<Option<u64>>,
    pub(crate) stopped: Cell<bool>,
    usage: Cell<Option<Usage>>,
    cost_micros: Cell<Option<u64>>,
    model: RefCell<Option<String>>,
    said: RefCell<String>,
}

impl Run {
    pub(crate) fn new(target: Target, trace: Option<TraceContext>, permit: Permit, started_at_ms: u64) -> Self {
        Self {
            target,
            trace,
            permit,
            started_at_ms,
            opened_ms: Cell::default(),
            ttft_ms: Cell::default(),
            stopped: Cell::default(),
            usage: Cell::default(),
            cost_micros: Cell::default(),
            model: RefCell::default(),
            said: RefCell::default(),
        }
    }

    pub(crate) fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.started_at_ms)
    }

    /// Learns from an event.
    pub(crate) fn note(&self, event: &LlmEvent, now_ms: u64) {
        match event {
            LlmEvent::Model(name) => *self.model.borrow_mut() = Some(name.clone()),
            LlmEvent::Usage(usage) => self.usage.set(Some(*usage)),
            LlmEvent::Cost(micros) => self.cost_micros.set(Some(*micros)),
            LlmEvent::Stop(_) => self.stopped.set(true),
            LlmEvent::Delta(text) => {
                if self.ttft_ms.get().is_none() {
                    self.ttft_ms.set(Some(self.age_ms(now_ms)));
                }
                self.said.borrow_mut().push_str(text);
            }
            LlmEvent::Reset | LlmEvent::Attempt(_) => {}
        }
    }

    /// The record of it, now that it is over.
    pub(crate) fn attempt(&self, outcome: &str, request: &LlmRequest, now_ms: u64) -> Attempt {
        let (usage, usage_estimated) = self.usage(outcome, request);
        let response_model = self.model.borrow().clone();
        let priced = response_model.as_deref().unwrap_or(&self.target.model);
        let by_table = |usage| {
            pricing::cost_micros(priced, usage, self.started_at_ms)
                .or_else(|| pricing::cost_micros(&self.target.model, usage, self.started_at_ms))
        };
        Attempt {
            provider: self.target.provider.clone(),
            model: self.target.model.clone(),
            span_id: self.trace.as_ref().map(|trace| trace.span_id),
            cost_micros: self.cost_micros.get().or_else(|| usage.and_then(by_table)),
            response_model,
            outcome: outcome.into(),
            started_at_ms: self.started_at_ms,
            opened_ms: self.opened_ms.get(),
            ttft_ms: self.ttft_ms.get(),
            total_ms: self.age_ms(now_ms),
            usage,
            usage_estimated,
        }
    }

    /// What the provider counted. Where it had no time to count, what it said and read is estimated: it charges for that.
    fn usage(&self, outcome: &str, request: &LlmRequest) -> (Option<Usage>, bool) {
        let said = u64::from(estimate_tokens(&self.said.borrow()));
        match self.usage.get() {
            Some(usage) if outcome == OK || self.stopped.get() || said <= usage.output_tokens => (Some(usage), false),
            Some(usage) => {
                let output_tokens = said;
                (Some(Usage { output_tokens, ..usage }), true)
            }
            None if said > 0 => {
                let usage = Usage {
                    input_tokens: input_tokens(request),
                    output_tokens: said,
                    ..Usage::default()
                };
                (Some(usage), true)
            }
            None => (None, false),
        }
    }
}

/// The record of a target that was left alone.
pub(crate) fn skipped(target: &Target, now_ms: u64) -> Attempt {
    Attempt {
        provider: target.provider.clone(),
        model: target.model.clone(),
        span_id: None,
        response_model: None,
        outcome: BREAKER_OPEN.into(),
        started_at_ms: now_ms,
        opened_ms: None,
        ttft_ms: None,
        total_ms: 0,
        usage: None,
        usage_estimated: false,
        cost_micros: None,
    }
}
