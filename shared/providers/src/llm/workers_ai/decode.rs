//! The stream in either shape, and the whole answer.

use crate::llm::events::Events;
use crate::llm::fault::Failure;
use crate::llm::openai;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::Deserialize;
use serde_json::Value;
use silent_core::turn::{LlmEvent, LlmRequest, ProviderError, StopReason, Usage};

/// Cloudflare's own shape.
#[derive(Deserialize)]
struct Chunk {
    /// A string, or in JSON mode the value itself.
    #[serde(default)]
    response: Value,
    finish_reason: Option<String>,
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// Chunks to events.
#[derive(Debug)]
pub(crate) struct Reader {
    openai: openai::Reader,
    limit: u64,
    output_tokens: u64,
    /// Whether a chunk of Cloudflare's own shape was read: such a stream gives no stop reason.
    own_shape: bool,
}

impl Reader {
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            openai: openai::Reader::default(),
            limit,
            output_tokens: 0,
            own_shape: false,
        }
    }

    pub(crate) fn read(&mut self, data: &str, events: &mut Events) {
        if data.trim() == "[DONE]" {
            if self.own_shape {
                self.end(events);
            }
            return events.done();
        }
        match serde_json::from_str::<Value>(data) {
            Ok(value) => self.value(value, events),
            Err(_) => events.fail(ProviderError::Protocol("chunk is not JSON of the protocol")),
        }
    }

    fn value(&mut self, value: Value, events: &mut Events) {
        if let Some(error) = in_stream(&value) {
            return events.fail(error);
        }
        if value.get("response").is_none() {
            // OpenAI's shape; or the usage alone, which both have.
            return self.openai.read(&value.to_string(), events);
        }
        self.own_shape = true;
        let Ok(chunk) = serde_json::from_value::<Chunk>(value) else {
            return events.fail(ProviderError::Protocol("chunk is not JSON of the protocol"));
        };
        match &chunk.response {
            Value::Null => {}
            Value::String(text) => events.delta(text),
            data => events.delta(&data.to_string()),
        }
        if let Some(usage) = chunk.usage {
            self.output_tokens = usage.completion_tokens;
            events.usage(Usage {
                input_tokens: usage.prompt_tokens,
                output_tokens: usage.completion_tokens,
                ..Usage::default()
            });
        }
        match chunk.finish_reason.as_deref() {
            None | Some("") => {}
            Some("length") => events.stop(StopReason::Length),
            Some(_) => events.stop(StopReason::Stop),
        }
    }

    /// The mark of the end is the stop reason; an answer as long as its limit was cut by it.
    fn end(&self, events: &mut Events) {
        if !events.has_stopped() {
            events.stop(if self.output_tokens >= self.limit {
                StopReason::Length
            } else {
                StopReason::Stop
            });
        }
    }
}

/// Reads an answer that came at once, from the binding or, wrapped in `result`, from the REST interface.
///
/// # Errors
/// [`ProviderError`] where it is no whole answer.
pub fn parse_whole(model: Option<&str>, ask: &LlmRequest, bytes: &[u8]) -> Result<Vec<LlmEvent>, ProviderError> {
    let mut events = Events::new(model.unwrap_or(&ask.model));
    let mut reader = Reader::new(u64::from(ask.max_output_tokens));
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value) => {
            let value = value.get_mut("result").map(Value::take).unwrap_or(value);
            reader.value(value, &mut events);
            if reader.own_shape {
                reader.end(&mut events);
            }
        }
        Err(_) => events.fail(ProviderError::Protocol("answer is not JSON of the protocol")),
    }
    events.into_whole()
}

/// Cloudflare's errors have a number, in one of three places.
fn code(value: &Value) -> Option<u64> {
    let number = ["/internalCode", "/errors/0/code", "/error/code"]
        .iter()
        .find_map(|pointer| value.pointer(pointer)?.as_u64());
    // The binding's exceptions and the errors of a stream begin with it: `3040: Capacity temporarily exceeded`.
    number.or_else(|| {
        let text = value.as_str().or_else(|| value.pointer("/error/message")?.as_str())?;
        text.trim_start_matches("AiError: ").split(':').next()?.parse().ok()
    })
}

fn of_code(code: u64) -> Option<ProviderError> {
    match code {
        3006 => Some(ProviderError::ContextLength),
        3007 | 3008 => Some(ProviderError::TimedOut("upstream")),
        // The daily allocation.
        3036 | 4006 => Some(ProviderError::QuotaExhausted),
        3040 => Some(ProviderError::Overloaded { retry_after_s: None }),
        _ => None,
    }
}

fn in_stream(value: &Value) -> Option<ProviderError> {
    let failed = value.get("error").is_some_and(|error| !error.is_null())
        || value
            .get("errors")
            .and_then(Value::as_array)
            .is_some_and(|errors| !errors.is_empty());
    failed.then(|| code(value).and_then(of_code).unwrap_or(ProviderError::InStream))
}

/// What a raw response with a status other than 2xx means, or, as a JSON string, what an exception of the binding says.
#[must_use]
pub fn error_of_status(status: u16, header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> ProviderError {
    let mut failure = Failure::new(status, header, body);
    if failure.body.is_null() {
        failure.body = Value::String(String::from_utf8_lossy(body).to_string());
    }
    code(&failure.body)
        .and_then(of_code)
        .unwrap_or_else(|| failure.by_status())
}
