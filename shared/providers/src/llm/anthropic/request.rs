//! The request.

use crate::http::{HttpRequest, Secret};
use crate::llm::{Mode, transcript};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Value, json};
use silent_core::turn::LlmRequest;

/// The value of `anthropic-version`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// Takes a temperature, for models before Claude Opus 4.7.
    V2023_06_01,
    /// Answers 400 to a temperature.
    #[default]
    V2026_10_21,
}

impl Version {
    /// As the header says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2023_06_01 => "2023-06-01",
            Self::V2026_10_21 => "2026-10-21",
        }
    }
}

/// Where the API is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Without `/v1`.
    pub base_url: String,
    /// `x-api-key`.
    pub api_key: Secret,
    /// The model's name; where absent, the request's.
    pub model: Option<String>,
    /// The version of the API; the older one is asked with the request's temperature.
    pub version: Version,
}

impl Endpoint {
    /// The public one.
    pub const BASE_URL: &'static str = "https://api.anthropic.com";
}

pub(crate) fn request(endpoint: &Endpoint, ask: &LlmRequest, mode: Mode) -> HttpRequest {
    let url = format!("{}/v1/messages", endpoint.base_url.trim_end_matches('/'));
    let mut request = HttpRequest::post(url, mode.accept(), &body(endpoint, ask, mode));
    authorize(&mut request, endpoint);
    request
}

/// Lists one model: free, and answers 401 to a wrong key.
pub(crate) fn health_check(endpoint: &Endpoint) -> HttpRequest {
    let mut request = HttpRequest::get(format!("{}/v1/models?limit=1", endpoint.base_url.trim_end_matches('/')));
    authorize(&mut request, endpoint);
    request
}

fn authorize(request: &mut HttpRequest, endpoint: &Endpoint) {
    request.headers.extend([
        ("x-api-key", endpoint.api_key.expose().to_string()),
        ("anthropic-version", endpoint.version.as_str().to_string()),
    ]);
}

fn body(endpoint: &Endpoint, ask: &LlmRequest, mode: Mode) -> Value {
    let messages: Vec<Value> = transcript::alternating(&ask.messages)
        .into_iter()
        .map(|turn| {
            let role = if turn.assistant { "assistant" } else { "user" };
            json!({"role": role, "content": turn.text})
        })
        .collect();
    let mut body = json!({
        "model": endpoint.model.as_deref().unwrap_or(&ask.model),
        "max_tokens": ask.max_output_tokens,
        "messages": messages,
    });
    let mut put = |name: &str, value: Value| {
        if let Some(body) = body.as_object_mut() {
            body.insert(name.into(), value);
        }
    };
    let system = transcript::system(ask);
    if !system.is_empty() {
        put("system", json!(system));
    }
    if endpoint.version == Version::V2023_06_01 {
        // The API's range ends at 1.
        put(
            "temperature",
            json!(f64::from(ask.temperature_milli.min(1_000)) / 1_000.0),
        );
    }
    if let Some(schema) = &ask.response_schema {
        put(
            "output_config",
            json!({"format": {"type": "json_schema", "schema": schema}}),
        );
    }
    if mode == Mode::Stream {
        put("stream", json!(true));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::contract::{ask, endpoint_of};

    #[test]
    fn format_unchanged() {
        let crate::llm::Endpoint::Anthropic(mut endpoint) = endpoint_of("anthropic") else {
            panic!("kind")
        };
        let mut ask = ask("hi");
        let made = request(&endpoint, &ask, Mode::Stream);
        assert_eq!(made.url, "https://host.test/v1/messages");
        assert_eq!(made.header("x-api-key"), Some("KEY"));
        assert_eq!(made.header("anthropic-version"), Some("2026-10-21"));
        let messages = json!([{"role": "user", "content": "hi"}]);
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap(),
            json!({"model": "m", "max_tokens": 5, "system": "be kind", "stream": true, "messages": messages})
        );
        endpoint.version = Version::V2023_06_01;
        ask.system = String::new();
        ask.temperature_milli = 1_300;
        ask.response_schema = Some(json!({"type": "object"}));
        assert_eq!(
            serde_json::from_slice::<Value>(&request(&endpoint, &ask, Mode::Whole).body).unwrap(),
            json!({"model": "m", "max_tokens": 5, "temperature": 1.0, "messages": messages,
                "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}})
        );
        assert_eq!(health_check(&endpoint).url, "https://host.test/v1/models?limit=1");
    }
}
