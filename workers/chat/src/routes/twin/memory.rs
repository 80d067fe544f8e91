//! What twins remember of a person: each fact with the event that it comes from, to be seen and deleted.

use super::{owner, twin_id};
use crate::internal::{call_json, person_stub};
use crate::routes::Door;
use serde_json::{Value, json};
use silent_core::ids::FactId;
use silent_edge::error::ApiError;
use worker::{Method, Request, Response};

/// `GET /api/memory?twin=`: all of it, or what one twin (`site` or an id) remembers.
pub(super) async fn list(door: &Door, request: &Request) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let url = request.url()?;
    let twin = url.query_pairs().find(|(key, _)| key == "twin");
    let path = match twin.as_ref().map(|(_, twin)| twin.as_ref()) {
        None => "/facts".to_string(),
        Some("site") => "/facts/site".to_string(),
        Some(id) => format!("/facts/{}", twin_id(id)?),
    };
    let facts = match call_json::<Value>(&person_stub(&door.env, &person)?, Method::Get, &path, None::<&Value>).await {
        Err(ApiError::NotFound) => json!({"facts": []}),
        found => found?,
    };
    let response = Response::from_json(&facts)?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}

/// `DELETE /api/memory/{fact}`.
pub(super) async fn delete(door: &Door, request: &Request, fact: &str) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let fact = FactId::parse(fact).map_err(|_| ApiError::NotFound)?;
    let path = format!("/facts/{fact}");
    let _: Value = call_json(&person_stub(&door.env, &person)?, Method::Delete, &path, None::<&Value>).await?;
    Ok(Response::empty()?.with_status(204))
}
