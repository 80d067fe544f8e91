//! The OpenAI-compatible door: programs talk with the product through the SDKs that they have, behind the same gate,
//! assignment, guard, budgets and telemetry as people do.

mod completions;
mod wire;

use super::Door;
use crate::twin::{PRODUCT, TwinRef};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use silent_core::ids::PersonId;
use silent_core::variants::{Category, Overrides, Snapshot, Status};
use silent_edge::api_key::{self, ApiKey, Scope};
use silent_edge::error::ApiError;
use silent_edge::{http, registry};
use std::rc::Rc;
use wire::Refusal;
use worker::{Context, Method, Request, Response, Result};

/// The model that the registry chooses for each person.
const ASSIGNED: &str = "companion";

/// Answers a request of the door; errors have OpenAI's form.
pub(crate) async fn handle(door: &Door, request: Request, segments: &[&str], context: &Context) -> Result<Response> {
    let response = match route(door, request, segments, context).await {
        Ok(response) => response,
        Err(refusal) => said(door, &refusal)?,
    };
    let headers = response.headers().clone();
    headers.set("x-request-id", &door.correlation_id)?;
    headers.set("cache-control", "no-store")?;
    Ok(response.with_headers(headers))
}

fn said(door: &Door, refusal: &Refusal) -> Result<Response> {
    if refusal.status >= 500 {
        let cause = json!({"status": refusal.status, "code": refusal.code});
        silent_edge::log::line("error", "openai-door", &door.correlation_id, cause);
    }
    let response = Response::from_json(&refusal.body())?.with_status(refusal.status);
    if matches!(refusal.status, 429 | 503) {
        response.headers().set("retry-after", "2")?;
    }
    Ok(response)
}

async fn route(
    door: &Door,
    request: Request,
    segments: &[&str],
    context: &Context,
) -> std::result::Result<Response, Refusal> {
    let key = key(door, &request).await?;
    match (request.method(), segments) {
        (Method::Get, ["v1", "models"]) => models(door).await,
        (Method::Get, ["v1", "models", name @ ..]) => {
            // SDKs encode the slash of a name.
            let name = name.join("/").replace("%2F", "/").replace("%2f", "/");
            model(door, &name).await
        }
        (Method::Post, ["v1", "chat", "completions"]) => completions::create(door, request, &key, context).await,
        (_, ["v1", "models", ..] | ["v1", "chat", "completions"]) => Err(Refusal {
            status: 405,
            kind: "invalid_request_error",
            message: "Method not allowed.".into(),
            param: None,
            code: Some("method_not_allowed"),
        }),
        _ => Err(Refusal {
            status: 404,
            kind: "invalid_request_error",
            message: "There is no such endpoint.".into(),
            param: None,
            code: Some("unknown_url"),
        }),
    }
}

async fn key(door: &Door, request: &Request) -> std::result::Result<ApiKey, Refusal> {
    let bearer = http::header(request.headers(), "authorization");
    let secret = bearer.and_then(|value| value.strip_prefix("Bearer ").map(String::from));
    let db = door.env.d1("DB").map_err(|error| refusal(&error.into()))?;
    let key = match secret {
        Some(secret) => api_key::verify(&db, &secret, Scope::Chat, door.now_ms).await,
        None => Err(ApiError::Unauthorized),
    };
    key.map_err(|error| refusal(&error))
}

/// An error of ours in OpenAI's form.
fn refusal(error: &ApiError) -> Refusal {
    let (status, kind, message, code) = match error {
        ApiError::Unauthorized => (
            401,
            "invalid_request_error",
            "Incorrect API key provided. An admin makes one: POST /admin/v1/api-keys with the scope chat.".to_string(),
            Some("invalid_api_key"),
        ),
        ApiError::Forbidden(why) => (403, "invalid_request_error", why.clone(), Some("insufficient_scope")),
        ApiError::TooLarge(why) => (413, "invalid_request_error", why.clone(), Some("request_too_large")),
        ApiError::NotFound => (
            404,
            "invalid_request_error",
            "The model does not exist.".into(),
            Some("model_not_found"),
        ),
        ApiError::Fault { slug, title, .. } => (500, "server_error", (*title).into(), Some(*slug)),
        ApiError::Invalid(why) => (400, "invalid_request_error", why.clone(), None),
        ApiError::RateLimited { .. } => (
            429,
            "rate_limit_error",
            "Too many requests.".into(),
            Some("rate_limit_exceeded"),
        ),
        ApiError::Unavailable { .. } => (
            503,
            "server_error",
            "Temporarily unavailable.".into(),
            Some("unavailable"),
        ),
        other => {
            let cause = json!({"cause": format!("{other:?}")});
            silent_edge::log::line("error", "openai-door", "door", cause);
            (500, "server_error", "Something went wrong.".into(), None)
        }
    };
    Refusal {
        status,
        kind,
        message,
        param: None,
        code,
    }
}

