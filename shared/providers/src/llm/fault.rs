//! What failures mean, as far as vendors agree. Texts are looked at and never kept: they may quote the person.

use crate::http;
use alloc::string::String;
use serde_json::Value;
use silent_core::turn::ProviderError;

/// An answer whose status is not 2xx.
pub(crate) struct Failure<'a> {
    pub(crate) status: u16,
    pub(crate) header: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) body: Value,
}

impl<'a> Failure<'a> {
    pub(crate) fn new(status: u16, header: &'a dyn Fn(&str) -> Option<String>, body: &[u8]) -> Self {
        Self {
            status,
            header,
            body: serde_json::from_slice(body).unwrap_or_default(),
        }
    }

    pub(crate) fn retry_after_s(&self) -> Option<u32> {
        http::retry_after_s(self.header)
    }

    /// A string of the body, by JSON pointer, in lower case.
    pub(crate) fn text(&self, pointer: &str) -> String {
        lower(&self.body, pointer)
    }

    /// By the status alone.
    pub(crate) fn by_status(&self) -> ProviderError {
        of_status(self.status, self.retry_after_s())
    }
}

/// A string, by JSON pointer, in lower case; empty where there is none.
pub(crate) fn lower(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_ascii_lowercase)
        .unwrap_or_default()
}

/// What an HTTP status means where nothing else is said.
pub(crate) fn of_status(status: u16, retry_after_s: Option<u32>) -> ProviderError {
    match status {
        402 => ProviderError::QuotaExhausted,
        408 | 504 => ProviderError::TimedOut("upstream"),
        413 => ProviderError::ContextLength,
        429 => ProviderError::Busy { retry_after_s },
        // 529 is Anthropic's "overloaded", 498 Groq's "flex tier capacity exceeded".
        498 | 503 | 529 => ProviderError::Overloaded { retry_after_s },
        status => ProviderError::Status(status),
    }
}

/// Whether a message in lower case says that the conversation does not fit. Each phrase is one vendor's.
pub(crate) fn says_too_long(message: &str) -> bool {
    [
        // OpenAI, vLLM, Groq
        "maximum context length",
        "reduce the length of the messages",
        // Anthropic
        "prompt is too long",
        "exceed context limit",
        // llama.cpp
        "exceeds the available context size",
        // Bedrock
        "input is too long",
        "too many input tokens",
        // Gemini
        "input token count",
    ]
    .iter()
    .any(|phrase| message.contains(phrase))
}
