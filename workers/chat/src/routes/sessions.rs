//! Sessions: made here, kept by their objects.

use super::Door;
use crate::internal::{call, call_json, person_stub, session_stub};
use crate::person_do::{Joined, NewSession};
use crate::session_do::Begin;
use crate::twin::{PRODUCT, TwinRef};
use crate::{auth, policy};
use serde::Deserialize;
use serde_json::json;
use silent_core::ids::{PersonId, SessionId};
use silent_core::starters;
use silent_core::time::rfc3339;
use silent_core::turn::DISCLOSURE;
use silent_core::variants::{Category, Overrides, Snapshot, Subject, murmur3_x86_32};
use silent_edge::error::ApiError;
use silent_edge::{http, random, registry};
use std::rc::Rc;
use worker::{Method, Request, Response};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSessionBody {
    locale: Option<String>,
    timezone: Option<String>,
    product: Option<String>,
    /// A tester's signed wishes.
    preview: Option<String>,
}

pub(crate) async fn create(door: &Door, mut request: Request) -> Result<Response, ApiError> {
    let known = auth::person(&request, &door.tokens, door.now_ms).ok();
    door.limit(&request, known.as_ref()).await?;
    let https = request.url()?.scheme() == "https";
    let (body, _): (NewSessionBody, _) = http::json(&mut request).await?;
    if body.product.as_deref().is_some_and(|product| product != "companion") {
        return Err(ApiError::Invalid("product must be companion".into()));
    }
    let overrides = match &body.preview {
        Some(token) => door
            .tokens
            .verify_preview(token, door.now_ms)
            .map_err(|_| ApiError::Invalid("the preview link is not valid any more".into()))?,
        None => Overrides::new(),
    };
    let locale = body.locale.unwrap_or_else(|| "en".into());
    if locale.len() > 35 || !locale.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(ApiError::Invalid("locale must be a BCP 47 tag".into()));
    }
    let timezone = body
        .timezone
        .filter(|zone| zone.len() <= 64 && zone.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c)));

    let wish = Wish {
        locale,
        timezone,
        overrides,
        twin: None,
    };
    let Started { begin, token, snapshot } = start(door, known, wish).await?;
    let response = Response::from_json(&json!({
        "session_id": begin.session_id,
        "token": token,
        "assignment": policy::shown(&snapshot, &begin.assignment),
        "starters": begin.starters,
        "disclosure": {"text": DISCLOSURE},
        "created_at": rfc3339(door.now_ms),
    }))?
    .with_status(201);
    response.headers().set("set-cookie", &auth::set_cookie(&token, https))?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}

/// How a session is to begin.
pub(crate) struct Wish {
    pub(crate) locale: String,
    pub(crate) timezone: Option<String>,
    pub(crate) overrides: Overrides,
    /// Whose twin; none begins a session of the companion.
    pub(crate) twin: Option<TwinRef>,
}

/// A session that has begun.
pub(crate) struct Started {
    pub(crate) begin: Begin,
    pub(crate) token: String,
    pub(crate) snapshot: Rc<Snapshot>,
}

/// Begins a session for a person, the known one or a new guest: of any product, assigned and pinned the same way.
pub(crate) async fn start(door: &Door, known: Option<PersonId>, wish: Wish) -> Result<Started, ApiError> {
    let session_id = SessionId::new(door.now_ms, random::bytes()?);
    let join = NewSession {
        session_id: session_id.clone(),
        created_at_ms: door.now_ms,
    };
    let (person, joined) = join_person(door, known, &join).await?;
    let snapshot = registry::snapshot(&door.env, door.now_ms)
        .await
        .ok_or_else(|| ApiError::internal("no registry snapshot"))?;
    let subject = Subject {
        id: person.as_str(),
        is_new: joined.sessions <= 1,
        is_paid: false,
    };
    let assignment = snapshot.assign_with(&subject, &wish.overrides);
    let size = policy::number(
        policy::variant(&snapshot, &assignment, Category::StarterPoolSize),
        "size",
    )
    .unwrap_or(7.0) as usize;
    let seed = u64::from(murmur3_x86_32(session_id.as_str().as_bytes(), 0));
    let Wish {
        locale, timezone, twin, ..
    } = wish;
    let begin = Begin {
        session_id: session_id.clone(),
        person_id: person.clone(),
        product: if twin.is_some() { PRODUCT } else { "companion" }.into(),
        twin,
        starters: starters::choose(&locale, size, seed)
            .into_iter()
            .map(Into::into)
            .collect(),
        locale,
        timezone,
        assignment,
        created_at_ms: door.now_ms,
    };
    let stub = session_stub(&door.env, &session_id)?;
    let _: serde_json::Value = call_json(&stub, Method::Post, "/begin", Some(&begin)).await?;
    let token = door.tokens.issue(&person, door.now_ms)?;
    Ok(Started { begin, token, snapshot })
}

/// Adds the session to its person: the known one, or a new guest where there is none or it was erased.
async fn join_person(
    door: &Door,
    known: Option<PersonId>,
    session: &NewSession,
) -> Result<(PersonId, Joined), ApiError> {
    if let Some(person) = known {
        match call_json(
            &person_stub(&door.env, &person)?,
            Method::Post,
            "/sessions",
            Some(&session.of(&person)),
        )
        .await
        {
            Err(ApiError::NotFound) => {}
            joined => return Ok((person, joined?)),
        }
    }
    let person = PersonId::new(door.now_ms, random::bytes()?);
    let joined = call_json(
        &person_stub(&door.env, &person)?,
        Method::Post,
        "/sessions",
        Some(&session.of(&person)),
    )
    .await?;
    Ok((person, joined))
}

pub(crate) async fn list(door: &Door, request: &Request) -> Result<Response, ApiError> {
    let person = auth::person(request, &door.tokens, door.now_ms)?;
    door.limit(request, Some(&person)).await?;
    let query = request
        .url()?
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    call(
        &person_stub(&door.env, &person)?,
        Method::Get,
        &format!("/sessions{query}"),
        door.headers(request, &person)?,
        None,
    )
    .await
}

/// Everything below `/v1/sessions/{id}` is the session object's.
pub(crate) async fn pass_on(
    door: &Door,
    mut request: Request,
    id: &SessionId,
    rest: &str,
) -> Result<Response, ApiError> {
    let person = auth::person(&request, &door.tokens, door.now_ms)?;
    door.limit(&request, Some(&person)).await?;
    let query = request
        .url()?
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let headers = door.headers(&request, &person)?;
    let method = request.method();
    let body = if method == Method::Post {
        Some(
            String::from_utf8(http::body(&mut request).await?)
                .map_err(|_| ApiError::Invalid("the body is not UTF-8".into()))?,
        )
    } else {
        None
    };
    call(
        &session_stub(&door.env, id)?,
        method,
        &format!("/{rest}{query}"),
        headers,
        body,
    )
    .await
}
