//! The frames of ConverseStream, and the whole answer of Converse.

use crate::aws::event_stream::{Frame, FrameError};
use crate::llm::events::Events;
use crate::llm::fault::{Failure, says_too_long};
use alloc::string::String;
use alloc::vec::Vec;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use silent_core::turn::{ProviderError, StopReason, Usage};

#[derive(Deserialize)]
struct BlockDelta {
    delta: Content,
}

/// A block or a delta: text is said, reasoning, tool calls and citations are not.
#[derive(Deserialize)]
struct Content {
    text: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageStop {
    stop_reason: String,
}

#[derive(Deserialize)]
struct Metadata {
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_write_input_tokens: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole {
    output: Output,
    stop_reason: String,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct Output {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    content: Vec<Content>,
}

/// Frames to events.
#[derive(Debug, Default)]
pub(crate) struct Reader;

impl Reader {
    pub(crate) fn read(&mut self, frame: Result<Frame, FrameError>, events: &mut Events) {
        let frame = match frame {
            Ok(frame) => frame,
            Err(FrameError::Length) => return events.fail(ProviderError::Protocol("length of a frame")),
            Err(FrameError::Checksum) => return events.fail(ProviderError::Protocol("checksum of a frame")),
            Err(FrameError::Headers) => return events.fail(ProviderError::Protocol("headers of a frame")),
        };
        let kind = |name| frame.header(name).unwrap_or("");
        match kind(":message-type") {
            "exception" => events.fail(in_stream(kind(":exception-type"), &frame.payload)),
            "error" => events.fail(in_stream(kind(":error-code"), &frame.payload)),
            _ => event(kind(":event-type"), &frame.payload, events),
        }
    }
}

fn event(kind: &str, payload: &[u8], events: &mut Events) {
    match kind {
        "contentBlockDelta" => parse(payload, events, |block: BlockDelta, events| say(&block.delta, events)),
        "messageStop" => parse(payload, events, |stop: MessageStop, events| {
            stopped(&stop.stop_reason, events);
        }),
        // The last one of a stream.
        "metadata" => parse(payload, events, |metadata: Metadata, events| {
            usage(metadata.usage, events);
            events.done();
        }),
        // `messageStart`, `contentBlockStart`, `contentBlockStop`, and what is yet to be invented.
        _ => {}
    }
}

fn parse<T: DeserializeOwned>(payload: &[u8], events: &mut Events, read: impl FnOnce(T, &mut Events)) {
    match serde_json::from_slice(payload) {
        Ok(value) => read(value, events),
        Err(_) => events.fail(ProviderError::Protocol("event is not JSON of the protocol")),
    }
}

fn say(content: &Content, events: &mut Events) {
    events.delta(content.text.as_deref().unwrap_or(""));
}

fn usage(usage: Option<WireUsage>, events: &mut Events) {
    if let Some(usage) = usage {
        events.usage(Usage {
            // The API counts what is read from and written to the cache apart.
            input_tokens: usage
                .input_tokens
                .saturating_add(usage.cache_read_input_tokens)
                .saturating_add(usage.cache_write_input_tokens),
            output_tokens: usage.output_tokens,
            cached_input_tokens: usage.cache_read_input_tokens,
            reasoning_tokens: 0,
        });
    }
}

fn stopped(reason: &str, events: &mut Events) {
    match reason {
        "end_turn" | "stop_sequence" => events.stop(StopReason::Stop),
        "max_tokens" | "model_context_window_exceeded" => events.stop(StopReason::Length),
        "guardrail_intervened" | "content_filtered" => events.stop(StopReason::ContentFilter),
        // What Claude says of itself is passed through.
        "refusal" => events.stop(StopReason::Refusal),
        "malformed_model_output" | "malformed_tool_use" => {
            events.fail(ProviderError::Protocol("malformed model output"));
        }
        _ => events.stop(StopReason::Other),
    }
}

/// An answer that came at once.
pub(crate) fn whole(bytes: &[u8], events: &mut Events) {
    parse(bytes, events, |whole: Whole, events| {
        for content in &whole.output.message.content {
            say(content, events);
        }
        stopped(&whole.stop_reason, events);
        usage(whole.usage, events);
    });
}

/// By the name of the exception, which a stream begins with a small letter.
fn of_name(name: &str, message: &str, retry_after_s: Option<u32>) -> Option<ProviderError> {
    match name.to_ascii_lowercase().as_str() {
        // A day's quota is a throttle too.
        "throttlingexception" if message.contains("per day") => Some(ProviderError::QuotaExhausted),
        "throttlingexception" => Some(ProviderError::Busy { retry_after_s }),
        "serviceunavailableexception" | "modelnotreadyexception" => Some(ProviderError::Overloaded { retry_after_s }),
        "modeltimeoutexception" => Some(ProviderError::TimedOut("upstream")),
        "servicequotaexceededexception" => Some(ProviderError::QuotaExhausted),
        "validationexception" if says_too_long(message) => Some(ProviderError::ContextLength),
        _ => None,
    }
}

fn in_stream(name: &str, payload: &[u8]) -> ProviderError {
    let message = String::from_utf8_lossy(payload).to_ascii_lowercase();
    of_name(name, &message, None).unwrap_or(ProviderError::InStream)
}

/// What an answer of another status means.
pub(crate) fn fault(failure: &Failure<'_>) -> ProviderError {
    let header = (failure.header)("x-amzn-errortype").unwrap_or_default();
    // `ThrottlingException:http://internal.amazon.com/…`, or with a namespace before `#`.
    let name = header.split(':').next().unwrap_or("");
    let name = name.rsplit('#').next().unwrap_or("");
    of_name(name, &failure.text("/message"), failure.retry_after_s()).unwrap_or_else(|| failure.by_status())
}
