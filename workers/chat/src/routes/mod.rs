//! The front door: which request goes where, and what all of them share.

mod dashboard;
mod me;
mod openai;
mod resources;
mod sessions;
mod twin;
pub(crate) mod voice;

use crate::{auth, internal, transport};
use futures::future::join_all;
use serde_json::{Value, json};
use silent_core::ids::{PersonId, SessionId, TurnId};
use silent_core::turn::Clock;
use silent_edge::config::ChatConfig;
use silent_edge::error::ApiError;
use silent_edge::token::Tokens;
use silent_edge::{SystemClock, random};
use worker::{Context, Env, Headers, Method, Request, Response, Result};

/// What a request is handled with.
pub(crate) struct Door {
    pub(crate) env: Env,
    pub(crate) config: ChatConfig,
    pub(crate) tokens: Tokens,
    pub(crate) now_ms: u64,
    pub(crate) correlation_id: String,
}

impl Door {
    /// Headers for a Durable Object: who asks, from where, under which id.
    pub(crate) fn headers(&self, request: &Request, person: &PersonId) -> std::result::Result<Headers, ApiError> {
        let headers = Headers::new();
        headers.set(internal::PERSON_HEADER, person.as_str())?;
        headers.set(internal::CORRELATION_HEADER, &self.correlation_id)?;
        if let Some(country) = auth::region(request) {
            headers.set(internal::COUNTRY_HEADER, &country)?;
        }
        for name in [
            "idempotency-key",
            "last-event-id",
            "traceparent",
            "tracestate",
            "content-type",
        ] {
            if let Some(value) = silent_edge::http::header(request.headers(), name) {
                headers.set(name, &value)?;
            }
        }
        Ok(headers)
    }

    /// Refuses people and addresses that ask too often.
    pub(crate) async fn limit(
        &self,
        request: &Request,
        person: Option<&PersonId>,
    ) -> std::result::Result<(), ApiError> {
        let address =
            silent_edge::http::header(request.headers(), "cf-connecting-ip").unwrap_or_else(|| "local".into());
        let keys = [
            ("RATE_ADDRESS", Some(address.as_str())),
            ("RATE_PERSON", person.map(PersonId::as_str)),
        ];
        let asked = keys.into_iter().map(|(binding, key)| async move {
            match (self.env.rate_limiter(binding), key) {
                // A limiter that is away must not keep people out.
                (Ok(limiter), Some(key)) => limiter.limit(key.into()).await.is_ok_and(|outcome| !outcome.success),
                _ => false,
            }
        });
        if join_all(asked).await.contains(&true) {
            return Err(ApiError::RateLimited { retry_after_s: 60 });
        }
        Ok(())
    }
}

/// Answers any request: never an error without its correlation id.
pub(crate) async fn handle(request: Request, env: Env, context: &Context) -> Result<Response> {
    let now_ms = SystemClock.now_ms();
    let correlation_id = match random::bytes::<16>() {
        Ok(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Err(_) => String::from("unknown"),
    };
    let hsts = transport::hsts(&request);
    let response = match route(request, env, now_ms, &correlation_id, context).await {
        Ok(response) => response,
        Err(error) => error.into_response(&correlation_id)?,
    };
    // A response from another Worker or object has frozen headers.
    let headers = response.headers().clone();
    headers.set(internal::CORRELATION_HEADER, &correlation_id)?;
    headers.set("x-content-type-options", "nosniff")?;
    if let Some(hsts) = hsts {
        headers.set("strict-transport-security", hsts)?;
    }
    Ok(response.with_headers(headers))
}

async fn route(
    request: Request,
    env: Env,
    now_ms: u64,
    correlation_id: &str,
    context: &Context,
) -> std::result::Result<Response, ApiError> {
    if let Some(elsewhere) = transport::plain(&request, &env)? {
        return Ok(elsewhere);
    }
    let path = request.path();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["admin", view @ ..] if request.method() == Method::Get && !matches!(view, ["v1" | "health", ..]) => {
            return dashboard::page(&env, &request, view).await;
        }
        ["admin" | "ofrep", ..] => return forward(&env, "ADMIN", request).await,
        ["safety", ..] => return forward(&env, "SAFETY", request).await,
        ["v1", "audio", ..] | ["v1", "sessions", _, "voice-turns" | "live" | "recordings"] | ["voice", ..] => {
            return forward(&env, "VOICE", request).await;
        }
        _ => {}
    }
    if !silent_edge::http::is_known_method(&request) {
        return Err(ApiError::MethodNotAllowed);
    }
    let config = ChatConfig::read(&env)?;
    let tokens = Tokens::read(&env)?;
    let door = Door {
        env,
        config,
        tokens,
        now_ms,
        correlation_id: correlation_id.into(),
    };
    if let ["v1", "models" | "chat", ..] = segments.as_slice() {
        return Ok(openai::handle(&door, request, &segments, context).await?);
    }
    let foreign = auth::check_origin(&request, &door.config.allowed_origins)?;
    let response = if request.method() == Method::Options {
        Response::empty()?.with_status(204)
    } else {
        match dispatch(&door, request, &segments).await {
            Ok(response) => response,
            // Also an error must carry the CORS headers, or the page cannot read it.
            Err(error) => error.into_response(correlation_id)?,
        }
    };
    let Some(origin) = foreign else {
        return Ok(response);
    };
    let headers = response.headers().clone();
    headers.set("access-control-allow-origin", &origin)?;
    headers.set("access-control-allow-credentials", "true")?;
    headers.set("access-control-allow-methods", "GET, POST, PUT, DELETE")?;
    headers.set(
        "access-control-allow-headers",
        "authorization, content-type, idempotency-key, last-event-id, traceparent, tracestate, x-country",
    )?;
    headers.set(
        "access-control-expose-headers",
        "x-turn-id, x-message-id, x-session-id, x-correlation-id, x-trace-id, traceparent, retry-after",
    )?;
    headers.set("vary", "origin")?;
    Ok(response.with_headers(headers))
}

