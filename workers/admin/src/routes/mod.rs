//! The admin API: who asks, which route, and one way to change something.

mod alerts;
mod approvals;
mod audit;
mod changes;
mod dead_letters;
mod durable;
mod experiments;
mod figures;
mod keys;
mod metrics;
mod openapi;
mod preview;
mod providers;
mod registry;
mod table;
mod variants;
mod workflows;

use crate::registry_do::order::{Order, Outcome, Wish};
use crate::registry_do::{hand_in, head};
use base64::Engine as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use silent_core::registry::{Command, Target, check_reason};
use silent_core::turn::Clock;
use silent_core::variants::{Category, Snapshot, VariantId};
use silent_edge::access::{AccessConfig, Identity, admin};
use silent_edge::error::ApiError;
use silent_edge::registry::{OBJECT, OBJECT_NAME};
use silent_edge::{SystemClock, http, random};
use std::rc::Rc;
use table::Handler;
use worker::{D1Database, Env, Request, Response, Result};

type Answer = std::result::Result<Response, ApiError>;

/// What a request is handled with, once it is known who asks.
struct Door {
    env: Env,
    identity: Identity,
    now_ms: u64,
    correlation_id: String,
}

/// Answers a request of the admin API.
pub(crate) async fn handle(request: Request, env: Env) -> Result<Response> {
    let correlation_id = match http::header(request.headers(), "x-correlation-id") {
        Some(id) if id.len() <= 64 => id,
        _ => match random::bytes::<16>() {
            Ok(bytes) => hex(&bytes),
            Err(_) => String::from("unknown"),
        },
    };
    let response = match route(request, env, &correlation_id).await {
        Ok(response) => response,
        Err(error) => error.into_response(&correlation_id)?,
    };
    let headers = response.headers().clone();
    headers.set("x-correlation-id", &correlation_id)?;
    headers.set("cache-control", "no-store")?;
    Ok(response.with_headers(headers))
}

async fn route(request: Request, env: Env, correlation_id: &str) -> Answer {
    let now_ms = SystemClock.now_ms();
    let url = request.url()?;
    let config = AccessConfig::read(&env, url.host_str().unwrap_or_default())?;
    // Nothing of the request is looked at before this.
    let identity = admin(request.headers(), &config, now_ms).await?;
    if http::header(request.headers(), "origin").is_some_and(|origin| origin != url.origin().ascii_serialization()) {
        return Err(ApiError::ForbiddenOrigin);
    }
    let path = url.path().to_string();
    let (route, values) = match table::find(&http::method(&request), &path) {
        Ok(found) => found,
        Err(allowed) if allowed.is_empty() => return Err(ApiError::NotFound),
        Err(allowed) => {
            let response = ApiError::MethodNotAllowed.into_response(correlation_id)?;
            response.headers().set("allow", &allowed.join(", "))?;
            return Ok(response);
        }
    };
    let door = Door {
        env,
        identity,
        now_ms,
        correlation_id: correlation_id.into(),
    };
    dispatch(&door, route.handler, &values, request).await
}

