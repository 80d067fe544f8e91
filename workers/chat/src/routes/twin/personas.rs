//! Personas: uploaded, read, exported, deleted by their owner.

use super::{owner, with_token};
use crate::auth;
use crate::internal::{PERSON_HEADER, call, call_json, person_stub};
use crate::routes::Door;
use crate::twin::opened;
use crate::twin_do::{TwinEntry, Upload, Whole};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use silent_core::ids::{PersonId, TwinId};
use silent_core::persona::{Format, Persona, PersonaError, SOMEBODY, Spec, embed};
use silent_edge::error::ApiError;
use silent_edge::{http, random};
use worker::{Headers, Method, Request, Response};

/// Largest upload: a card's image.
const UPLOAD_BYTES: usize = 2 * 1024 * 1024;

fn refused(error: PersonaError) -> ApiError {
    match error {
        PersonaError::TooLong { .. } => ApiError::TooLarge(error.to_string()),
        other => ApiError::Invalid(other.to_string()),
    }
}

/// The media type of a body, without its parameters.
fn media_type(request: &Request) -> String {
    let value = http::header(request.headers(), "content-type").unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn name_of(request: &Request) -> Result<Option<String>, ApiError> {
    let url = request.url()?;
    let name = url.query_pairs().find(|(key, _)| key == "name");
    Ok(name
        .map(|(_, name)| name.into_owned())
        .filter(|name| !name.trim().is_empty()))
}

/// `POST /api/twins` and `PUT /api/twins/{id}`: text, Markdown, a card's JSON, or an image with a card.
pub(super) async fn upload(door: &Door, mut request: Request, replaced: Option<TwinId>) -> Result<Response, ApiError> {
    let known = auth::person(&request, &door.tokens, door.now_ms).ok();
    door.limit(&request, known.as_ref()).await?;
    let https = request.url()?.scheme() == "https";
    let (kind, name) = (media_type(&request), name_of(&request)?);
    let is_new = replaced.is_none();
    let person = match (known, &replaced) {
        (Some(person), _) => person,
        (None, None) => PersonId::new(door.now_ms, random::bytes()?),
        (None, Some(_)) => return Err(ApiError::Unauthorized),
    };
    let body = http::body_up_to(&mut request, UPLOAD_BYTES).await?;
    let persona = match kind.as_str() {
        "text/plain" | "text/markdown" => Persona::text(&body, name.as_deref()),
        "application/json" => Persona::card(&body),
        "image/png" => Persona::png(&body),
        _ => {
            return Err(ApiError::Invalid(
                "content-type: send text/plain, text/markdown, application/json or image/png".into(),
            ));
        }
    };
    let persona = persona.map_err(refused)?;
    let upload = Upload {
        person_id: person.clone(),
        twin_id: replaced,
        name: persona.name().into(),
        format: match persona.format() {
            Format::Text => "text".into(),
            Format::Card => "card".into(),
        },
        stored: persona.to_stored(),
        image: (kind == "image/png").then(|| STANDARD.encode(&body)),
    };
    let headers = Headers::new();
    headers.set(PERSON_HEADER, person.as_str())?;
    let body = serde_json::to_string(&upload).map_err(|_| ApiError::internal("internal body"))?;
    let mut response = call(
        &person_stub(&door.env, &person)?,
        Method::Post,
        "/twins",
        headers,
        Some(body),
    )
    .await?;
    match response.status_code() {
        200 => {}
        404 => return Err(ApiError::NotFound),
        409 => {
            return Err(ApiError::Conflict(
                "there are as many twins as a person may have".into(),
            ));
        }
        status => return Err(ApiError::unavailable(format!("person answered {status}"))),
    }
    let entry: TwinEntry = response.json().await?;
    let response = Response::from_json(&described(&entry, &persona))?.with_status(if is_new { 201 } else { 200 });
    with_token(door, response, &person, https)
}

fn described(entry: &TwinEntry, persona: &Persona) -> Value {
    json!({
        "twin_id": entry.twin_id, "name": entry.name, "format": entry.format, "version": entry.version,
        "created_at": entry.created_at, "updated_at": entry.updated_at, "greeting": persona.greeting(SOMEBODY),
    })
}

async fn whole(door: &Door, person: &PersonId, id: &TwinId) -> Result<Whole, ApiError> {
    let path = format!("/twins/{id}");
    call_json(&person_stub(&door.env, person)?, Method::Get, &path, None::<&Value>).await
}

/// `GET /api/twins`.
pub(super) async fn list(door: &Door, request: &Request) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let stub = person_stub(&door.env, &person)?;
    let twins = match call_json::<Vec<TwinEntry>>(&stub, Method::Get, "/twins", None::<&Value>).await {
        Err(ApiError::NotFound) => Vec::new(),
        found => found?,
    };
    Ok(Response::from_json(&json!({"twins": twins}))?)
}

