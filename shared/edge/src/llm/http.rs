//! A vendor's stream over the runtime's `fetch`. How long to wait is the router's to say.

use futures::future::{Either, select};
use futures::{Stream, StreamExt};
use silent_core::turn::{LlmEvent, LlmRequest, ProviderError};
use silent_providers::http::{self, HttpRequest};
use silent_providers::llm::{Decoder, Endpoint, Mode};
use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::time::Duration;
use worker::{AbortController, AbortSignal, Date, Delay, Fetch, Headers, Method, Request, RequestInit, Response};

/// Longest wait for the body of an error.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(2);

type Bytes = Pin<Box<dyn Stream<Item = worker::Result<Vec<u8>>>>>;

/// A server's answer, decoded. Dropping it ends the request.
pub struct HttpStream {
    bytes: Bytes,
    decoder: Decoder,
    ready: VecDeque<Result<LlmEvent, ProviderError>>,
    over: bool,
    _abort: AbortOnDrop,
}

impl HttpStream {
    /// Asks, up to the answer's headers.
    pub(super) async fn open(endpoint: &Endpoint, request: &LlmRequest) -> Result<Self, ProviderError> {
        let abort = AbortOnDrop::default();
        let asked = endpoint.request(request, Mode::Stream, Date::now().as_millis());
        let response = send(asked, abort.signal()).await?;
        let fault = |status, header: &dyn Fn(&str) -> Option<String>, body: &[u8]| {
            endpoint.error_of_status(status, header, body)
        };
        Self::of_response(response, endpoint.decoder(request), abort, fault).await
    }

    /// The stream of an answer; `fault` says what one of another status than 2xx means.
    pub(super) async fn of_response(
        mut response: Response,
        decoder: Decoder,
        abort: AbortOnDrop,
        fault: impl Fn(u16, &dyn Fn(&str) -> Option<String>, &[u8]) -> ProviderError,
    ) -> Result<Self, ProviderError> {
        let status = response.status_code();
        if !(200..300).contains(&status) {
            let headers = response.headers().clone();
            // What failed is known from the status alone if the body does not come.
            let body = match select(pin!(response.bytes()), pin!(Delay::from(ERROR_BODY_WAIT))).await {
                Either::Left((body, _)) => body.unwrap_or_default(),
                Either::Right(_) => Vec::new(),
            };
            return Err(fault(status, &|name| headers.get(name).ok().flatten(), &body));
        }
        let bytes = response.stream().map_err(|_| ProviderError::Protocol("no body"))?;
        Ok(Self {
            bytes: Box::pin(bytes),
            decoder,
            ready: VecDeque::new(),
            over: false,
            _abort: abort,
        })
    }

    pub(super) async fn next(&mut self) -> Option<Result<LlmEvent, ProviderError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over || self.decoder.is_done() {
                return None;
            }
            match self.bytes.next().await {
                Some(Ok(bytes)) => self.ready.extend(self.decoder.push(&bytes)),
                Some(Err(_)) => {
                    self.over = true;
                    return Some(Err(ProviderError::Truncated));
                }
                None => {
                    self.over = true;
                    return self.decoder.finish().err().map(Err);
                }
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
