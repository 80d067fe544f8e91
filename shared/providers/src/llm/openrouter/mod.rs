//! OpenRouter: OpenAI's wire, with its own word on who may serve the model, what became of the data, and what it cost.
//!
//! Source: OpenRouter, "Provider routing", "Streaming", "Usage accounting" and "Errors and debugging". An error after the
//! first byte comes as an event under status 200; comments keep the connection open.

use crate::http::{HttpRequest, Secret};
use crate::llm::fault::Failure;
use crate::llm::{Mode, openai};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use serde::Serialize;
use serde_json::json;
use silent_core::turn::{LlmRequest, ProviderError};

/// Who may serve the model, in OpenRouter's own names. The default keeps what people say out of training and logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Routing {
    /// Tried in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<String>,
    /// No others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Never these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Whether others may serve when those of `order` cannot.
    pub allow_fallbacks: bool,
    /// Only those that know every parameter of the request.
    pub require_parameters: bool,
    /// Whether data may be kept or trained on.
    pub data_collection: DataCollection,
    /// Only those that keep nothing at all.
    pub zdr: bool,
}

/// Whether those who serve may keep what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DataCollection {
    /// They may.
    Allow,
    /// They may not.
    Deny,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            order: Vec::new(),
            only: Vec::new(),
            ignore: Vec::new(),
            allow_fallbacks: true,
            require_parameters: true,
            data_collection: DataCollection::Deny,
            zdr: false,
        }
    }
}

impl Routing {
    /// Only these, in this order.
    #[must_use]
    pub fn pinned(providers: Vec<String>) -> Self {
        Self {
            only: providers.clone(),
            order: providers,
            allow_fallbacks: false,
            ..Self::default()
        }
    }
}

/// Where OpenRouter is and how it must route.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Up to and with `/api/v1`.
    pub base_url: String,
    /// Bearer key.
    pub api_key: Secret,
    /// OpenRouter's name of the model, for example `anthropic/claude-haiku-4.5`; where absent, the request's.
    pub model: Option<String>,
    /// Who may serve it.
    pub routing: Routing,
}

impl Endpoint {
    /// The public one.
    pub const BASE_URL: &'static str = "https://openrouter.ai/api/v1";
}

pub(crate) fn request(endpoint: &Endpoint, ask: &LlmRequest, mode: Mode) -> HttpRequest {
    let model = endpoint.model.as_deref().unwrap_or(&ask.model);
    let mut body = openai::body(ask, model, openai::Quirks::COMPATIBLE, mode);
    if let Some(fields) = body.as_object_mut() {
        fields.insert("provider".into(), json!(endpoint.routing));
    }
    openai::post(&endpoint.base_url, Some(&endpoint.api_key), mode, &body)
}

/// Asks about the key: free, and answers 401 to a wrong one; the list of models is open to anybody.
pub(crate) fn health_check(endpoint: &Endpoint) -> HttpRequest {
    let mut request = HttpRequest::get(format!("{}/key", endpoint.base_url.trim_end_matches('/')));
    openai::authorize(&mut request, Some(&endpoint.api_key));
    request
}

pub(crate) fn reader() -> openai::Reader {
    openai::Reader::with_cost()
}

pub(crate) fn fault(failure: &Failure<'_>) -> ProviderError {
    let retry_after_s = failure.retry_after_s();
    match failure.status {
        // Too much in flight for the credit at once: the header says when to come back. Without it, the credit is used up.
        402 if retry_after_s.is_some() => ProviderError::Busy { retry_after_s },
        403 if failure.body.pointer("/error/metadata/reasons").is_some() => ProviderError::Filtered,
        // "Your chosen model is down or we received an invalid response from it."
        502 => ProviderError::Overloaded { retry_after_s },
        _ => openai::fault(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::contract::{ask, endpoint_of};
    use alloc::vec;
    use serde_json::Value;

    #[test]
    fn format_unchanged() {
        let crate::llm::Endpoint::OpenRouter(mut endpoint) = endpoint_of("openrouter") else {
            panic!("kind")
        };
        let sent = |endpoint: &Endpoint| -> Value {
            serde_json::from_slice(&request(endpoint, &ask("hi"), Mode::Stream).body).unwrap()
        };
        assert_eq!(
            sent(&endpoint),
            json!({"model": "m", "max_tokens": 5, "temperature": 0.7, "stream": true, "stream_options": {"include_usage": true},
                "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}],
                "provider": {"allow_fallbacks": true, "require_parameters": true, "data_collection": "deny", "zdr": false}})
        );
        endpoint.routing = Routing::pinned(vec!["anthropic".into()]);
        assert_eq!(
            sent(&endpoint)["provider"],
            json!({"order": ["anthropic"], "only": ["anthropic"], "allow_fallbacks": false, "require_parameters": true,
                "data_collection": "deny", "zdr": false})
        );
        assert_eq!(health_check(&endpoint).url, "https://host.test/v1/key");
    }
}
