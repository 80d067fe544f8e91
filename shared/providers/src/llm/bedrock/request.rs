//! The request.

use crate::aws::sigv4::{Credentials, Paths, Payload, Request, Signer};
use crate::http::{HttpRequest, Secret, percent_encode};
use crate::llm::{Mode, transcript};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde_json::{Value, json};
use silent_core::turn::LlmRequest;

/// How requests are authorised.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Signature Version 4.
    SigV4(Credentials),
    /// An Amazon Bedrock API key.
    ApiKey(Secret),
}

/// Where Bedrock is.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// For example `eu-central-1`.
    pub region: String,
    /// How requests are authorised.
    pub auth: Auth,
    /// Id or ARN of a model or an inference profile; where absent, the request's.
    pub model: Option<String>,
    /// Whether the model takes a temperature: Claude does not since Opus 4.7.
    pub temperature: bool,
    /// In the place of `https://bedrock-runtime.{region}.amazonaws.com`.
    pub runtime_url: Option<String>,
    /// In the place of `https://bedrock.{region}.amazonaws.com`.
    pub control_url: Option<String>,
}

pub(crate) fn request(endpoint: &Endpoint, ask: &LlmRequest, mode: Mode, now_ms: u64) -> HttpRequest {
    let (action, accept) = match mode {
        Mode::Stream => ("converse-stream", "application/vnd.amazon.eventstream"),
        Mode::Whole => ("converse", "application/json"),
    };
    let model = percent_encode(endpoint.model.as_deref().unwrap_or(&ask.model), "");
    let base = base_url(endpoint.runtime_url.as_deref(), "bedrock-runtime", &endpoint.region);
    let mut request = HttpRequest::post(format!("{base}/model/{model}/{action}"), accept, &body(endpoint, ask));
    authorize(&mut request, endpoint, now_ms);
    request
}

/// Lists one inference profile: free, needs `bedrock:ListInferenceProfiles`.
pub(crate) fn health_check(endpoint: &Endpoint, now_ms: u64) -> HttpRequest {
    let base = base_url(endpoint.control_url.as_deref(), "bedrock", &endpoint.region);
    let mut request = HttpRequest::get(format!("{base}/inference-profiles?maxResults=1"));
    authorize(&mut request, endpoint, now_ms);
    request
}

fn base_url(own: Option<&str>, service: &str, region: &str) -> String {
    match own {
        Some(url) => url.trim_end_matches('/').to_string(),
        None => format!("https://{service}.{region}.amazonaws.com"),
    }
}

fn authorize(request: &mut HttpRequest, endpoint: &Endpoint, now_ms: u64) {
    match &endpoint.auth {
        Auth::ApiKey(key) => request
            .headers
            .push(("authorization", format!("Bearer {}", key.expose()))),
        Auth::SigV4(credentials) => {
            let signer = Signer {
                credentials,
                region: &endpoint.region,
                service: "bedrock",
                now_ms,
                paths: Paths::Normalized,
                content_sha256: false,
            };
            // `accept` is left out: what stands between us and AWS may change it.
            let headers: Vec<(&str, &str)> = request
                .headers
                .iter()
                .filter(|(name, _)| *name == "content-type")
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let added = signer.sign(&Request {
                method: request.method.as_str(),
                url: &request.url,
                headers: &headers,
                payload: Payload::Bytes(&request.body),
            });
            request.headers.extend(added);
        }
    }
}

fn body(endpoint: &Endpoint, ask: &LlmRequest) -> Value {
    let messages: Vec<Value> = transcript::alternating(&ask.messages)
        .into_iter()
        .map(|turn| {
            let role = if turn.assistant { "assistant" } else { "user" };
            json!({"role": role, "content": [{"text": turn.text}]})
        })
        .collect();
    let mut inference = json!({"maxTokens": ask.max_output_tokens});
    if let Some(inference) = inference.as_object_mut().filter(|_| endpoint.temperature) {
        // The API's range ends at 1.
        let temperature = f64::from(ask.temperature_milli.min(1_000)) / 1_000.0;
        inference.insert("temperature".into(), json!(temperature));
    }
    let mut body = json!({"messages": messages, "inferenceConfig": inference});
    let mut put = |name: &str, value: Value| {
        if let Some(body) = body.as_object_mut() {
            body.insert(name.into(), value);
        }
    };
    let system = transcript::system(ask);
    if !system.is_empty() {
        put("system", json!([{"text": system}]));
    }
    if let Some(schema) = &ask.response_schema {
        let schema = json!({"jsonSchema": {"name": "answer", "schema": schema.to_string()}});
        put(
            "outputConfig",
            json!({"textFormat": {"type": "json_schema", "structure": schema}}),
        );
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::contract::{NOW_MS, ask, endpoint_of};

    #[test]
    fn format_unchanged() {
        let crate::llm::Endpoint::Bedrock(mut endpoint) = endpoint_of("bedrock") else {
            panic!("kind")
        };
        endpoint.runtime_url = None;
        endpoint.control_url = None;
        endpoint.model = Some("eu.anthropic.claude-haiku-4-5-20251001-v1:0".into());
        let mut ask = ask("hi");
        let made = request(&endpoint, &ask, Mode::Stream, NOW_MS);
        assert_eq!(
            made.url,
            "https://bedrock-runtime.eu-central-1.amazonaws.com/model/eu.anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream"
        );
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap(),
            json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}], "system": [{"text": "be kind"}],
                "inferenceConfig": {"maxTokens": 5, "temperature": 0.7}})
        );
        assert!(
            made.header("authorization")
                .unwrap()
                .contains("/eu-central-1/bedrock/aws4_request")
        );
        endpoint.temperature = false;
        endpoint.auth = Auth::ApiKey(Secret::new("KEY"));
        ask.response_schema = Some(json!({"type": "object"}));
        let made = request(&endpoint, &ask, Mode::Whole, NOW_MS);
        assert!(made.url.ends_with("/converse"));
        assert_eq!(made.header("authorization"), Some("Bearer KEY"));
        assert_eq!(
            serde_json::from_slice::<Value>(&made.body).unwrap(),
            json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}], "system": [{"text": "be kind"}],
                "inferenceConfig": {"maxTokens": 5}, "outputConfig": {"textFormat": {"type": "json_schema",
                "structure": {"jsonSchema": {"name": "answer", "schema": "{\"type\":\"object\"}"}}}}})
        );
        assert_eq!(
            health_check(&endpoint, NOW_MS).url,
            "https://bedrock.eu-central-1.amazonaws.com/inference-profiles?maxResults=1"
        );
    }
}
