//! OTLP over the runtime's `fetch`.

use super::config::Endpoint;
use crate::{log, random};
use futures::future::{Either, select};
use serde_json::json;
use silent_core::trace::names::Resource;
use silent_core::trace::retry::{self, Tried};
use silent_core::trace::{ExportError, Span, TraceExporter};
use std::pin::pin;
use std::time::Duration;
use worker::{AbortController, AbortSignal, Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect};

/// A collector, and what is said about us there.
pub(super) struct Otlp<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) resource: &'a Resource,
}

impl TraceExporter for Otlp<'_> {
    async fn export(&self, spans: &[Span]) -> Result<(), ExportError> {
        let body = self.endpoint.protocol.request(self.resource, spans);
        let mut tries = 0;
        loop {
            tries += 1;
            let tried = match self.send_in_time(&body).await {
                Ok(rejected) if rejected > 0 => {
                    let fields = json!({"cause": "rejected", "spans": rejected});
                    log::line("warn", "traces-lost", "trace-export", fields);
                    return Ok(());
                }
                Ok(_) => return Ok(()),
                Err(tried) => tried,
            };
            let jitter = random::bytes().map_or(0, u64::from_le_bytes);
            match retry::wait_ms(tried, tries, jitter) {
                Some(wait_ms) => Delay::from(Duration::from_millis(wait_ms)).await,
                None if tried == Tried::NoAnswer => return Err(ExportError("collector-away")),
                None => return Err(ExportError("collector-refused")),
            }
        }
    }
}

impl Otlp<'_> {
    /// The number of spans that the collector refused, where it took the request.
    async fn send_in_time(&self, body: &[u8]) -> Result<u64, Tried> {
        let abort = AbortController::default();
        let sent = pin!(self.send(body, abort.signal()));
        match select(sent, pin!(Delay::from(self.endpoint.timeout))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => {
                abort.abort();
                Err(Tried::NoAnswer)
            }
        }
    }

    async fn send(&self, body: &[u8], signal: AbortSignal) -> Result<u64, Tried> {
        let request = self.request(body).map_err(|_| Tried::Status(0, None))?;
        let mut response = Fetch::Request(request)
            .send_with_signal(&signal)
            .await
            .map_err(|_| Tried::NoAnswer)?;
        let status = response.status_code();
        // Read in any case: a body that nobody reads holds one of the few connections.
        let answer = response.bytes().await;
        if (200..300).contains(&status) {
            return Ok(self.endpoint.protocol.rejected(&answer.unwrap_or_default()));
        }
        let after = response.headers().get("retry-after").ok().flatten();
        Err(Tried::Status(
            status,
            after.and_then(|seconds| seconds.trim().parse().ok()),
        ))
    }

    fn request(&self, body: &[u8]) -> worker::Result<Request> {
        let headers = Headers::new();
        for (name, value) in &self.endpoint.headers {
            headers.set(name, value)?;
        }
        headers.set("content-type", self.endpoint.protocol.content_type())?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_headers(headers)
            // A redirect would carry the secret headers elsewhere.
            .with_redirect(RequestRedirect::Manual)
            .with_body(Some(js_sys::Uint8Array::from(body).into()));
        Request::new_with_init(&self.endpoint.url, &init)
    }
}
