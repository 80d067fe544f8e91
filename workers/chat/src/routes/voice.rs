//! What the voice Worker asks of a session and its person, and a person's consent to keep their recordings.

use super::Door;
use crate::auth;
use crate::internal::{PERSON_HEADER, call_json, call_json_as, person_stub, session_stub};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use silent_core::ids::{PersonId, SessionId};
use silent_edge::error::ApiError;
use silent_edge::http;
use worker::{Headers, Method, Request, Response};

/// Shows that a request comes from the voice Worker: a link to this, signed with the secret that both have.
const TICKET_HEADER: &str = "x-voice-ticket";
const TICKET: &str = "voice";

/// A person's consent.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Consent {
    /// Whether recordings may be kept.
    pub(crate) store_audio: bool,
}

/// Lets the voice Worker in; for anyone else there is nothing here.
pub(super) fn admit(door: &Door, request: &Request) -> Result<(), ApiError> {
    let ticket = http::header(request.headers(), TICKET_HEADER).ok_or(ApiError::NotFound)?;
    match door.tokens.verify_link(&ticket, door.now_ms) {
        Ok(thing) if thing == TICKET => Ok(()),
        _ => Err(ApiError::NotFound),
    }
}

/// All that the voice Worker needs to know before a spoken turn: that it may be, and how.
pub(super) async fn settings(door: &Door, request: &Request, id: &SessionId) -> Result<Response, ApiError> {
    admit(door, request)?;
    let person = auth::person(request, &door.tokens, door.now_ms)?;
    door.limit(request, Some(&person)).await?;
    let headers = Headers::new();
    headers.set(PERSON_HEADER, person.as_str())?;
    let (session, kept) = futures::join!(
        async { call_json_as::<Value>(&session_stub(&door.env, id)?, Method::Get, "/voice", headers).await },
        async { call_json::<Value>(&person_stub(&door.env, &person)?, Method::Get, "/voice", None::<&Value>).await }
    );
    let (session, kept) = (session?, kept?);
    Ok(Response::from_json(&json!({
        "person_id": person,
        "country": auth::region(request),
        "locale": session.get("locale"),
        "voice": session.get("voice"),
        "store_audio": kept.get("store_audio"),
        "wrapped_key": kept.get("wrapped_key"),
    }))?)
}

async fn person(door: &Door, request: &Request) -> Result<PersonId, ApiError> {
    let person = auth::person(request, &door.tokens, door.now_ms)?;
    door.limit(request, Some(&person)).await?;
    Ok(person)
}

/// What the person has agreed to.
pub(super) async fn consent(door: &Door, request: &Request) -> Result<Response, ApiError> {
    let person = person(door, request).await?;
    let kept: Value = call_json(&person_stub(&door.env, &person)?, Method::Get, "/voice", None::<&Value>).await?;
    Ok(Response::from_json(&json!({"store_audio": kept.get("store_audio")}))?)
}

/// Gives or takes back consent; what was kept goes with it.
pub(super) async fn set_consent(door: &Door, mut request: Request) -> Result<Response, ApiError> {
    let person = person(door, &request).await?;
    let (consent, _): (Consent, _) = http::json(&mut request).await?;
    let _: Value = call_json(&person_stub(&door.env, &person)?, Method::Put, "/voice", Some(&consent)).await?;
    Ok(Response::from_json(&consent)?)
}