async fn dispatch(door: &Door, handler: Handler, values: &[&str], request: Request) -> Answer {
    match handler {
        Handler::Me => registry::me(door, &request),
        Handler::Document => {
            no_query(&request)?;
            Ok(Response::from_json(&openapi::document())?)
        }
        Handler::Categories => registry::categories(door, &request).await,
        Handler::Snapshot => registry::snapshot(door, &request).await,
        Handler::Explain => registry::explain(door, &request).await,
        Handler::KillSwitch => registry::killed(door, &request).await,
        Handler::SetKillSwitch => registry::kill(door, request).await,
        Handler::Variants => variants::list(door, &request).await,
        Handler::CreateVariant => variants::create(door, request).await,
        Handler::Variant => variants::read(door, &request, &target(values)?).await,
        Handler::EditVariant => variants::edit(door, request, target(values)?).await,
        Handler::Rollout => variants::rollout(door, request, target(values)?).await,
        Handler::Cohorts => variants::cohorts(door, request, target(values)?).await,
        Handler::Promote => {
            variants::step(
                door,
                request,
                Command::Promote {
                    target: target(values)?,
                },
            )
            .await
        }
        Handler::Demote => {
            variants::step(
                door,
                request,
                Command::Demote {
                    target: target(values)?,
                },
            )
            .await
        }
        Handler::Pause => {
            variants::step(
                door,
                request,
                Command::Pause {
                    target: target(values)?,
                },
            )
            .await
        }
        Handler::Rollback => {
            variants::step(
                door,
                request,
                Command::Rollback {
                    target: target(values)?,
                },
            )
            .await
        }
        Handler::Retire => {
            variants::step(
                door,
                request,
                Command::Retire {
                    target: target(values)?,
                },
            )
            .await
        }
        Handler::Changes => changes::list(door, &request).await,
        Handler::Change => changes::read(door, &request, one(values)?).await,
        Handler::ConfirmChange => {
            let change = one(values)?.to_string();
            changes::step(door, request, Wish::Sign { change }).await
        }
        Handler::CancelChange => {
            let change = one(values)?.to_string();
            changes::step(door, request, Wish::Cancel { change }).await
        }
        Handler::Audit => audit::list(door, &request).await,
        Handler::VerifyAudit => audit::verify(door, &request).await,
        Handler::PreviewLink => preview::create(door, request).await,
        Handler::ApiKeys => keys::list(door, &request).await,
        Handler::CreateApiKey => keys::create(door, request).await,
        Handler::RevokeApiKey => keys::revoke(door, request, one(values)?).await,
        Handler::Overview => metrics::overview(door, &request).await,
        Handler::Series => metrics::series(door, &request).await,
        Handler::Compare => metrics::compare(door, &request).await,
        Handler::Live => metrics::live(door, &request).await,
        Handler::Safety => metrics::safety(door, &request).await,
        Handler::Costs => metrics::costs(door, &request).await,
        Handler::Providers => providers::list(door, &request).await,
        Handler::RebuildGold => metrics::rebuild(door, request).await,
        Handler::DeadLetters => dead_letters::list(door, &request).await,
        Handler::DeadLetter => dead_letters::read(door, &request, one(values)?).await,
        Handler::ReplayDeadLetter => {
            let letter = one(values)?.to_string();
            dead_letters::replay(door, request, Some(letter)).await
        }
        Handler::ReplayDeadLetters => dead_letters::replay(door, request, None).await,
        Handler::PromoteWinner => experiments::promote_winner(door, request, target(values)?).await,
        Handler::RecordReplay => experiments::replay(door, request, target(values)?).await,
        Handler::ConfirmLiveMiss => experiments::live_miss(door, request, target(values)?).await,
        Handler::Alerts => alerts::list(door, &request).await,
        Handler::DeliverAlert => {
            let message = one(values)?.to_string();
            alerts::deliver(door, request, message).await
        }
        Handler::Workflows => workflows::list(door, &request).await,
        Handler::StartPromotion => workflows::start(door, request).await,
        Handler::Workflow => workflows::read(door, &request, one(values)?).await,
        Handler::CancelWorkflow => {
            let run = one(values)?.to_string();
            workflows::cancel(door, request, run).await
        }
        Handler::OpenApproval => approvals::open(door, &request).await,
        Handler::Approve => approvals::approve(door, request).await,
    }
}

fn one<'a>(values: &[&'a str]) -> std::result::Result<&'a str, ApiError> {
    values.first().copied().ok_or(ApiError::NotFound)
}

/// The variant that a path names; a name that cannot exist is simply not found.
fn target(values: &[&str]) -> std::result::Result<Target, ApiError> {
    let [category, id] = values else {
        return Err(ApiError::NotFound);
    };
    Ok(Target {
        category: category.parse::<Category>().map_err(|_| ApiError::NotFound)?,
        id: VariantId::parse(id).map_err(|_| ApiError::NotFound)?,
    })
}

