//! Links: signed, until a day, and good only for as long as the owner does not take them back.

use super::{meant, owner};
use crate::internal::{call, call_json, person_stub};
use crate::routes::Door;
use crate::twin::{TwinRef, link_thing, persona};
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::ids::{PersonId, ShareId, TwinId};
use silent_core::persona::SOMEBODY;
use silent_core::time::rfc3339;
use silent_edge::error::ApiError;
use silent_edge::http;
use worker::{Headers, Method, Request, Response};

/// How long a link is good for where nothing is said, days.
const DAYS: u64 = 30;
const DAYS_MAX: u64 = 365;
const DAY_MS: u64 = 86_400_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    days: Option<u64>,
}

#[derive(Deserialize)]
struct Made {
    share_id: ShareId,
}

#[derive(Deserialize)]
struct Shares {
    shares: Vec<Value>,
}

fn link(door: &Door, request: &Request, thing: &str, expires_at_ms: u64) -> Result<(String, String), ApiError> {
    let token = door.tokens.issue_link(thing, expires_at_ms)?;
    let url = format!("{}/twin/#{token}", request.url()?.origin().ascii_serialization());
    Ok((token, url))
}

/// `POST /api/twins/{id}/shares`.
pub(super) async fn create(door: &Door, mut request: Request, id: &TwinId) -> Result<Response, ApiError> {
    let person = owner(door, &request).await?;
    let (wish, _): (Wish, _) = http::json(&mut request).await?;
    let days = wish.days.unwrap_or(DAYS);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ApiError::Invalid(format!("days: must be from 1 to {DAYS_MAX}")));
    }
    let expires_at_ms = door.now_ms + days * DAY_MS;
    let body = json!({"expires_at_ms": expires_at_ms}).to_string();
    let path = format!("/twins/{id}/shares");
    let mut response = call(
        &person_stub(&door.env, &person)?,
        Method::Post,
        &path,
        Headers::new(),
        Some(body),
    )
    .await?;
    match response.status_code() {
        200 => {}
        404 => return Err(ApiError::NotFound),
        409 => return Err(ApiError::Conflict("there are as many links as a twin may have".into())),
        status => return Err(ApiError::unavailable(format!("person answered {status}"))),
    }
    let made: Made = response.json().await?;
    let (token, url) = link(door, &request, &link_thing(&person, id, &made.share_id), expires_at_ms)?;
    let response = Response::from_json(&json!({
        "share_id": made.share_id, "share": token, "url": url, "expires_at": rfc3339(expires_at_ms),
    }))?
    .with_status(201);
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}

/// `GET /api/twins/{id}/shares`.
pub(super) async fn list(door: &Door, request: &Request, id: &TwinId) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let path = format!("/twins/{id}/shares");
    let found: Shares = call_json(&person_stub(&door.env, &person)?, Method::Get, &path, None::<&Value>).await?;
    let mut shares = found.shares;
    for share in &mut shares {
        let Some(share) = share.as_object_mut() else { continue };
        let expires_at_ms = share.remove("expires_at_ms").and_then(|at| at.as_u64()).unwrap_or(0);
        let is_active = share.get("active").and_then(Value::as_bool).unwrap_or(false);
        let id_of = share.get("share_id").and_then(Value::as_str);
        if let Some(share_id) = id_of.and_then(|text| ShareId::parse(text).ok()).filter(|_| is_active) {
            let (_, url) = link(door, request, &link_thing(&person, id, &share_id), expires_at_ms)?;
            share.insert("url".into(), url.into());
        }
    }
    Ok(Response::from_json(&json!({"shares": shares}))?)
}

/// `DELETE /api/twins/{id}/shares/{share}`.
pub(super) async fn revoke(door: &Door, request: &Request, id: &TwinId, share: &str) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let share = ShareId::parse(share).map_err(|_| ApiError::NotFound)?;
    let path = format!("/twins/{id}/shares/{share}");
    let _: Value = call_json(&person_stub(&door.env, &person)?, Method::Delete, &path, None::<&Value>).await?;
    Ok(Response::empty()?.with_status(204))
}

/// `GET /api/shared/{link}`, and `GET /api/shared` for the deployment's own: what a visitor sees before the first word.
pub(super) async fn describe(door: &Door, request: &Request, link: Option<&str>) -> Result<Response, ApiError> {
    door.limit(request, None).await?;
    let twin = match link {
        None => TwinRef::Site,
        Some(_) => meant(door, None, None, link)?,
    };
    let (persona, _) = persona(&door.env, &PersonId::new(0, [0; 10]), &twin, door.now_ms).await?;
    let response = Response::from_json(&json!({
        "twin_id": twin.name(), "name": persona.name(), "greeting": persona.greeting(SOMEBODY),
    }))?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}
