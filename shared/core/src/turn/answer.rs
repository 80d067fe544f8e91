//! An answer as it comes about: its words, who gave them, and what they cost.

use super::{Attempt, LlmEvent, Part, PartSink, Policy, ProviderError, Status, StopReason, TurnInput, Usage};
use crate::pricing;
use crate::safety::output::{Guard, Verdict};
use crate::trace::names::ModelCall;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) struct Answer {
    pub(super) status: Status,
    pub(super) text: String,
    /// Number of the text block.
    pub(super) block: u32,
    pub(super) attempts: Vec<Attempt>,
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) usage: Usage,
    pub(super) cost_micros: Option<u64>,
    pub(super) first_token_at_ms: Option<u64>,
    pub(super) stop: Option<StopReason>,
    pub(super) error: Option<ProviderError>,
    pub(super) guardrails: Vec<String>,
    /// Whether a budget replaced the model or shortened the answer.
    pub(super) is_degraded: bool,
}

impl Answer {
    pub(super) fn new(provider: &str, model: &str) -> Self {
        Self {
            status: Status::Done,
            text: String::new(),
            block: 0,
            attempts: Vec::new(),
            provider: provider.into(),
            model: model.into(),
            usage: Usage::default(),
            cost_micros: None,
            first_token_at_ms: None,
            stop: None,
            error: None,
            guardrails: Vec::new(),
            is_degraded: false,
        }
    }

    /// An answer that no model gives.
    pub(super) fn fixed() -> Self {
        Self {
            stop: Some(StopReason::Stop),
            ..Self::new("safety", "fixed-text")
        }
    }

    /// The request that gave the answer, in the words of traces.
    pub(super) fn call<'a>(&'a self, input: &'a TurnInput, policy: &'a Policy) -> ModelCall<'a> {
        ModelCall {
            provider: &self.provider,
            conversation: input.session_id.as_str(),
            model: &policy.model,
            max_tokens: Some(policy.max_output_tokens),
            temperature_milli: Some(policy.temperature_milli),
            response_model: (self.model != policy.model).then_some(self.model.as_str()),
            response_id: None,
            finish_reason: self.stop.map(StopReason::slug),
            usage: (self.usage != Usage::default()).then_some(self.usage),
            error: self.error.as_ref().map(ProviderError::slug),
        }
    }

    fn block_id(&self) -> String {
        format!("t{}", self.block)
    }

    pub(super) fn say(&mut self, out: &mut impl PartSink, text: String) {
        if text.is_empty() {
            return;
        }
        if self.text.is_empty() {
            out.emit(Part::TextStart { id: self.block_id() });
        }
        self.text.push_str(&text);
        out.emit(Part::TextDelta {
            id: self.block_id(),
            delta: text,
        });
    }

    /// Takes everything back. What the guard did to it stays on record: the person may have seen it.
    pub(super) fn reset(&mut self, out: &mut impl PartSink) {
        if !self.text.is_empty() {
            out.emit(Part::ResetStep);
            self.block += 1;
        }
        self.text.clear();
        self.stop = None;
    }

    pub(super) fn note(&mut self, event: LlmEvent) {
        match event {
            LlmEvent::Model(model) => self.model = model,
            LlmEvent::Usage(usage) => self.usage = usage,
            LlmEvent::Cost(micros) => self.cost_micros = Some(micros),
            LlmEvent::Stop(reason) => self.stop = Some(reason),
            LlmEvent::Attempt(attempt) => self.attempted(attempt),
            // Words go through the guard.
            LlmEvent::Delta(_) | LlmEvent::Reset => {}
        }
    }

    fn attempted(&mut self, attempt: Attempt) {
        if attempt.was_heard() || self.attempts.is_empty() {
            self.provider.clone_from(&attempt.provider);
            self.model
                .clone_from(attempt.response_model.as_ref().unwrap_or(&attempt.model));
        }
        self.attempts.push(attempt);
    }

    /// Tokens and cost: of all attempts that were charged, where the provider tells of attempts.
    pub(super) fn charged(&self) -> (Usage, Option<u64>) {
        if self.attempts.is_empty() {
            let by_table = || pricing::cost_micros(&self.model, self.usage, self.first_token_at_ms.unwrap_or(0));
            let cost = if self.provider == "safety" {
                Some(0)
            } else {
                self.cost_micros.or_else(by_table)
            };
            return (self.usage, cost);
        }
        let usages = self.attempts.iter().filter_map(|attempt| attempt.usage);
        let usage = usages.fold(Usage::default(), Usage::plus);
        let charged = self
            .attempts
            .iter()
            .filter(|attempt| attempt.usage.is_some() || attempt.cost_micros.is_some());
        let mut costs = charged.map(|attempt| attempt.cost_micros).peekable();
        let cost = match costs.peek() {
            Some(_) => costs.flatten().reduce(u64::saturating_add),
            None => Some(0),
        };
        (usage, cost)
    }

    /// Says a sentence of the model's, or what the guard puts in its place.
    pub(super) fn say_guarded(&mut self, out: &mut impl PartSink, guard: &Guard, sentence: &str) {
        match guard.check(sentence) {
            Verdict::Pass(text) => self.say(out, text),
            Verdict::Replace { text, reason } => {
                self.guardrails.push(reason.as_str().to_string());
                let gap = if self.text.is_empty() || self.text.ends_with(char::is_whitespace) {
                    ""
                } else {
                    " "
                };
                self.say(out, format!("{gap}{text}"));
            }
        }
    }

    pub(super) fn close(&mut self, out: &mut impl PartSink) {
        if !self.text.is_empty() {
            out.emit(Part::TextEnd { id: self.block_id() });
        }
    }
}