/// `GET /api/twins/{id}`: with its source, to be edited.
pub(super) async fn read(door: &Door, request: &Request, id: &TwinId) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let found = whole(door, &person, id).await?;
    let persona = opened(&found)?;
    let mut body = described(&found.entry, &persona);
    if let Some(body) = body.as_object_mut() {
        body.insert("source".into(), persona.source().into());
    }
    let response = Response::from_json(&body)?;
    response.headers().set("cache-control", "no-store")?;
    Ok(response)
}

/// `DELETE /api/twins/{id}`: its persona, links and memory.
pub(super) async fn delete(door: &Door, request: &Request, id: &TwinId) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let path = format!("/twins/{id}");
    let _: Value = call_json(&person_stub(&door.env, &person)?, Method::Delete, &path, None::<&Value>).await?;
    Ok(Response::empty()?.with_status(204))
}

/// `GET /api/twins/{id}/export?format=`: `source` as it came, `json` as a card (`v2`, `v3`), `png` as an image with both.
pub(super) async fn export(door: &Door, request: &Request, id: &TwinId) -> Result<Response, ApiError> {
    let person = owner(door, request).await?;
    let url = request.url()?;
    let format = url.query_pairs().find(|(key, _)| key == "format");
    let format = format.map_or_else(|| "json".to_string(), |(_, format)| format.into_owned());
    let found = whole(door, &person, id).await?;
    let persona = opened(&found)?;
    let card = persona.to_card();
    let (bytes, kind, ending) = match format.as_str() {
        "source" if persona.format() == Format::Text => {
            (persona.source().as_bytes().to_vec(), "text/plain; charset=utf-8", "txt")
        }
        "source" => (persona.source().as_bytes().to_vec(), "application/json", "json"),
        "json" | "v3" if card.spec() == Spec::V3 => (card.source().as_bytes().to_vec(), "application/json", "json"),
        "json" | "v3" => (
            Value::Object(card.to_v3()).to_string().into_bytes(),
            "application/json",
            "json",
        ),
        "v2" if card.spec() == Spec::V2 => (card.source().as_bytes().to_vec(), "application/json", "json"),
        "v2" => (
            Value::Object(card.to_v2()).to_string().into_bytes(),
            "application/json",
            "json",
        ),
        "png" => {
            let image = found.image.as_deref().and_then(|image| STANDARD.decode(image).ok());
            let png = embed(image.as_deref(), &card.chunks()).map_err(|error| ApiError::internal(error.to_string()))?;
            (png, "image/png", "png")
        }
        _ => return Err(ApiError::Invalid("format: source, json, v2, v3 or png".into())),
    };
    let response = Response::from_bytes(bytes)?;
    let headers = response.headers();
    headers.set("content-type", kind)?;
    headers.set(
        "content-disposition",
        &format!("attachment; filename=\"{id}.{ending}\""),
    )?;
    headers.set("cache-control", "no-store")?;
    Ok(response)
}
