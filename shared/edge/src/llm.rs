//! Models over the runtime's `fetch`, and the embedded one.

use crate::config::LlmConfig;
use futures::future::{Either, select};
use futures::{Stream, StreamExt};
use silent_core::memory::estimate_tokens;
use silent_core::turn::{LlmEvent, LlmProvider, LlmRequest, ProviderError, StopReason, TokenStream, Usage};
use silent_providers::http::{self, HttpRequest};
use silent_providers::llm::{Decoder, Mode, offline};
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::time::Duration;
use worker::{AbortController, AbortSignal, Date, Delay, Fetch, Headers, Method, Request, RequestInit, Response};

/// Longest wait for the body of an error.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(2);

type Bytes = Pin<Box<dyn Stream<Item = worker::Result<Vec<u8>>>>>;

/// The configured model.
pub struct Llm<'a> {
    config: &'a LlmConfig,
    idle: Duration,
}

impl<'a> Llm<'a> {
    /// From configuration; `idle_timeout_ms` bounds each wait for bytes.
    #[must_use]
    pub fn new(config: &'a LlmConfig, idle_timeout_ms: u64) -> Self {
        Self {
            config,
            idle: Duration::from_millis(idle_timeout_ms),
        }
    }
}

impl LlmProvider for Llm<'_> {
    type Stream = LlmStream;

    fn name(&self) -> &str {
        match self.config {
            LlmConfig::Offline { .. } => offline::NAME,
            LlmConfig::Http(endpoint) => endpoint.name(),
        }
    }

    async fn stream(&self, request: &LlmRequest) -> Result<LlmStream, ProviderError> {
        match self.config {
            LlmConfig::Offline { token_delay_ms } => {
                Ok(LlmStream::Offline(OfflineStream::new(request, *token_delay_ms)))
            }
            LlmConfig::Http(endpoint) => {
                let abort = AbortOnDrop::default();
                let asked = endpoint.request(request, Mode::Stream, Date::now().as_millis());
                let asked = pin!(send(asked, abort.signal()));
                let mut response = match select(asked, pin!(Delay::from(self.idle))).await {
                    Either::Left((response, _)) => response?,
                    Either::Right(_) => return Err(ProviderError::TimedOut("first byte")),
                };
                let status = response.status_code();
                if !(200..300).contains(&status) {
                    let headers = response.headers().clone();
                    // What failed is known from the status alone if the body does not come.
                    let body = match select(pin!(response.bytes()), pin!(Delay::from(ERROR_BODY_WAIT))).await {
                        Either::Left((body, _)) => body.unwrap_or_default(),
                        Either::Right(_) => Vec::new(),
                    };
                    let header = |name: &str| headers.get(name).ok().flatten();
                    return Err(endpoint.error_of_status(status, &header, &body));
                }
                let bytes = response.stream().map_err(|_| ProviderError::Protocol("no body"))?;
                Ok(LlmStream::Http(Box::new(HttpStream {
                    bytes: Box::pin(bytes),
                    decoder: endpoint.decoder(request),
                    ready: VecDeque::new(),
                    idle: self.idle,
                    over: false,
                    _abort: abort,
                })))
            }
        }
    }
}

pub(crate) async fn send(request: HttpRequest, signal: AbortSignal) -> Result<Response, ProviderError> {
    Fetch::Request(build(&request)?)
        .send_with_signal(&signal)
        .await
        .map_err(|_| ProviderError::Unreachable)
}

/// The runtime's request.
pub(crate) fn build(request: &HttpRequest) -> Result<Request, ProviderError> {
    let headers = Headers::new();
    for (name, value) in &request.headers {
        headers
            .set(name, value)
            .map_err(|_| ProviderError::Protocol("header"))?;
    }
    let mut init = RequestInit::new();
    init.with_headers(headers).with_method(match request.method {
        http::Method::Get => Method::Get,
        http::Method::Post => Method::Post,
    });
    if !request.body.is_empty() {
        init.with_body(Some(js_sys::Uint8Array::from(request.body.as_slice()).into()));
    }
    Request::new_with_init(&request.url, &init).map_err(|_| ProviderError::Protocol("url"))
}

/// Ends the upstream request when nobody wants its answer any more.
pub(crate) struct AbortOnDrop(Option<AbortController>);

impl Default for AbortOnDrop {
    fn default() -> Self {
        Self(Some(AbortController::default()))
    }
}

impl AbortOnDrop {
    pub(crate) fn signal(&self) -> AbortSignal {
        self.0.as_ref().map_or_else(AbortSignal::abort, AbortController::signal)
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

/// A model's answer as it comes.
pub enum LlmStream {
    /// The embedded listener's.
    Offline(OfflineStream),
    /// A server's.
    Http(Box<HttpStream>),
}

impl TokenStream for LlmStream {
    async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>> {
        match self {
            Self::Offline(stream) => stream.next().await.map(Ok),
            Self::Http(stream) => stream.next().await,
        }
    }
}

/// Words at the pace of somebody who thinks before speaking.
pub struct OfflineStream {
    events: VecDeque<LlmEvent>,
    delay: Duration,
}

impl OfflineStream {
    fn new(request: &LlmRequest, delay_ms: u64) -> Self {
        let reply = offline::reply(&request.messages);
        let usage = Usage {
            input_tokens: request
                .messages
                .iter()
                .map(|message| u64::from(estimate_tokens(&message.text)))
                .sum(),
            output_tokens: u64::from(estimate_tokens(&reply)),
            ..Usage::default()
        };
        let mut events = VecDeque::from([LlmEvent::Model(offline::MODEL.into())]);
        events.extend(offline::tokens(&reply).into_iter().map(LlmEvent::Delta));
        events.extend([LlmEvent::Usage(usage), LlmEvent::Stop(StopReason::Stop)]);
        Self {
            events,
            delay: Duration::from_millis(delay_ms),
        }
    }

    async fn next(&mut self) -> Option<LlmEvent> {
        let event = self.events.pop_front()?;
        if matches!(event, LlmEvent::Delta(_)) && !self.delay.is_zero() {
            Delay::from(self.delay).await;
        }
        Some(event)
    }
}

/// A server's stream.
pub struct HttpStream {
    bytes: Bytes,
    decoder: Decoder,
    ready: VecDeque<Result<LlmEvent, ProviderError>>,
    idle: Duration,
    over: bool,
    _abort: AbortOnDrop,
}

impl HttpStream {
    async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over || self.decoder.is_done() {
                return None;
            }
            match select(self.bytes.next(), pin!(Delay::from(self.idle))).await {
                Either::Left((Some(Ok(bytes)), _)) => self.ready.extend(self.decoder.push(&bytes)),
                Either::Left((Some(Err(_)), _)) => {
                    self.over = true;
                    return Some(Err(ProviderError::Truncated));
                }
                Either::Left((None, _)) => {
                    self.over = true;
                    return self.decoder.finish().err().map(Err);
                }
                Either::Right(_) => {
                    self.over = true;
                    return Some(Err(ProviderError::TimedOut("silence")));
                }
            }
        }
    }
}
