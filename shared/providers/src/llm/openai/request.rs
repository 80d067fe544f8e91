//! The request.

use crate::http::{HttpRequest, Secret};
use crate::llm::Mode;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde_json::{Value, json};
use silent_core::turn::LlmRequest;

/// Where servers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The limit is called `max_completion_tokens`, as OpenAI calls it since its reasoning models; else `max_tokens`.
    pub max_completion_tokens: bool,
    /// It knows `stream_options.include_usage`.
    pub stream_usage: bool,
    /// The model takes a temperature; OpenAI's reasoning models answer 400 to one.
    pub temperature: bool,
    /// It knows `response_format` with a JSON Schema.
    pub json_schema: bool,
}

impl Quirks {
    /// OpenAI itself, and Groq, which followed it.
    pub const OPENAI: Self = Self {
        max_completion_tokens: true,
        stream_usage: true,
        temperature: true,
        json_schema: true,
    };
    /// vLLM, llama.cpp and Ollama's `/v1`.
    pub const COMPATIBLE: Self = Self {
        max_completion_tokens: false,
        ..Self::OPENAI
    };
    /// A server that knows the protocol's first version only.
    pub const PLAIN: Self = Self {
        max_completion_tokens: false,
        stream_usage: false,
        temperature: true,
        json_schema: false,
    };
}

/// Where a compatible server is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The provider's name in events, for example `openai` or `groq`.
    pub name: String,
    /// Up to and with `/v1`.
    pub base_url: String,
    /// Bearer key, if it wants one.
    pub api_key: Option<Secret>,
    /// The server's own name of the model; where absent, the request's.
    pub model: Option<String>,
    /// How it differs.
    pub quirks: Quirks,
}

impl Endpoint {
    /// OpenAI's own.
    pub const OPENAI_URL: &'static str = "https://api.openai.com/v1";
    /// Groq's.
    pub const GROQ_URL: &'static str = "https://api.groq.com/openai/v1";
}

pub(crate) fn request(endpoint: &Endpoint, ask: &LlmRequest, mode: Mode) -> HttpRequest {
    let model = endpoint.model.as_deref().unwrap_or(&ask.model);
    let body = body(ask, model, endpoint.quirks, mode);
    post(&endpoint.base_url, endpoint.api_key.as_ref(), mode, &body)
}

pub(crate) fn post(base_url: &str, key: Option<&Secret>, mode: Mode, body: &Value) -> HttpRequest {
    let url = format!("{}/chat/completions", base_url.trim_end_matches('/'));
    let mut request = HttpRequest::post(url, mode.accept(), body);
    authorize(&mut request, key);
    request
}

/// Lists the models: free, and answers 401 to a wrong key.
pub(crate) fn health_check(endpoint: &Endpoint) -> HttpRequest {
    let mut request = HttpRequest::get(format!("{}/models", endpoint.base_url.trim_end_matches('/')));
    authorize(&mut request, endpoint.api_key.as_ref());
    request
}

pub(crate) fn authorize(request: &mut HttpRequest, key: Option<&Secret>) {
    if let Some(key) = key {
        request
            .headers
            .push(("authorization", format!("Bearer {}", key.expose())));
    }
}

pub(crate) fn body(ask: &LlmRequest, model: &str, quirks: Quirks, mode: Mode) -> Value {
    let mut messages: Vec<Value> = Vec::new();
    if !ask.system.is_empty() {
        messages.push(json!({"role": "system", "content": ask.system}));
    }
    messages.extend(
        ask.messages
            .iter()
            .map(|message| json!({"role": message.role, "content": message.text})),
    );
    let mut body = json!({"model": model, "messages": messages});
    let mut put = |name: &str, value: Value| {
        if let Some(body) = body.as_object_mut() {
            body.insert(name.into(), value);
        }
    };
    let limit = if quirks.max_completion_tokens {
        "max_completion_tokens"
    } else {
        "max_tokens"
    };
    put(limit, json!(ask.max_output_tokens));
    if quirks.temperature {
        put("temperature", json!(f64::from(ask.temperature_milli) / 1_000.0));
    }
    if mode == Mode::Stream {
        put("stream", json!(true));
        if quirks.stream_usage {
            put("stream_options", json!({"include_usage": true}));
        }
    }
    if let Some(schema) = ask.response_schema.as_ref().filter(|_| quirks.json_schema) {
        let format = json!({"name": "answer", "strict": true, "schema": schema});
        put("response_format", json!({"type": "json_schema", "json_schema": format}));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::contract::{ask, endpoint_of};

    fn sent(endpoint: &Endpoint, ask: &LlmRequest, mode: Mode) -> Value {
        serde_json::from_slice(&request(endpoint, ask, mode).body).unwrap()
    }

    #[test]
    fn format_unchanged() {
        let crate::llm::Endpoint::OpenAi(mut endpoint) = endpoint_of("openai") else {
            panic!("kind")
        };
        let mut ask = ask("hi");
        let messages = json!([{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]);
        assert_eq!(
            sent(&endpoint, &ask, Mode::Stream),
            json!({"model": "m", "max_completion_tokens": 5, "temperature": 0.7, "stream": true,
                "stream_options": {"include_usage": true}, "messages": messages})
        );
        endpoint.quirks = Quirks {
            temperature: false,
            ..Quirks::PLAIN
        };
        endpoint.model = Some("served".into());
        ask.response_schema = Some(json!({"type": "object"}));
        assert_eq!(
            sent(&endpoint, &ask, Mode::Stream),
            json!({"model": "served", "max_tokens": 5, "stream": true, "messages": messages})
        );
        endpoint.quirks = Quirks::COMPATIBLE;
        let sent = sent(&endpoint, &ask, Mode::Whole);
        assert_eq!(sent.get("stream"), None);
        assert_eq!(
            sent["response_format"],
            json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": {"type": "object"}}})
        );
        let made = request(&endpoint, &ask, Mode::Stream);
        assert_eq!(made.url, "https://host.test/v1/chat/completions");
        assert_eq!(made.header("authorization"), Some("Bearer KEY"));
        assert_eq!(health_check(&endpoint).url, "https://host.test/v1/models");
    }
}
