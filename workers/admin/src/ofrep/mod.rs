//! OFREP over HTTP: the registry for any OpenFeature SDK. Programs come with an API key, browsers with a guest's token,
//! which opens that guest's flags alone.

mod evaluate;

use evaluate::{Context, Fault};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use silent_core::ids::PersonId;
use silent_core::turn::Clock;
use silent_edge::api_key::{self, Scope};
use silent_edge::error::ApiError;
use silent_edge::registry::{self, OBJECT, OBJECT_NAME};
use silent_edge::token::Tokens;
use silent_edge::{SystemClock, http, log};
use worker::{Env, Method, Request, Response, Result};

/// A ticket for the stream of changes is the same all day, so that the flags' ETag is too, milliseconds.
const TICKET_MS: u64 = 86_400_000;
/// A client may close a stream of changes that nobody looked at for so long, seconds.
const INACTIVITY_S: u32 = 120;

type Answer = std::result::Result<Response, ApiError>;

/// Who asks.
enum Caller {
    Program,
    Person(PersonId),
}

/// Answers a request below `/ofrep`.
pub(crate) async fn handle(mut request: Request, env: Env) -> Result<Response> {
    let answered = route(&mut request, &env).await;
    let response = match answered {
        Ok(response) => response,
        Err(error) => refusal(error)?,
    };
    let headers = response.headers().clone();
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, POST, OPTIONS"),
        (
            "access-control-allow-headers",
            "content-type, authorization, x-api-key, if-none-match",
        ),
        ("access-control-expose-headers", "ETag, Retry-After"),
        ("access-control-max-age", "86400"),
        ("x-content-type-options", "nosniff"),
    ] {
        headers.set(name, value)?;
    }
    Ok(response.with_headers(headers))
}

/// OFREP's errors are not problem details.
fn refusal(error: ApiError) -> Result<Response> {
    let (status, code, details) = match &error {
        ApiError::Unauthorized => (401, "GENERAL", "a valid API key or token is needed".to_string()),
        ApiError::Forbidden(why) => (403, "GENERAL", why.clone()),
        ApiError::NotFound => (404, "GENERAL", "no such path".into()),
        ApiError::MethodNotAllowed => (405, "GENERAL", "method not allowed".into()),
        ApiError::TooLarge(why) => (413, "GENERAL", why.clone()),
        ApiError::Invalid(why) => (400, "PARSE_ERROR", why.clone()),
        other => {
            let cause = json!({"cause": format!("{other:?}")});
            log::line("error", "ofrep", "ofrep", cause);
            let status = if matches!(other, ApiError::Unavailable { .. }) {
                503
            } else {
                500
            };
            (status, "GENERAL", "something went wrong".into())
        }
    };
    let response = Response::from_json(&json!({"errorCode": code, "errorDetails": details}))?.with_status(status);
    if status == 503 {
        response.headers().set("retry-after", "2")?;
    }
    Ok(response)
}

async fn route(request: &mut Request, env: &Env) -> Answer {
    if !http::is_known_method(request) {
        return Err(ApiError::MethodNotAllowed);
    }
    let path = request.path();
    let method = request.method();
    if method == Method::Options {
        return Ok(Response::empty()?.with_status(204));
    }
    let now_ms = SystemClock.now_ms();
    match (path.as_str(), method) {
        ("/ofrep/v1/events", Method::Get) => events(request, env, now_ms).await,
        ("/ofrep/v1/evaluate/flags", Method::Post) => {
            let caller = caller(request, env, now_ms).await?;
            bulk(request, env, &caller, now_ms).await
        }
        ("/ofrep/v1/events" | "/ofrep/v1/evaluate/flags", _) => Err(ApiError::MethodNotAllowed),
        (path, method) => {
            let key = path
                .strip_prefix("/ofrep/v1/evaluate/flags/")
                .filter(|key| !key.is_empty() && !key.contains('/'))
                .ok_or(ApiError::NotFound)?
                .to_string();
            if method != Method::Post {
                return Err(ApiError::MethodNotAllowed);
            }
            let caller = caller(request, env, now_ms).await?;
            single(request, env, &caller, &key, now_ms).await
        }
    }
}