async fn dispatch(door: &Door, request: Request, segments: &[&str]) -> std::result::Result<Response, ApiError> {
    use Method::{Delete, Get, Post, Put};
    match (request.method(), segments) {
        (_, ["api", rest @ ..]) => twin::handle(door, request, rest).await,
        (Get, ["v1", "health"]) => health(door).await,
        (Get, ["v1", "resources"]) => resources::read(&request),
        (Post, ["v1", "sessions"]) => sessions::create(door, request).await,
        (Get, ["v1", "sessions"]) => sessions::list(door, &request).await,
        (Get, ["v1", "me", "export"]) => me::export(door, &request).await,
        (Delete, ["v1", "me"]) => me::erase(door, &request).await,
        (Get, ["v1", "me", "voice-consent"]) => voice::consent(door, &request).await,
        (Put, ["v1", "me", "voice-consent"]) => voice::set_consent(door, request).await,
        (method, ["v1", "sessions", id, rest @ ..]) => {
            let id = SessionId::parse(id).map_err(|_| ApiError::NotFound)?;
            let allowed = match rest {
                [] => &[Get, Delete][..],
                ["stream"] => &[Get],
                ["turns"] => &[Post],
                ["voice"] if method == Get => return voice::settings(door, &request, &id).await,
                ["turns", turn, "heard"] if method == Post => {
                    TurnId::parse(turn).map_err(|_| ApiError::NotFound)?;
                    voice::admit(door, &request)?;
                    &[Post]
                }
                ["turns", turn, action @ ("stream" | "stop" | "feedback")] => {
                    TurnId::parse(turn).map_err(|_| ApiError::NotFound)?;
                    if *action == "stream" { &[Get] } else { &[Post] }
                }
                _ => return Err(ApiError::NotFound),
            };
            if !allowed.contains(&method) {
                return Err(ApiError::MethodNotAllowed);
            }
            sessions::pass_on(door, request, &id, &rest.join("/")).await
        }
        (_, ["v1", "health" | "sessions" | "resources"] | ["v1", "me"] | ["v1", "me", "export" | "voice-consent"]) => {
            Err(ApiError::MethodNotAllowed)
        }
        _ => Err(ApiError::NotFound),
    }
}

async fn forward(env: &Env, binding: &str, request: Request) -> std::result::Result<Response, ApiError> {
    env.service(binding)?
        .fetch_request(request)
        .await
        .map_err(|error| ApiError::unavailable(format!("{binding}: {error}")))
}

async fn health(door: &Door) -> std::result::Result<Response, ApiError> {
    let ((voice, speech), (admin, _), (safety, _)) = futures::join!(
        sibling(door, "VOICE", "/voice/health"),
        sibling(door, "ADMIN", "/admin/health"),
        sibling(door, "SAFETY", "/safety/health")
    );
    let llm = &door.config.llm;
    let vendors = if llm.only().is_none() {
        llm.configured()
    } else {
        Vec::new()
    };
    let provider = match llm.only() {
        None if vendors.is_empty() => offline_note(),
        Some("offline") => offline_note(),
        Some(name) => json!({"name": name, "note": "A language model answers."}),
        None => json!({"name": "variants", "vendors": vendors, "note": "Language models answer, by variant."}),
    };
    Ok(Response::from_json(&json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "provider": provider,
        "voice": {"hears": speech.get("hears") == Some(&json!(true)), "speaks": speech.get("speaks") == Some(&json!(true))},
        "workers": {"chat": "ok", "voice": voice, "admin": admin, "safety": safety},
    }))?)
}

fn offline_note() -> Value {
    json!({"name": "offline", "note": "No language model is connected. A small built-in listener answers: it reflects what you say and asks a question."})
}

/// How another Worker is, and what it says of itself.
async fn sibling(door: &Door, binding: &str, path: &str) -> (&'static str, Value) {
    let Ok(service) = door.env.service(binding) else {
        return ("absent", Value::Null);
    };
    match service.fetch(format!("https://internal{path}"), None).await {
        Ok(mut response) if response.status_code() == 200 => ("ok", response.json().await.unwrap_or(Value::Null)),
        _ => ("away", Value::Null),
    }
}
