//! The embedded listener's words, at the pace of somebody who thinks before speaking.

use silent_core::memory::estimate_tokens;
use silent_core::turn::{LlmEvent, LlmRequest, StopReason, Usage};
use silent_providers::llm::offline;
use std::collections::VecDeque;
use std::time::Duration;
use worker::Delay;

/// An answer of the listener's.
pub struct OfflineStream {
    events: VecDeque<LlmEvent>,
    delay: Duration,
}

impl OfflineStream {
    pub(super) fn new(request: &LlmRequest, delay_ms: u64) -> Self {
        let reply = offline::reply(&request.messages);
        let usage = Usage {
            input_tokens: request
                .messages
                .iter()
                .map(|message| u64::from(estimate_tokens(&message.text)))
                .sum(),
            output_tokens: u64::from(estimate_tokens(&reply)),
            ..Usage::default()
        };
        let mut events = VecDeque::from([LlmEvent::Model(offline::MODEL.into()), LlmEvent::Cost(0)]);
        events.extend(offline::tokens(&reply).into_iter().map(LlmEvent::Delta));
        events.extend([LlmEvent::Usage(usage), LlmEvent::Stop(StopReason::Stop)]);
        Self {
            events,
            delay: Duration::from_millis(delay_ms),
        }
    }

    pub(super) async fn next(&mut self) -> Option<LlmEvent> {
        let event = self.events.pop_front()?;
        if matches!(event, LlmEvent::Delta(_)) && !self.delay.is_zero() {
            Delay::from(self.delay).await;
        }
        Some(event)
    }
}
