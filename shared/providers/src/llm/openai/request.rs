//! The request.

use crate::http::HttpRequest;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use serde_json::{Value, json};
use silent_core::turn::LlmRequest;

/// Where a compatible server is.
#[derive(Clone)]
pub struct Endpoint {
    /// Up to and with `/v1`, without a slash at the end.
    pub base_url: String,
    /// Bearer key, if it wants one.
    pub api_key: Option<String>,
    /// The server's own name of the model; where absent, the request's.
    pub model: Option<String>,
}

/// Asks for a stream with usage at its end.
#[must_use]
pub fn request(endpoint: &Endpoint, ask: &LlmRequest) -> HttpRequest {
    let mut messages: Vec<Value> = vec![json!({"role": "system", "content": ask.system})];
    messages.extend(
        ask.messages
            .iter()
            .map(|message| json!({"role": message.role, "content": message.text})),
    );
    let body = json!({
        "model": endpoint.model.as_deref().unwrap_or(&ask.model),
        "messages": messages,
        "max_tokens": ask.max_output_tokens,
        "temperature": f64::from(ask.temperature_milli) / 1_000.0,
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let mut headers = vec![
        ("content-type", "application/json".to_string()),
        ("accept", "text/event-stream".to_string()),
    ];
    if let Some(key) = &endpoint.api_key {
        headers.push(("authorization", format!("Bearer {key}")));
    }
    if let Some(trace) = &ask.traceparent {
        headers.push(("traceparent", trace.clone()));
    }
    HttpRequest {
        url: format!("{}/chat/completions", endpoint.base_url.trim_end_matches('/')),
        headers,
        body: body.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use silent_core::conversation::{Message, Role};

    #[test]
    fn format_unchanged() {
        let ask = LlmRequest {
            model: "m".into(),
            system: "be kind".into(),
            messages: vec![Message {
                role: Role::User,
                text: "hi".into(),
                at_ms: 1,
            }],
            max_output_tokens: 5,
            temperature_milli: 700,
            traceparent: Some("00-a-b-01".into()),
        };
        let endpoint = Endpoint {
            base_url: "http://x/v1/".into(),
            api_key: Some("k".into()),
            model: None,
        };
        let made = request(&endpoint, &ask);
        assert_eq!(made.url, "http://x/v1/chat/completions");
        assert_eq!(
            serde_json::from_str::<Value>(&made.body).unwrap(),
            json!({"model": "m", "max_tokens": 5, "temperature": 0.7, "stream": true, "stream_options": {"include_usage": true},
                "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]})
        );
        assert!(made.headers.contains(&("authorization", "Bearer k".into())));
        assert!(made.headers.contains(&("traceparent", "00-a-b-01".into())));
    }
}
