//! The stream of chunks, and the whole answer, which has the same shape with `message` for `delta`.

use crate::llm::events::Events;
use crate::llm::fault::{Failure, lower, of_status, says_too_long};
use alloc::string::String;
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::Value;
use silent_core::turn::{ProviderError, StopReason, Usage};

#[derive(Deserialize)]
struct Chunk {
    model: Option<String>,
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<WireUsage>,
    error: Option<Value>,
    /// vLLM's errors of older versions stand in the chunk itself.
    object: Option<String>,
    code: Option<Value>,
    /// Groq's own, with the usage of a stream.
    x_groq: Option<Groq>,
}

#[derive(Deserialize)]
struct Groq {
    usage: Option<WireUsage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default, alias = "message")]
    delta: Delta,
    finish_reason: Option<String>,
    /// OpenRouter: the reason in the words of the model's own vendor.
    native_finish_reason: Option<String>,
    error: Option<Value>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// OpenRouter: US dollars.
    cost: Option<f64>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// Chunks to events.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    has_cost: bool,
    refused: bool,
}

impl Reader {
    /// For a vendor whose `usage.cost` is its word on what the call cost.
    pub(crate) fn with_cost() -> Self {
        Self {
            has_cost: true,
            ..Self::default()
        }
    }

    pub(crate) fn read(&mut self, data: &str, events: &mut Events) {
        if data.trim() == "[DONE]" {
            return events.done();
        }
        match serde_json::from_str::<Chunk>(data) {
            Ok(chunk) => self.chunk(chunk, events),
            Err(_) => events.fail(ProviderError::Protocol("chunk is not JSON of the protocol")),
        }
    }

    fn chunk(&mut self, chunk: Chunk, events: &mut Events) {
        let groq = chunk.x_groq.map(|groq| (groq.usage, groq.error)).unwrap_or_default();
        if let Some(error) = chunk.error.or(groq.1).filter(|error| !error.is_null()) {
            return events.fail(in_band(&error));
        }
        if chunk.object.as_deref() == Some("error") {
            return events.fail(in_band(&serde_json::json!({"code": chunk.code})));
        }
        events.model(chunk.model.as_deref().unwrap_or(""));
        // Only one choice is asked for.
        if let Some(choice) = chunk.choices.into_iter().next() {
            if let Some(error) = choice.error.filter(|error| !error.is_null()) {
                return events.fail(in_band(&error));
            }
            events.delta(choice.delta.content.as_deref().unwrap_or(""));
            if let Some(refusal) = choice.delta.refusal {
                self.refused |= !refusal.is_empty();
                events.delta(&refusal);
            }
            if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
                self.refused |= choice.native_finish_reason.as_deref() == Some("refusal");
                match stop_reason(&reason) {
                    Some(_) if self.refused => events.stop(StopReason::Refusal),
                    Some(reason) => events.stop(reason),
                    None => events.fail(ProviderError::InStream),
                }
            }
        }
        if let Some(usage) = chunk.usage.or(groq.0) {
            self.usage(&usage, events);
        }
    }

    fn usage(&self, usage: &WireUsage, events: &mut Events) {
        let cached = usage
            .prompt_tokens_details
            .as_ref()
            .and_then(|details| details.cached_tokens);
        let reasoning = usage
            .completion_tokens_details
            .as_ref()
            .and_then(|details| details.reasoning_tokens);
        events.usage(Usage {
            input_tokens: usage.prompt_tokens,
            output_tokens: usage.completion_tokens,
            cached_input_tokens: cached.unwrap_or(0),
            reasoning_tokens: reasoning.unwrap_or(0),
        });
        if let Some(dollars) = usage.cost.filter(|dollars| self.has_cost && *dollars >= 0.0) {
            // Rounded half up; the cast saturates.
            events.cost((dollars * 1_000_000.0 + 0.5) as u64);
        }
    }
}

/// None where the answer failed.
fn stop_reason(reason: &str) -> Option<StopReason> {
    match reason {
        "stop" | "eos" | "end_turn" | "stop_sequence" => Some(StopReason::Stop),
        "length" | "max_tokens" | "model_length" => Some(StopReason::Length),
        "content_filter" => Some(StopReason::ContentFilter),
        "refusal" => Some(StopReason::Refusal),
        // OpenRouter's "error", vLLM's "abort"
        "error" | "abort" => None,
        _ => Some(StopReason::Other),
    }
}

/// An answer that came at once.
pub(crate) fn whole(mut reader: Reader, bytes: &[u8], events: &mut Events) {
    match serde_json::from_slice::<Chunk>(bytes) {
        Ok(chunk) => reader.chunk(chunk, events),
        Err(_) => events.fail(ProviderError::Protocol("answer is not JSON of the protocol")),
    }
}

/// What an error object means, where it says so.
fn of_object(error: &Value, retry_after_s: Option<u32>) -> Option<ProviderError> {
    let words = [
        lower(error, "/code"),
        lower(error, "/type"),
        lower(error, "/metadata/error_type"),
    ];
    let known = words.iter().find_map(|word| match word.as_str() {
        "insufficient_quota" | "billing_hard_limit_reached" | "billing_not_active" | "payment_required" => {
            Some(ProviderError::QuotaExhausted)
        }
        "rate_limit_exceeded" | "rate_limit_error" => Some(ProviderError::Busy { retry_after_s }),
        "overloaded_error"
        | "server_overloaded"
        | "provider_overloaded"
        | "provider_unavailable"
        | "unavailable_error"
        | "slow_down" => Some(ProviderError::Overloaded { retry_after_s }),
        "context_length_exceeded" | "exceed_context_size_error" | "string_too_long" => {
            Some(ProviderError::ContextLength)
        }
        "content_policy_violation" | "content_filter" => Some(ProviderError::Filtered),
        "timeout" => Some(ProviderError::TimedOut("upstream")),
        _ => None,
    });
    known.or_else(|| says_too_long(&lower(error, "/message")).then_some(ProviderError::ContextLength))
}

/// What an error inside an answer of status 200 means.
fn in_band(error: &Value) -> ProviderError {
    let by_code = || {
        let status = error.pointer("/code").and_then(Value::as_u64)?;
        match of_status(u16::try_from(status).ok()?, None) {
            ProviderError::Status(_) => None,
            known => Some(known),
        }
    };
    of_object(error, None)
        .or_else(by_code)
        .unwrap_or(ProviderError::InStream)
}

/// What an answer of another status means.
pub(crate) fn fault(failure: &Failure<'_>) -> ProviderError {
    let error = failure.body.pointer("/error").unwrap_or(&failure.body);
    of_object(error, failure.retry_after_s()).unwrap_or_else(|| failure.by_status())
}
