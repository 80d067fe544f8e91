//! The chat Worker, which runs every turn: there is one pipeline, and voice goes through it.

use crate::door::Fail;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use silent_core::ids::{PersonId, SessionId, TurnId};
use silent_core::turn::{Clock, Part};
use silent_edge::SystemClock;
use silent_edge::error::ApiError;
use silent_edge::http::header;
use silent_edge::queue::VoiceFigures;
use silent_edge::token::Tokens;
use silent_providers::sse;
use std::collections::VecDeque;
use worker::{ByteStream, Env, Fetcher, Headers, Method, RequestInit, Response};

/// How long a ticket to the internal routes is good.
const TICKET_MS: u64 = 3_600_000;

/// What the chat Worker says about a session and its person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) person_id: PersonId,
    pub(crate) country: Option<String>,
    /// BCP 47.
    pub(crate) locale: String,
    /// The provider that the person's voice variant asks for.
    pub(crate) voice: Option<String>,
    /// Whether the person agreed to keep recordings.
    pub(crate) store_audio: bool,
    /// The person's data key, wrapped.
    pub(crate) wrapped_key: Option<String>,
}

/// The chat Worker as one person sees one session.
#[derive(Clone)]
pub(crate) struct Chat {
    service: std::rc::Rc<Fetcher>,
    session: SessionId,
    token: String,
    ticket: String,
    country: Option<String>,
    address: Option<String>,
    pub(crate) traceparent: Option<String>,
}

impl Chat {
    pub(crate) fn new(
        env: &Env,
        tokens: &Tokens,
        session: SessionId,
        token: String,
        country: Option<String>,
        address: Option<String>,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            service: std::rc::Rc::new(env.service("CHAT")?),
            session,
            token,
            ticket: tokens.issue_link("voice", SystemClock.now_ms() + TICKET_MS)?,
            country,
            address,
            traceparent: None,
        })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<String>,
        key: Option<&str>,
    ) -> Result<Response, ApiError> {
        let headers = Headers::new();
        headers.set("authorization", &format!("Bearer {}", self.token))?;
        headers.set("x-voice-ticket", &self.ticket)?;
        let optional = [
            ("x-country", self.country.as_deref()),
            ("cf-connecting-ip", self.address.as_deref()),
            ("traceparent", self.traceparent.as_deref()),
            ("idempotency-key", key),
            ("content-type", body.as_ref().map(|_| "application/json")),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                headers.set(name, value)?;
            }
        }
        let mut init = RequestInit::new();
        init.with_method(method)
            .with_headers(headers)
            .with_body(body.map(Into::into));
        let url = format!("https://internal/v1/sessions/{}{path}", self.session);
        self.service
            .fetch(url, Some(init))
            .await
            .map_err(|error| ApiError::unavailable(format!("chat: {error}")))
    }

    /// Whether the person may speak here, and how.
    pub(crate) async fn settings(&self) -> Result<Settings, Fail> {
        let mut response = self.ask(Method::Get, "/voice", None, None).await?;
        if response.status_code() == 200 {
            Ok(response.json().await?)
        } else {
            Err(Fail::Said(response))
        }
    }

    /// Runs a turn.
    pub(crate) async fn say(&self, message: &str, key: Option<&str>) -> Result<TurnStream, Fail> {
        let body = json!({ "message": message }).to_string();
        let mut response = self.ask(Method::Post, "/turns", Some(body), key).await?;
        if response.status_code() != 200 {
            return Err(Fail::Said(response));
        }
        let turn = header(response.headers(), "x-turn-id").and_then(|id| TurnId::parse(&id).ok());
        Ok(TurnStream {
            turn_id: turn.ok_or_else(|| ApiError::internal("turn without an id"))?,
            message_id: header(response.headers(), "x-message-id").unwrap_or_default(),
            bytes: response.stream()?,
            decoder: sse::Decoder::default(),
            ready: VecDeque::new(),
        })
    }

    /// Stops a turn. Where that fails the turn goes on to its end.
    pub(crate) async fn stop(&self, turn: &TurnId) {
        let asked = self.ask(Method::Post, &format!("/turns/{turn}/stop"), None, None).await;
        let status = asked.map_or(0, |response| response.status_code());
        if status != 200 {
            silent_edge::log::line("error", "voice-unstopped", turn.as_str(), json!({"status": status}));
        }
    }

    /// Says how much of an answer was heard, where it was not all, and what the voice took.
    pub(crate) async fn heard(&self, turn: &TurnId, bytes: Option<u64>, figures: &VoiceFigures) {
        let body = json!({"bytes": bytes, "figures": figures, "parts": figures.parts}).to_string();
        let told = self
            .ask(Method::Post, &format!("/turns/{turn}/heard"), Some(body), None)
            .await;
        let status = told.map_or(0, |response| response.status_code());
        if status != 204 {
            silent_edge::log::line("error", "voice-untold", turn.as_str(), json!({"status": status}));
        }
    }
}

/// A turn's parts as they come.
pub(crate) struct TurnStream {
    pub(crate) turn_id: TurnId,
    pub(crate) message_id: String,
    bytes: ByteStream,
    decoder: sse::Decoder,
    ready: VecDeque<String>,
}

/// The kinds of parts that matter to a voice.
pub(crate) enum Kind {
    /// More text.
    Text(String),
    /// The answer is whole, or stopped.
    Ended,
    /// It failed.
    Failed,
    /// Nothing follows.
    Done,
    /// For the page alone.
    Other,
}

impl TurnStream {
    /// The next part as it was sent; none where the stream broke off or is over.
    pub(crate) async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(data) = self.ready.pop_front() {
                return Some(data);
            }
            let bytes = self.bytes.next().await?.ok()?;
            self.ready.extend(self.decoder.push(&bytes));
        }
    }
}

/// What a part means to a voice.
pub(crate) fn kind(data: &str) -> Kind {
    if data == "[DONE]" {
        return Kind::Done;
    }
    match serde_json::from_str(data) {
        Ok(Part::TextDelta { delta, .. }) => Kind::Text(delta),
        Ok(Part::Finish { .. } | Part::Abort { .. }) => Kind::Ended,
        Ok(Part::Error { .. }) => Kind::Failed,
        _ => Kind::Other,
    }
}