async fn caller(request: &Request, env: &Env, now_ms: u64) -> std::result::Result<Caller, ApiError> {
    let headers = request.headers();
    let bearer =
        http::header(headers, "authorization").and_then(|value| value.strip_prefix("Bearer ").map(String::from));
    let given = http::header(headers, "x-api-key").or(bearer);
    if let Some(secret) = given.as_deref().filter(|secret| secret.starts_with("si_")) {
        api_key::verify(&env.d1(crate::DB)?, secret, Scope::FlagsRead, now_ms).await?;
        return Ok(Caller::Program);
    }
    let token = given
        .or_else(|| http::cookie(headers, "si_token"))
        .ok_or(ApiError::Unauthorized)?;
    Ok(Caller::Person(Tokens::read(env)?.verify(&token, now_ms)?))
}

/// The context of a request, if the caller may ask for it.
async fn context(
    request: &mut Request,
    caller: &Caller,
) -> std::result::Result<std::result::Result<Context, Fault>, ApiError> {
    let bytes = http::body(request).await?;
    let context = Context::read(&bytes);
    if let (Ok(context), Caller::Person(person)) = (&context, caller)
        && context.targeting_key != person.as_str()
    {
        return Err(ApiError::Forbidden("targetingKey must be your own id".into()));
    }
    Ok(context)
}

fn fault(fault: Fault, key: Option<&str>, status: u16) -> Answer {
    let body = match key {
        Some(key) => json!({"key": key, "errorCode": fault.code, "errorDetails": fault.details}),
        None => json!({"errorCode": fault.code, "errorDetails": fault.details}),
    };
    Ok(Response::from_json(&body)?.with_status(status))
}

async fn single(request: &mut Request, env: &Env, caller: &Caller, key: &str, now_ms: u64) -> Answer {
    let context = match context(request, caller).await? {
        Ok(context) => context,
        Err(wrong) => return fault(wrong, Some(key), 400),
    };
    let snapshot = registry::snapshot(env, now_ms)
        .await
        .ok_or_else(|| ApiError::internal("no registry snapshot"))?;
    match evaluate::one(&snapshot, &context, key) {
        Some(flag) => Ok(Response::from_json(&flag)?),
        None => {
            let unknown = Fault {
                code: "FLAG_NOT_FOUND",
                details: "there is no such flag",
            };
            fault(unknown, Some(key), 404)
        }
    }
}

async fn bulk(request: &mut Request, env: &Env, caller: &Caller, now_ms: u64) -> Answer {
    let known = http::header(request.headers(), "if-none-match");
    let url = request.url()?;
    let origin = url.origin().ascii_serialization();
    // Whoever comes because of a change event brings its ETag, and must not get what this isolate held before.
    let heard_of = url.query_pairs().find(|(name, _)| name == "flagConfigEtag");
    let heard_of = heard_of
        .and_then(|(_, etag)| etag.trim_matches('"').parse().ok())
        .unwrap_or(0);
    let context = match context(request, caller).await? {
        Ok(context) => context,
        Err(wrong) => return fault(wrong, None, 400),
    };
    let snapshot = registry::snapshot_from(env, now_ms, heard_of)
        .await
        .ok_or_else(|| ApiError::internal("no registry snapshot"))?;
    let tomorrow_ms = (now_ms / TICKET_MS + 2) * TICKET_MS;
    let ticket = Tokens::read(env)?.issue_ticket(tomorrow_ms)?;
    let body = json!({
        "flags": evaluate::all(&snapshot, &context),
        "metadata": {"snapshotVersion": snapshot.version()},
        "eventStreams": [{
            "type": "sse",
            "endpoint": {"origin": origin, "requestUri": format!("/ofrep/v1/events?ticket={ticket}")},
            "inactivityDelaySec": INACTIVITY_S,
        }],
    });
    let text = body.to_string();
    let hash: String = Sha256::digest(text.as_bytes())
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let etag = format!("\"{hash}\"");
    let is_known = known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag));
    let response = if is_known {
        Response::empty()?.with_status(304)
    } else {
        Response::from_json::<Value>(&body)?
    };
    response.headers().set("etag", &etag)?;
    response.headers().set("cache-control", "private, no-cache")?;
    Ok(response)
}

/// The stream of changes, from the object that makes them.
async fn events(request: &Request, env: &Env, now_ms: u64) -> Answer {
    let url = request.url()?;
    let ticket = url
        .query_pairs()
        .find(|(name, _)| name == "ticket")
        .map(|(_, value)| value.into_owned());
    let may = match ticket {
        Some(ticket) => Tokens::read(env)?.verify_ticket(&ticket, now_ms),
        None => caller(request, env, now_ms).await.map(|_| ()),
    };
    may?;
    let stub = env.durable_object(OBJECT)?.get_by_name(OBJECT_NAME)?;
    stub.fetch_with_str("https://object/events")
        .await
        .map_err(|error| ApiError::unavailable(format!("registry: {error}")))
}
