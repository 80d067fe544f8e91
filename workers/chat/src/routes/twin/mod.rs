//! `/api`: the digital twin's door. Conversations run through the sessions of `/v1`; only what is the twin's own is here.

mod chat;
mod memory;
mod personas;
mod shares;

use super::Door;
use crate::auth;
use crate::twin::{self, TwinRef};
use serde_json::json;
use silent_core::ids::{PersonId, TwinId};
use silent_edge::error::ApiError;
use worker::{Method, Request, Response};

/// Answers what is below `/api`.
pub(super) async fn handle(door: &Door, request: Request, segments: &[&str]) -> Result<Response, ApiError> {
    use Method::{Delete, Get, Post, Put};
    match (request.method(), segments) {
        (Get, ["health"]) => Ok(Response::from_json(&json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
        }))?),
        (Post, ["chat"]) => chat::say(door, request).await,
        (Get, ["chat", "history", session]) => chat::history(door, &request, session).await,
        (Get, ["twins"]) => personas::list(door, &request).await,
        (Post, ["twins"]) => personas::upload(door, request, None).await,
        (Get, ["twins", id]) => personas::read(door, &request, &twin_id(id)?).await,
        (Put, ["twins", id]) => personas::upload(door, request, Some(twin_id(id)?)).await,
        (Delete, ["twins", id]) => personas::delete(door, &request, &twin_id(id)?).await,
        (Get, ["twins", id, "export"]) => personas::export(door, &request, &twin_id(id)?).await,
        (Get, ["twins", id, "shares"]) => shares::list(door, &request, &twin_id(id)?).await,
        (Post, ["twins", id, "shares"]) => shares::create(door, request, &twin_id(id)?).await,
        (Delete, ["twins", id, "shares", share]) => shares::revoke(door, &request, &twin_id(id)?, share).await,
        (Get, ["shared"]) => shares::describe(door, &request, None).await,
        (Get, ["shared", link]) => shares::describe(door, &request, Some(link)).await,
        (Get, ["memory"]) => memory::list(door, &request).await,
        (Delete, ["memory", fact]) => memory::delete(door, &request, fact).await,
        (
            _,
            ["health" | "chat" | "twins" | "shared" | "memory"]
            | ["chat", "history", _]
            | ["twins" | "shared" | "memory", _]
            | ["twins", _, "export" | "shares"]
            | ["twins", _, "shares", _],
        ) => Err(ApiError::MethodNotAllowed),
        _ => Err(ApiError::NotFound),
    }
}

fn twin_id(text: &str) -> Result<TwinId, ApiError> {
    TwinId::parse(text).map_err(|_| ApiError::NotFound)
}

/// The person of a request that needs one, within the limits.
async fn owner(door: &Door, request: &Request) -> Result<PersonId, ApiError> {
    let person = auth::person(request, &door.tokens, door.now_ms)?;
    door.limit(request, Some(&person)).await?;
    Ok(person)
}

/// The twin that is meant: by a link, one of the person's, or the deployment's own. For a link that is not valid (any
/// more), and for others' twins, there is nothing.
pub(crate) fn meant(
    door: &Door,
    person: Option<&PersonId>,
    twin: Option<&str>,
    link: Option<&str>,
) -> Result<TwinRef, ApiError> {
    let wanted = twin.map(twin_id).transpose()?;
    match (link, wanted, person) {
        (Some(link), wanted, _) => {
            let thing = door
                .tokens
                .verify_link(link, door.now_ms)
                .map_err(|_| ApiError::NotFound)?;
            let found = twin::linked(&thing).ok_or(ApiError::NotFound)?;
            match wanted {
                Some(id) if found.name() != id.as_str() => Err(ApiError::NotFound),
                _ => Ok(found),
            }
        }
        (None, None, _) => Ok(TwinRef::Site),
        (None, Some(twin_id), Some(_)) => Ok(TwinRef::Own { twin_id }),
        (None, Some(_), None) => Err(ApiError::Unauthorized),
    }
}

/// Gives a guest their name: as a cookie for pages, as a header for programs.
fn with_token(door: &Door, response: Response, person: &PersonId, https: bool) -> Result<Response, ApiError> {
    let token = door.tokens.issue(person, door.now_ms)?;
    let headers = response.headers().clone();
    headers.set("set-cookie", &auth::set_cookie(&token, https))?;
    headers.set("x-token", &token)?;
    headers.set("cache-control", "no-store")?;
    Ok(response.with_headers(headers))
}
