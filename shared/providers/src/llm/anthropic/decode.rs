//! The stream of events, and the whole message.

use crate::llm::events::Events;
use crate::llm::fault::{Failure, lower, says_too_long};
use alloc::string::String;
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::Value;
use silent_core::turn::{ProviderError, StopReason, Usage};

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Message,
    },
    ContentBlockStart {
        content_block: Block,
    },
    ContentBlockDelta {
        delta: Block,
    },
    MessageDelta {
        delta: MessageDelta,
        usage: Option<WireUsage>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// `ping`, `content_block_stop`, and what is yet to be invented.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    model: String,
    #[serde(default)]
    content: Vec<Block>,
    stop_reason: Option<String>,
    usage: Option<WireUsage>,
}

/// A block or a delta: `text` and `text_delta` are said, thinking and signatures are not.
#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct MessageDelta {
    stop_reason: Option<String>,
}

/// Cumulative; what an event leaves out keeps its value.
#[derive(Debug, Clone, Default, Deserialize)]
struct WireUsage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct OutputDetails {
    thinking_tokens: Option<u64>,
}

/// Events of the API to events of ours.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    usage: WireUsage,
}

impl Reader {
    pub(crate) fn read(&mut self, data: &str, events: &mut Events) {
        match serde_json::from_str::<Event>(data) {
            Ok(Event::MessageStart { message }) => self.message(message, events),
            Ok(Event::ContentBlockStart { content_block: block } | Event::ContentBlockDelta { delta: block }) => {
                say(&block, events);
            }
            Ok(Event::MessageDelta { delta, usage }) => {
                if let Some(usage) = usage {
                    self.usage(usage, events);
                }
                stop(delta.stop_reason.as_deref(), events);
            }
            Ok(Event::MessageStop) => events.done(),
            Ok(Event::Error { error }) => events.fail(of_object(&error, None).unwrap_or(ProviderError::InStream)),
            Ok(Event::Other) => {}
            Err(_) => events.fail(ProviderError::Protocol("event is not JSON of the protocol")),
        }
    }

    fn message(&mut self, message: Message, events: &mut Events) {
        events.model(&message.model);
        for block in &message.content {
            say(block, events);
        }
        if let Some(usage) = message.usage {
            self.usage(usage, events);
        }
        stop(message.stop_reason.as_deref(), events);
    }

    fn usage(&mut self, new: WireUsage, events: &mut Events) {
        let known = &mut self.usage;
        known.input_tokens = new.input_tokens.or(known.input_tokens);
        known.output_tokens = new.output_tokens.or(known.output_tokens);
        known.cache_creation_input_tokens = new.cache_creation_input_tokens.or(known.cache_creation_input_tokens);
        known.cache_read_input_tokens = new.cache_read_input_tokens.or(known.cache_read_input_tokens);
        known.output_tokens_details = new.output_tokens_details.or_else(|| known.output_tokens_details.take());
        let cached = known.cache_read_input_tokens.unwrap_or(0);
        let written = known.cache_creation_input_tokens.unwrap_or(0);
        let thinking = known
            .output_tokens_details
            .as_ref()
            .and_then(|details| details.thinking_tokens);
        events.usage(Usage {
            // The API counts what is read from and written to its cache apart.
            input_tokens: known
                .input_tokens
                .unwrap_or(0)
                .saturating_add(cached)
                .saturating_add(written),
            output_tokens: known.output_tokens.unwrap_or(0),
            cached_input_tokens: cached,
            reasoning_tokens: thinking.unwrap_or(0),
        });
    }
}

fn say(block: &Block, events: &mut Events) {
    if block.kind == "text" || block.kind == "text_delta" {
        events.delta(&block.text);
    }
}

fn stop(reason: Option<&str>, events: &mut Events) {
    if let Some(reason) = reason {
        events.stop(match reason {
            "end_turn" | "stop_sequence" => StopReason::Stop,
            "max_tokens" | "model_context_window_exceeded" => StopReason::Length,
            "refusal" => StopReason::Refusal,
            _ => StopReason::Other,
        });
    }
}

/// An answer that came at once.
pub(crate) fn whole(bytes: &[u8], events: &mut Events) {
    match serde_json::from_slice::<Message>(bytes) {
        Ok(message) => Reader::default().message(message, events),
        Err(_) => events.fail(ProviderError::Protocol("answer is not JSON of the protocol")),
    }
}

/// What an error object means, where it says so.
fn of_object(error: &Value, retry_after_s: Option<u32>) -> Option<ProviderError> {
    match lower(error, "/type").as_str() {
        "overloaded_error" => Some(ProviderError::Overloaded { retry_after_s }),
        "rate_limit_error" => Some(ProviderError::Busy { retry_after_s }),
        "timeout_error" => Some(ProviderError::TimedOut("upstream")),
        "billing_error" => Some(ProviderError::QuotaExhausted),
        "request_too_large" => Some(ProviderError::ContextLength),
        "invalid_request_error" => {
            let message = lower(error, "/message");
            if says_too_long(&message) {
                Some(ProviderError::ContextLength)
            } else if message.contains("credit balance is too low") {
                Some(ProviderError::QuotaExhausted)
            } else if message.contains("content filtering policy") {
                Some(ProviderError::Filtered)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// What an answer of another status means.
pub(crate) fn fault(failure: &Failure<'_>) -> ProviderError {
    let error = failure.body.pointer("/error").unwrap_or(&Value::Null);
    of_object(error, failure.retry_after_s()).unwrap_or_else(|| failure.by_status())
}
