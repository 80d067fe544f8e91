//! Where a model is: one type over all vendors that are reached by HTTP.

use super::decoder::Wire;
use super::events::Events;
use super::fault::Failure;
use super::{Decoder, Mode, anthropic, bedrock, gemini, ollama, openai, openrouter};
use crate::aws::event_stream;
use crate::http::HttpRequest;
use crate::{ndjson, sse};
use alloc::string::String;
use alloc::vec::Vec;
use silent_core::turn::{LlmEvent, LlmRequest, ProviderError};

/// A model's place, by the protocol that is spoken there.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// Chat completions.
    OpenAi(openai::Endpoint),
    /// OpenRouter.
    OpenRouter(openrouter::Endpoint),
    /// Messages.
    Anthropic(anthropic::Endpoint),
    /// Converse.
    Bedrock(bedrock::Endpoint),
    /// Gemini.
    Gemini(gemini::Endpoint),
    /// Ollama's own.
    Ollama(ollama::Endpoint),
}

impl Endpoint {
    /// The provider's name in events.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::OpenAi(endpoint) => &endpoint.name,
            Self::OpenRouter(_) => "openrouter",
            Self::Anthropic(_) => "anthropic",
            Self::Bedrock(_) => "bedrock",
            Self::Gemini(_) => "gemini",
            Self::Ollama(_) => "ollama",
        }
    }

    /// The request for an answer. `now_ms` (milliseconds since 1970) is signed by those who sign.
    #[must_use]
    pub fn request(&self, ask: &LlmRequest, mode: Mode, now_ms: u64) -> HttpRequest {
        let mut request = match self {
            Self::OpenAi(endpoint) => openai::request(endpoint, ask, mode),
            Self::OpenRouter(endpoint) => openrouter::request(endpoint, ask, mode),
            Self::Anthropic(endpoint) => anthropic::request(endpoint, ask, mode),
            Self::Bedrock(endpoint) => bedrock::request(endpoint, ask, mode, now_ms),
            Self::Gemini(endpoint) => gemini::request(endpoint, ask, mode),
            Self::Ollama(endpoint) => ollama::request(endpoint, ask, mode),
        };
        if let Some(trace) = &ask.trace {
            request.headers.push(("traceparent", trace.traceparent()));
            let state = trace.state.clone().map(|state| ("tracestate", state));
            request.headers.extend(state);
        }
        request
    }

    /// The decoder of the stream that [`Endpoint::request`] asks for.
    #[must_use]
    pub fn decoder(&self, ask: &LlmRequest) -> Decoder {
        let sse = sse::Decoder::default;
        let wire = match self {
            Self::OpenAi(_) => Wire::OpenAi(sse(), openai::Reader::default()),
            Self::OpenRouter(_) => Wire::OpenAi(sse(), openrouter::reader()),
            Self::Anthropic(_) => Wire::Anthropic(sse(), anthropic::Reader::default()),
            Self::Bedrock(_) => Wire::Bedrock(event_stream::Decoder::default(), bedrock::Reader),
            Self::Gemini(_) => Wire::Gemini(sse(), gemini::Reader),
            Self::Ollama(_) => Wire::Ollama(ndjson::Decoder::default(), ollama::Reader),
        };
        Decoder::new(wire, self.asked_model(ask))
    }

    /// Reads an answer that came at once.
    ///
    /// # Errors
    /// [`ProviderError`] where it is no whole answer.
    pub fn parse_whole(&self, ask: &LlmRequest, bytes: &[u8]) -> Result<Vec<LlmEvent>, ProviderError> {
        let mut events = Events::new(self.asked_model(ask));
        match self {
            Self::OpenAi(_) => openai::whole(openai::Reader::default(), bytes, &mut events),
            Self::OpenRouter(_) => openai::whole(openrouter::reader(), bytes, &mut events),
            Self::Anthropic(_) => anthropic::whole(bytes, &mut events),
            Self::Bedrock(_) => bedrock::whole(bytes, &mut events),
            Self::Gemini(_) => gemini::whole(bytes, &mut events),
            Self::Ollama(_) => ollama::whole(bytes, &mut events),
        }
        events.into_whole()
    }

    /// What an answer means whose status is not 2xx. `header` gives an answer's header by its name in lower case; of the body
    /// the first 64 KiB are enough.
    #[must_use]
    pub fn error_of_status(&self, status: u16, header: &dyn Fn(&str) -> Option<String>, body: &[u8]) -> ProviderError {
        let failure = Failure::new(status, header, body);
        match self {
            Self::OpenAi(_) => openai::fault(&failure),
            Self::OpenRouter(_) => openrouter::fault(&failure),
            Self::Anthropic(_) => anthropic::fault(&failure),
            Self::Bedrock(_) => bedrock::fault(&failure),
            Self::Gemini(_) => gemini::fault(&failure),
            Self::Ollama(_) => ollama::fault(&failure),
        }
    }

    /// The cheapest question that the vendor answers: 2xx says that it is there and, where it wants one, that the key is good.
    #[must_use]
    pub fn health_check(&self, now_ms: u64) -> HttpRequest {
        match self {
            Self::OpenAi(endpoint) => openai::health_check(endpoint),
            Self::OpenRouter(endpoint) => openrouter::health_check(endpoint),
            Self::Anthropic(endpoint) => anthropic::health_check(endpoint),
            Self::Bedrock(endpoint) => bedrock::health_check(endpoint, now_ms),
            Self::Gemini(endpoint) => gemini::health_check(endpoint),
            Self::Ollama(endpoint) => ollama::health_check(endpoint),
        }
    }

    fn asked_model<'a>(&'a self, ask: &'a LlmRequest) -> &'a str {
        let own = match self {
            Self::OpenAi(endpoint) => &endpoint.model,
            Self::OpenRouter(endpoint) => &endpoint.model,
            Self::Anthropic(endpoint) => &endpoint.model,
            Self::Bedrock(endpoint) => &endpoint.model,
            Self::Gemini(endpoint) => &endpoint.model,
            Self::Ollama(endpoint) => &endpoint.model,
        };
        own.as_deref().unwrap_or(&ask.model)
    }
}
