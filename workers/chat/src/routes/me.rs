//! What a person may ask about all that is kept of them.

use super::Door;
use crate::auth;
use crate::internal::{call, call_json, person_stub, session_stub};
use crate::person_do::{ErasureState, SessionList};
use crate::twin_do::TwinEntry;
use serde_json::{Value, json};
use silent_core::time::rfc3339;
use silent_edge::error::ApiError;
use worker::{Method, Request, Response, Stub};

/// Everything, as one JSON document to keep.
pub(crate) async fn export(door: &Door, request: &Request) -> Result<Response, ApiError> {
    let person = auth::person(request, &door.tokens, door.now_ms)?;
    door.limit(request, Some(&person)).await?;
    let stub = person_stub(&door.env, &person)?;
    let mut sessions = Vec::new();
    let mut cursor = None;
    loop {
        let path = match &cursor {
            Some(cursor) => format!("/sessions?limit=100&cursor={cursor}"),
            None => "/sessions?limit=100".into(),
        };
        let page: SessionList = call_json(&stub, Method::Get, &path, None::<&Value>).await?;
        for entry in page.sessions {
            let mut response = call(
                &session_stub(&door.env, &entry.session_id)?,
                Method::Get,
                "/export",
                door.headers(request, &person)?,
                None,
            )
            .await?;
            match response.status_code() {
                200 => sessions.push(response.json::<Value>().await?),
                404 => {}
                // A file that silently lacks a conversation would be worse than none.
                status => return Err(ApiError::unavailable(format!("session answered {status} to export"))),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let (twins, facts) = twins(&stub).await?;
    let response = Response::from_json(&json!({
        "exported_at": rfc3339(door.now_ms),
        "person": {"person_id": person, "kind": "guest"},
        "sessions": sessions,
        "twins": twins,
        "memory": facts,
    }))?;
    response.headers().set(
        "content-disposition",
        "attachment; filename=\"silent-infinity-export.json\"",
    )?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}

/// A person's twins with their personas, and what twins remember of them.
async fn twins(stub: &Stub) -> Result<(Vec<Value>, Value), ApiError> {
    let nothing = None::<&Value>;
    let entries: Vec<TwinEntry> = match call_json(stub, Method::Get, "/twins", nothing).await {
        // Nobody who has nothing is told so by an error.
        Err(ApiError::NotFound) => return Ok((Vec::new(), json!([]))),
        found => found?,
    };
    let mut twins = Vec::new();
    for entry in entries {
        let path = format!("/twins/{}", entry.twin_id);
        twins.push(call_json(stub, Method::Get, &path, nothing).await?);
    }
    let facts: Value = call_json(stub, Method::Get, "/facts", nothing).await?;
    Ok((twins, facts.get("facts").cloned().unwrap_or_default()))
}

/// Destroys the person's key at once and deletes the rest in the background, however often that fails first.
pub(crate) async fn erase(door: &Door, request: &Request) -> Result<Response, ApiError> {
    let person = auth::person(request, &door.tokens, door.now_ms)?;
    door.limit(request, Some(&person)).await?;
    let state: ErasureState = call_json(&person_stub(&door.env, &person)?, Method::Delete, "/", None::<&Value>).await?;
    let response = Response::from_json(&state)?.with_status(202);
    let https = request.url()?.scheme() == "https";
    response.headers().set("set-cookie", &auth::set_cookie("", https))?;
    Ok(response)
}