/// The query's parameters; unknown ones and wrong types are refused.
fn query<T: DeserializeOwned>(request: &Request) -> std::result::Result<T, ApiError> {
    request
        .query()
        .map_err(|_| ApiError::Invalid("the query has an unknown parameter or a wrong value".into()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn no_query(request: &Request) -> std::result::Result<(), ApiError> {
    query::<Nothing>(request).map(|_| ())
}

/// Checks a text of the query: 1 to `max` characters where it is there.
fn short(name: &str, value: Option<&String>, max: usize) -> std::result::Result<(), ApiError> {
    match value {
        Some(text) if !(1..=max).contains(&text.chars().count()) => {
            Err(ApiError::Invalid(format!("{name} must be 1 to {max} characters")))
        }
        _ => Ok(()),
    }
}

/// A limit from the query, 1 to 200.
fn limit(asked: Option<u32>) -> std::result::Result<usize, ApiError> {
    match asked.unwrap_or(200) {
        n @ 1..=200 => Ok(n as usize),
        _ => Err(ApiError::Invalid("limit must be from 1 to 200".into())),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The version that `If-Match` names.
fn if_match(request: &Request) -> std::result::Result<Option<u64>, ApiError> {
    let Some(header) = http::header(request.headers(), "if-match") else {
        return Ok(None);
    };
    let version = header.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let version = version.and_then(|digits| digits.parse().ok());
    version
        .map(Some)
        .ok_or_else(|| ApiError::Invalid("If-Match must be one ETag, a version in quotation marks".into()))
}

impl Door {
    fn db(&self) -> std::result::Result<D1Database, ApiError> {
        Ok(self.env.d1(crate::DB)?)
    }

    /// The registry as it stands: read from the object, never from a cache.
    async fn registry(&self) -> std::result::Result<Rc<Snapshot>, ApiError> {
        head(&self.env).await.map(Rc::new)
    }

    async fn object(&self, path: &str) -> Answer {
        let stub = self.env.durable_object(OBJECT)?.get_by_name(OBJECT_NAME)?;
        stub.fetch_with_str(&format!("https://object{path}"))
            .await
            .map_err(|error| ApiError::unavailable(format!("registry: {error}")))
    }

    /// Reads a change's body and its headers: a key for repeating it, a reason for the log.
    async fn ask<T: DeserializeOwned>(&self, request: &mut Request) -> std::result::Result<(T, Order), ApiError> {
        no_query(request)?;
        let key = http::header(request.headers(), "idempotency-key")
            .filter(|key| key.len() <= 255 && key.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| ApiError::Invalid("Idempotency-Key must be 1 to 255 visible ASCII characters".into()))?;
        let expected_version = if_match(request)?;
        let (mut fields, bytes): (Map<String, Value>, Vec<u8>) = http::json(request).await?;
        let reason = match fields.remove("reason") {
            Some(Value::String(reason)) => reason,
            _ => return Err(ApiError::Invalid("give a reason: it is kept in the audit log".into())),
        };
        check_reason(&reason)?;
        let body = serde_json::from_value(Value::Object(fields))
            .map_err(|error| ApiError::Invalid(format!("the body is not what this takes: {error}")))?;
        let mut fingerprint = Sha256::new();
        let version = expected_version.map(|version| version.to_string()).unwrap_or_default();
        for part in [
            request.method().as_ref().as_bytes(),
            request.path().as_bytes(),
            version.as_bytes(),
            &bytes,
        ] {
            fingerprint.update((part.len() as u64).to_be_bytes());
            fingerprint.update(part);
        }
        let order = Order {
            actor: self.identity.actor.clone(),
            key,
            fingerprint: hex(&fingerprint.finalize()),
            reason,
            expected_version,
            confirm: false,
            // Replaced by every caller.
            wish: Wish::Cancel { change: String::new() },
        };
        Ok((body, order))
    }

    /// Has an order carried out.
    async fn order(&self, order: &Order) -> std::result::Result<Outcome, Response> {
        let failed = |error: ApiError| {
            error
                .into_response(&self.correlation_id)
                .or_else(|_| Response::error("", 500))
        };
        let mut response = match hand_in(&self.env, order, &self.correlation_id).await {
            Ok(response) => response,
            Err(error) => return Err(failed(error).unwrap_or_else(|_| Response::builder().with_status(500).empty())),
        };
        if response.status_code() != 200 {
            return Err(response);
        }
        match response.json::<Outcome>().await {
            Ok(outcome) => Ok(outcome),
            Err(_) => Err(failed(ApiError::internal("internal answer"))
                .unwrap_or_else(|_| Response::builder().with_status(500).empty())),
        }
    }

    /// Has an order carried out and says what became of it.
    async fn settle(&self, order: &Order) -> Answer {
        match self.order(order).await {
            Ok(outcome) => answer(&outcome, &outcome.body),
            Err(refusal) => Ok(refusal),
        }
    }
}

/// The response of an outcome; a repeated one says so.
fn answer(outcome: &Outcome, body: &Value) -> Answer {
    let response = Response::from_json(body)?.with_status(outcome.status);
    if outcome.replayed {
        response.headers().set("idempotency-replayed", "true")?;
    }
    let version = body.get("variant").and_then(|variant| variant.get("version"));
    if let Some(version) = version.and_then(Value::as_u64) {
        response.headers().set("etag", &format!("\"{version}\""))?;
    }
    Ok(response)
}

/// Random bytes as text for secrets.
fn base64url(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
