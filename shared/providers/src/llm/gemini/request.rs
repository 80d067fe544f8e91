//! The request.

use crate::http::{HttpRequest, Secret, percent_encode};
use crate::llm::{Mode, transcript};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Value, json};
use silent_core::turn::LlmRequest;

/// Where the API is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Up to and with the version.
    pub base_url: String,
    /// `x-goog-api-key`.
    pub api_key: Secret,
    /// The model's name, for example `gemini-2.5-flash`; where absent, the request's.
    pub model: Option<String>,
    /// Tokens that the model may think before it speaks, which count against the limit of the answer; 0 for none. Where
    /// absent, the model's default; models that do not think answer 400 to it.
    pub thinking_budget: Option<u32>,
}

impl Endpoint {
    /// The public one.
    pub const BASE_URL: &'static str = "https://generativelanguage.googleapis.com/v1beta";
}

pub(crate) fn request(endpoint: &Endpoint, ask: &LlmRequest, mode: Mode) -> HttpRequest {
    let model = endpoint.model.as_deref().unwrap_or(&ask.model);
    let action = match mode {
        Mode::Stream => "streamGenerateContent?alt=sse",
        Mode::Whole => "generateContent",
    };
    let url = format!(
        "{}/models/{}:{action}",
        endpoint.base_url.trim_end_matches('/'),
        percent_encode(model.trim_start_matches("models/"), "")
    );
    let mut request = HttpRequest::post(url, mode.accept(), &body(endpoint, ask));
    authorize(&mut request, endpoint);
    request
}

/// Lists one model: free, and answers 400 to a wrong key.
pub(crate) fn health_check(endpoint: &Endpoint) -> HttpRequest {
    let mut request = HttpRequest::get(format!("{}/models?pageSize=1", endpoint.base_url.trim_end_matches('/')));
    authorize(&mut request, endpoint);
    request
}

fn authorize(request: &mut HttpRequest, endpoint: &Endpoint) {
    request
        .headers
        .push(("x-goog-api-key", endpoint.api_key.expose().to_string()));
}

fn body(endpoint: &Endpoint, ask: &LlmRequest) -> Value {
    let contents: Vec<Value> = transcript::alternating(&ask.messages)
        .into_iter()
        .map(|turn| {
            let role = if turn.assistant { "model" } else { "user" };
            json!({"role": role, "parts": [{"text": turn.text}]})
        })
        .collect();
    let mut config = json!({
        "maxOutputTokens": ask.max_output_tokens,
        "temperature": f64::from(ask.temperature_milli) / 1_000.0,
    });
    let mut put = |name: &str, value: Value| {
        if let Some(config) = config.as_object_mut() {
            config.insert(name.into(), value);
        }
    };
    if let Some(schema) = &ask.response_schema {
        put("responseMimeType", json!("application/json"));
        put("responseJsonSchema", schema.clone());
    }
    if let Some(budget) = endpoint.thinking_budget {
        put("thinkingConfig", json!({"thinkingBudget": budget}));
    }
    let mut body = json!({"contents": contents, "generationConfig": config});
    let system = transcript::system(ask);
    if let Some(body) = body.as_object_mut().filter(|_| !system.is_empty()) {
        body.insert("systemInstruction".into(), json!({"parts": [{"text": system}]}));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::contract::{ask, endpoint_of};

    #[test]
    fn format_unchanged() {
        let crate::llm::Endpoint::Gemini(mut endpoint) = endpoint_of("gemini") else {
            panic!("kind")
        };
        let mut ask = ask("hi");
        let made = request(&endpoint, &ask, Mode::Stream);
        assert_eq!(made.url, "https://host.test/v1/models/m:streamGenerateContent?alt=sse");
        assert_eq!(made.header("x-goog-api-key"), Some("KEY"));
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap(),
            json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}],
                "systemInstruction": {"parts": [{"text": "be kind"}]},
                "generationConfig": {"maxOutputTokens": 5, "temperature": 0.7}})
        );
        endpoint.model = Some("models/gemini-2.5-flash".into());
        endpoint.thinking_budget = Some(0);
        ask.response_schema = Some(json!({"type": "object"}));
        let made = request(&endpoint, &ask, Mode::Whole);
        assert_eq!(made.url, "https://host.test/v1/models/gemini-2.5-flash:generateContent");
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap()["generationConfig"],
            json!({"maxOutputTokens": 5, "temperature": 0.7, "responseMimeType": "application/json",
                "responseJsonSchema": {"type": "object"}, "thinkingConfig": {"thinkingBudget": 0}})
        );
        assert_eq!(health_check(&endpoint).url, "https://host.test/v1/models?pageSize=1");
    }
}
