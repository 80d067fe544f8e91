//! Recordings that a person agreed to keep: stored, listed, heard again by signed links that last minutes, and deleted in time.

use crate::chat::Settings;
use crate::door::{Door, Fail};
use serde_json::json;
use silent_core::ids::{PersonId, SessionId, TurnId};
use silent_core::sealed::{DataKey, KeyRing, WrappedKey};
use silent_core::time::rfc3339;
use silent_core::turn::Clock;
use silent_edge::audio_store::{self, Side, Wanted};
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, http, log};
use worker::{Bucket, Env, Request, Response};

/// How long a link is good.
const LINK_MS: u64 = 300_000;
const DAY_MS: u64 = 86_400_000;
const DEFAULT_DAYS: u64 = 30;

/// Where one person's recordings of one session go.
#[derive(Clone)]
pub(crate) struct Keeper {
    bucket: Bucket,
    key: DataKey,
    person: PersonId,
    session: SessionId,
}

fn data_key(env: &Env, person: &PersonId, wrapped: &str) -> Result<DataKey, ApiError> {
    let secret = env
        .secret("KEK")
        .map_err(|_| ApiError::internal("secret KEK is not set"))?
        .to_string();
    let internal = |error: silent_core::sealed::SealError| ApiError::internal(error.to_string());
    let wrapped: WrappedKey =
        serde_json::from_str(wrapped).map_err(|_| ApiError::internal("stored key is malformed"))?;
    KeyRing::parse(&secret)
        .map_err(internal)?
        .unwrap(&wrapped, person.as_str())
        .map_err(internal)
}

impl Keeper {
    /// Only with consent; what cannot be kept is left out, and the talk goes on.
    pub(crate) fn new(env: &Env, settings: &Settings, session: &SessionId) -> Option<Self> {
        let wrapped = settings.wrapped_key.as_deref().filter(|_| settings.store_audio)?;
        let made = data_key(env, &settings.person_id, wrapped).and_then(|key| {
            Ok(Self {
                bucket: env.bucket("BUCKET")?,
                key,
                person: settings.person_id.clone(),
                session: session.clone(),
            })
        });
        made.map_err(|error| report(session.as_str(), &error)).ok()
    }

    pub(crate) async fn keep(&self, turn: &TurnId, side: Side, media_type: &str, bytes: &[u8]) {
        let name = audio_store::name(&self.person, &self.session, turn, side);
        if let Err(error) = audio_store::put(&self.bucket, &self.key, &name, media_type, bytes).await {
            report(turn.as_str(), &error);
        }
    }
}

fn report(id: &str, error: &ApiError) {
    log::line("error", "recording", id, json!({"cause": format!("{error:?}")}));
}

/// Recordings from before this are gone.
fn not_before_ms(env: &Env, now_ms: u64) -> u64 {
    let days = env
        .var("AUDIO_RETENTION_DAYS")
        .ok()
        .and_then(|days| days.to_string().parse().ok());
    now_ms.saturating_sub(days.unwrap_or(DEFAULT_DAYS).saturating_mul(DAY_MS))
}

/// The recordings of a session, each with a link to hear it.
pub(crate) async fn list(door: &Door, request: &Request, session: &SessionId) -> Result<Response, Fail> {
    let (_, settings) = door.enter(request, session).await?;
    let bucket = door.env.bucket("BUCKET")?;
    let prefix = audio_store::session_prefix(&settings.person_id, session);
    let oldest_ms = not_before_ms(&door.env, door.now_ms);
    let expires_at_ms = door.now_ms + LINK_MS;
    let mut recordings = Vec::new();
    for (name, stored_ms) in audio_store::list(&bucket, &prefix).await? {
        let Some((turn, side)) = name.strip_prefix(&prefix).and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        if stored_ms >= oldest_ms {
            let link = door.tokens.issue_link(&name, expires_at_ms)?;
            recordings.push(json!({
                "turn_id": turn,
                "side": side,
                "stored_at": rfc3339(stored_ms),
                "url": format!("/v1/audio/recordings/{link}"),
                "expires_at": rfc3339(expires_at_ms),
            }));
        }
    }
    Ok(Response::from_json(&json!({ "recordings": recordings }))?)
}

/// A recording, or the part of it that is asked for, for whoever holds a link.
pub(crate) async fn read(door: &Door, request: &Request, link: &str) -> Result<Response, Fail> {
    let name = door
        .tokens
        .verify_link(link, door.now_ms)
        .map_err(|_| ApiError::NotFound)?;
    let mut parts = name.split('/');
    let (Some("audio"), Some(person), Some(session)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(ApiError::NotFound.into());
    };
    let person = PersonId::parse(person).map_err(|_| ApiError::NotFound)?;
    let session = SessionId::parse(session).map_err(|_| ApiError::NotFound)?;
    // The key of an erased person is gone, and with it the recording.
    let token = door.tokens.issue(&person, door.now_ms)?;
    let chat = crate::chat::Chat::new(&door.env, &door.tokens, session, token, None, None)?;
    let settings = chat.settings().await?;
    let wrapped = settings.wrapped_key.ok_or(ApiError::NotFound)?;
    let key = data_key(&door.env, &person, &wrapped)?;
    let wanted = http::header(request.headers(), "range").and_then(|range| Wanted::parse(&range));
    let oldest_ms = not_before_ms(&door.env, door.now_ms);
    let part = audio_store::get(&door.env.bucket("BUCKET")?, &key, &name, wanted, oldest_ms)
        .await?
        .ok_or(ApiError::NotFound)?;
    let end = part.start + part.bytes.len().saturating_sub(1);
    let status = if wanted.is_some() { 206 } else { 200 };
    let response = Response::from_bytes(part.bytes)?.with_status(status);
    let headers = response.headers();
    headers.set("content-type", &part.media_type)?;
    headers.set("accept-ranges", "bytes")?;
    headers.set("cache-control", "private, no-store")?;
    if wanted.is_some() {
        headers.set("content-range", &format!("bytes {}-{end}/{}", part.start, part.total))?;
    }
    Ok(response)
}

/// Deletes what is older than it may be.
pub(crate) async fn expire(env: &Env) -> Result<usize, ApiError> {
    let oldest_ms = not_before_ms(env, SystemClock.now_ms());
    audio_store::delete(&env.bucket("BUCKET")?, "audio/", oldest_ms).await
}
