//! The chunks of a stream and the whole answer, which have one shape.

use crate::llm::events::Events;
use crate::llm::fault::{Failure, lower, of_status, says_too_long};
use alloc::string::String;
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::Value;
use silent_core::turn::{ProviderError, StopReason, Usage};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<WireUsage>,
    model_version: Option<String>,
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    text: Option<String>,
    /// The model's thinking, which is not said.
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage {
    #[serde(default)]
    prompt_token_count: u64,
    #[serde(default)]
    candidates_token_count: u64,
    #[serde(default)]
    thoughts_token_count: u64,
    #[serde(default)]
    cached_content_token_count: u64,
}

/// Chunks to events.
#[derive(Debug, Default)]
pub(crate) struct Reader;

impl Reader {
    pub(crate) fn read(&mut self, data: &str, events: &mut Events) {
        whole(data.as_bytes(), events);
    }
}

/// A chunk, or an answer that came at once.
pub(crate) fn whole(bytes: &[u8], events: &mut Events) {
    match serde_json::from_slice::<Chunk>(bytes) {
        Ok(chunk) => read(chunk, events),
        Err(_) => events.fail(ProviderError::Protocol("chunk is not JSON of the protocol")),
    }
}

fn read(chunk: Chunk, events: &mut Events) {
    if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
        return events.fail(in_stream(&error));
    }
    events.model(chunk.model_version.as_deref().unwrap_or(""));
    let mut reason = None;
    // Only one candidate is asked for.
    if let Some(candidate) = chunk.candidates.into_iter().next() {
        for part in candidate.content.map(|content| content.parts).unwrap_or_default() {
            if !part.thought {
                events.delta(part.text.as_deref().unwrap_or(""));
            }
        }
        reason = candidate.finish_reason;
    }
    // Every chunk has the usage so far.
    if let Some(usage) = chunk.usage_metadata {
        events.usage(Usage {
            input_tokens: usage.prompt_token_count,
            output_tokens: usage.candidates_token_count.saturating_add(usage.thoughts_token_count),
            cached_input_tokens: usage.cached_content_token_count,
            reasoning_tokens: usage.thoughts_token_count,
        });
    }
    if chunk
        .prompt_feedback
        .is_some_and(|feedback| feedback.block_reason.is_some())
    {
        events.stop(StopReason::ContentFilter);
    }
    match reason.as_deref() {
        None | Some("" | "FINISH_REASON_UNSPECIFIED") => {}
        Some("STOP") => events.stop(StopReason::Stop),
        Some("MAX_TOKENS") => events.stop(StopReason::Length),
        Some("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII") => {
            events.stop(StopReason::ContentFilter);
        }
        Some("MALFORMED_RESPONSE" | "MALFORMED_FUNCTION_CALL") => {
            events.fail(ProviderError::Protocol("malformed model output"));
        }
        Some(_) => events.stop(StopReason::Other),
    }
}

fn in_stream(error: &Value) -> ProviderError {
    let status = error.pointer("/code").and_then(Value::as_u64).unwrap_or(0);
    match of_object(error, None) {
        Some(known) => known,
        None => match of_status(u16::try_from(status).unwrap_or(0), None) {
            ProviderError::Status(_) => ProviderError::InStream,
            known => known,
        },
    }
}

/// What an error object means, where it says so.
fn of_object(error: &Value, retry_after_s: Option<u32>) -> Option<ProviderError> {
    let details = error.pointer("/details").and_then(Value::as_array);
    let details = || details.into_iter().flatten();
    match lower(error, "/status").as_str() {
        "resource_exhausted" => {
            let by_day = details()
                .filter_map(|detail| detail.pointer("/violations")?.as_array())
                .flatten()
                .any(|violation| lower(violation, "/quotaId").contains("perday"));
            if by_day {
                return Some(ProviderError::QuotaExhausted);
            }
            // `"retryDelay": "34.5s"`
            let delay = details().find_map(|detail| {
                let delay = detail.pointer("/retryDelay")?.as_str()?;
                delay.trim_end_matches('s').split('.').next()?.parse::<u32>().ok()
            });
            let retry_after_s = retry_after_s.or(delay.map(|seconds| seconds.saturating_add(1)));
            Some(ProviderError::Busy { retry_after_s })
        }
        "unavailable" => Some(ProviderError::Overloaded { retry_after_s }),
        "deadline_exceeded" => Some(ProviderError::TimedOut("upstream")),
        "invalid_argument" if says_too_long(&lower(error, "/message")) => Some(ProviderError::ContextLength),
        _ => None,
    }
}

/// What an answer of another status means.
pub(crate) fn fault(failure: &Failure<'_>) -> ProviderError {
    // Without `alt=sse` Google wraps the error in a list.
    let error = failure
        .body
        .pointer("/error")
        .or_else(|| failure.body.pointer("/0/error"));
    of_object(error.unwrap_or(&Value::Null), failure.retry_after_s()).unwrap_or_else(|| failure.by_status())
}
