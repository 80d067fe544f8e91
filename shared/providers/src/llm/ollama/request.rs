//! The request.

use crate::http::{HttpRequest, Secret};
use crate::llm::{Mode, openai};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde_json::{Value, json};
use silent_core::turn::LlmRequest;

/// Where the server is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Without `/api`.
    pub base_url: String,
    /// Bearer key, if something before it wants one.
    pub api_key: Option<Secret>,
    /// The model's name; where absent, the request's.
    pub model: Option<String>,
    /// The model's window in tokens; where absent, the server's default, beyond which it drops messages without a word.
    pub num_ctx: Option<u32>,
}

impl Endpoint {
    /// The one that an installation listens on.
    pub const BASE_URL: &'static str = "http://127.0.0.1:11434";
}

pub(crate) fn request(endpoint: &Endpoint, ask: &LlmRequest, mode: Mode) -> HttpRequest {
    let (stream, accept) = match mode {
        Mode::Stream => (true, "application/x-ndjson"),
        Mode::Whole => (false, "application/json"),
    };
    let mut messages: Vec<Value> = Vec::new();
    if !ask.system.is_empty() {
        messages.push(json!({"role": "system", "content": ask.system}));
    }
    messages.extend(
        ask.messages
            .iter()
            .map(|message| json!({"role": message.role, "content": message.text})),
    );
    let mut options = json!({
        "num_predict": ask.max_output_tokens,
        "temperature": f64::from(ask.temperature_milli) / 1_000.0,
    });
    if let (Some(options), Some(num_ctx)) = (options.as_object_mut(), endpoint.num_ctx) {
        options.insert("num_ctx".into(), json!(num_ctx));
    }
    let mut body = json!({
        "model": endpoint.model.as_deref().unwrap_or(&ask.model),
        "messages": messages,
        "stream": stream,
        "options": options,
    });
    if let (Some(body), Some(schema)) = (body.as_object_mut(), &ask.response_schema) {
        body.insert("format".into(), schema.clone());
    }
    let url = format!("{}/api/chat", endpoint.base_url.trim_end_matches('/'));
    let mut request = HttpRequest::post(url, accept, &body);
    openai::authorize(&mut request, endpoint.api_key.as_ref());
    request
}

/// Asks for the version.
pub(crate) fn health_check(endpoint: &Endpoint) -> HttpRequest {
    let mut request = HttpRequest::get(format!("{}/api/version", endpoint.base_url.trim_end_matches('/')));
    openai::authorize(&mut request, endpoint.api_key.as_ref());
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::contract::{ask, endpoint_of};

    #[test]
    fn format_unchanged() {
        let crate::llm::Endpoint::Ollama(endpoint) = endpoint_of("ollama") else {
            panic!("kind")
        };
        let mut ask = ask("hi");
        ask.response_schema = Some(json!({"type": "object"}));
        let made = request(&endpoint, &ask, Mode::Stream);
        assert_eq!(made.url, "https://host.test/api/chat");
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap(),
            json!({"model": "m", "stream": true, "format": {"type": "object"},
                "options": {"num_predict": 5, "temperature": 0.7, "num_ctx": 8192},
                "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]})
        );
        // Ollama streams unless it is told not to.
        let whole: Value = serde_json::from_slice(&request(&endpoint, &ask, Mode::Whole).body).unwrap();
        assert_eq!(whole["stream"], false);
        assert_eq!(health_check(&endpoint).url, "https://host.test/api/version");
    }
}