async fn snapshot(door: &Door) -> std::result::Result<Rc<Snapshot>, Refusal> {
    registry::snapshot(&door.env, door.now_ms)
        .await
        .ok_or_else(|| refusal(&ApiError::internal("no registry snapshot")))
}

/// The person behind a key: the application's own name for them, kept apart from other applications' people.
fn person(key: &ApiKey, user: &str) -> PersonId {
    let digest = Sha256::digest(format!("{}:{user}", key.id));
    let mut random = [0; 10];
    random.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    PersonId::new(0, random)
}

/// The names of the models: the assigned one, and each variant that may run.
fn names(snapshot: &Snapshot) -> Vec<String> {
    let variants = snapshot
        .variants()
        .iter()
        .filter(|variant| variant.category == Category::LlmModel && variant.status != Status::Retired);
    let named = variants.map(|variant| format!("{ASSIGNED}/{}", variant.id));
    [ASSIGNED, PRODUCT].map(String::from).into_iter().chain(named).collect()
}

/// The twin that a model's name asks for: `twin` is the deployment's own, `twin/<link>` is one that its owner shared, and
/// `twin/<id>` is one whose link comes in the header `x-twin-share`. A key opens no twin of its own.
fn twin_of(door: &Door, request: &Request, model: &str) -> std::result::Result<Option<TwinRef>, Refusal> {
    let name = match model.split_once('/') {
        None if model == PRODUCT => return Ok(Some(TwinRef::Site)),
        Some((PRODUCT, name)) => name,
        _ => return Ok(None),
    };
    let header = http::header(request.headers(), "x-twin-share");
    let found = match header.as_deref() {
        Some(link) => super::twin::meant(door, None, Some(name), Some(link)),
        None => super::twin::meant(door, None, None, Some(name)),
    };
    found.map(Some).map_err(|_| unknown(model))
}

fn unknown(model: &str) -> Refusal {
    Refusal {
        status: 404,
        kind: "invalid_request_error",
        message: format!(
            "The model '{}' does not exist.",
            model.chars().take(80).collect::<String>()
        ),
        param: Some("model"),
        code: Some("model_not_found"),
    }
}

/// What a model's name asks to see.
fn overrides(snapshot: &Snapshot, model: &str) -> std::result::Result<Overrides, Refusal> {
    if model == ASSIGNED {
        return Ok(Overrides::new());
    }
    let id = model.strip_prefix(ASSIGNED).and_then(|rest| rest.strip_prefix('/'));
    let variant = id.and_then(|id| snapshot.variant(Category::LlmModel, id));
    match variant.filter(|variant| variant.status != Status::Retired) {
        Some(variant) => Ok([(Category::LlmModel, variant.id.clone())].into()),
        None => Err(unknown(model)),
    }
}

fn described(name: &str) -> Value {
    json!({"id": name, "object": "model", "created": 1_795_219_200, "owned_by": "silent-infinity"})
}

fn ok(body: &Value) -> std::result::Result<Response, Refusal> {
    Response::from_json(body).map_err(|error| refusal(&error.into()))
}

async fn models(door: &Door) -> std::result::Result<Response, Refusal> {
    let snapshot = snapshot(door).await?;
    let data: Vec<Value> = names(&snapshot).iter().map(|name| described(name)).collect();
    ok(&json!({"object": "list", "data": data}))
}

async fn model(door: &Door, name: &str) -> std::result::Result<Response, Refusal> {
    if name != PRODUCT {
        overrides(&*snapshot(door).await?, name)?;
    }
    ok(&described(name))
}
