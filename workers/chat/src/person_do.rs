//! One object for each person: their data key, the index of their sessions, and their erasure.
//!
//! Invariant: once erased, the key is gone and the object never makes another one.

use crate::internal::{CORRELATION_HEADER, PERSON_HEADER, call, session_stub};
use crate::routes::voice::Consent;
use crate::twin_do::{self, Twins};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use silent_core::ids::{PersonId, SessionId};
use silent_core::sealed::{DataKey, KeyRing, WrappedKey};
use silent_core::time::rfc3339;
use silent_core::turn::Clock;
use silent_edge::error::ApiError;
use silent_edge::queue::QueueMessage;
use silent_edge::{SystemClock, audio_store, budget, durable, http, random};
use std::panic::{RefUnwindSafe, UnwindSafe};
use worker::{
    DurableObject, Env, Headers, Method, Request, Response, Result, SqlStorage, SqlStorageValue, State, durable_object,
};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS person(person_id TEXT PRIMARY KEY, wrapped_key TEXT, erased_at_ms INTEGER, reported INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS session(session_id TEXT PRIMARY KEY, created_at_ms INTEGER NOT NULL, last_active_at_ms INTEGER NOT NULL,
  turns INTEGER NOT NULL DEFAULT 0, sealed_title TEXT) STRICT;
CREATE TABLE IF NOT EXISTS consent(name TEXT PRIMARY KEY, granted INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS session_by_time ON session(last_active_at_ms DESC, session_id DESC);
";
/// Consent to keep recordings.
const STORE_AUDIO: &str = "store_audio";
/// First wait before an erasure is tried again, milliseconds.
const RETRY_MS: i64 = 2_000;

/// A session that a person begins.
pub(crate) struct NewSession {
    pub(crate) session_id: SessionId,
    pub(crate) created_at_ms: u64,
}

/// The body of `POST /sessions`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Join {
    person_id: PersonId,
    session_id: SessionId,
    created_at_ms: u64,
}

impl NewSession {
    pub(crate) fn of(&self, person: &PersonId) -> Join {
        Join {
            person_id: person.clone(),
            session_id: self.session_id.clone(),
            created_at_ms: self.created_at_ms,
        }
    }
}

/// The answer to it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Joined {
    /// How many sessions the person has, this one included.
    pub(crate) sessions: u64,
}

/// What a session says about itself after a turn.
#[derive(Serialize, Deserialize)]
pub(crate) struct Touch {
    pub(crate) session_id: SessionId,
    pub(crate) last_active_at_ms: u64,
    pub(crate) turns: u64,
    pub(crate) sealed_title: Option<String>,
}

/// One line of the session list.
#[derive(Serialize, Deserialize)]
pub(crate) struct SessionEntry {
    pub(crate) session_id: SessionId,
    title: Option<String>,
    created_at: String,
    last_active_at: String,
    turns: u64,
}

/// A page of the session list.
#[derive(Serialize, Deserialize)]
pub(crate) struct SessionList {
    pub(crate) sessions: Vec<SessionEntry>,
    pub(crate) next: Option<String>,
}

/// How far an erasure is.
#[derive(Serialize, Deserialize)]
pub(crate) struct ErasureState {
    status: String,
}

#[derive(Deserialize)]
struct PersonRow {
    person_id: PersonId,
    wrapped_key: Option<String>,
    erased_at_ms: Option<u64>,
    reported: u8,
}

#[derive(Deserialize)]
struct SessionRow {
    session_id: SessionId,
    created_at_ms: u64,
    last_active_at_ms: u64,
    turns: u64,
    sealed_title: Option<String>,
}

/// Where a session's title is sealed.
pub(crate) fn title_place(session: &SessionId) -> String {
    format!("{session}|title")
}

/// The object.
#[durable_object]
pub struct PersonObject {
    state: State,
    env: Env,
}

impl UnwindSafe for PersonObject {}
impl RefUnwindSafe for PersonObject {}

impl DurableObject for PersonObject {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let correlation_id = http::header(request.headers(), CORRELATION_HEADER).unwrap_or_default();
        match self.route(request).await {
            Ok(response) => Ok(response),
            Err(error) => error.into_response(&correlation_id),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        if self.erase_step().await.is_err() {
            self.state.storage().set_alarm(RETRY_MS).await?;
        }
        Response::empty()
    }
}

impl PersonObject {
    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    fn person(&self) -> std::result::Result<Option<PersonRow>, ApiError> {
        Ok(self
            .sql()
            .exec(
                "SELECT person_id, wrapped_key, erased_at_ms, reported FROM person",
                None,
            )?
            .to_array()?
            .pop())
    }

    /// The person, if there is one who was not erased.
    fn living(&self) -> std::result::Result<PersonRow, ApiError> {
        self.person()?
            .filter(|person| person.erased_at_ms.is_none())
            .ok_or(ApiError::NotFound)
    }

    async fn route(&self, mut request: Request) -> std::result::Result<Response, ApiError> {
        self.sql().exec(SCHEMA, None)?;
        let path = request.path();
        match (request.method(), path.as_str()) {
            (Method::Post, "/sessions") => {
                let (join, _): (Join, _) = read(&mut request).await?;
                self.join(&join)
            }
            (Method::Post, "/touch") => {
                let (touch, _): (Touch, _) = read(&mut request).await?;
                self.living()?;
                self.sql().exec(
                    "UPDATE session SET last_active_at_ms = ?, turns = ?, sealed_title = ? WHERE session_id = ?",
                    vec![
                        integer(touch.last_active_at_ms),
                        integer(touch.turns),
                        touch.sealed_title.into(),
                        touch.session_id.as_str().into(),
                    ],
                )?;
                ok()
            }
            (Method::Get, "/key") => {
                let wrapped = self.living()?.wrapped_key.ok_or(ApiError::NotFound)?;
                Ok(Response::ok(wrapped)?)
            }
            (Method::Get, "/voice") => Ok(Response::from_json(&json!({
                "store_audio": self.consents(STORE_AUDIO)?,
                "wrapped_key": self.living()?.wrapped_key,
            }))?),
            (Method::Put, "/voice") => {
                let (consent, _): (Consent, _) = read(&mut request).await?;
                self.consent(consent.store_audio).await
            }
            (method, path) if path.starts_with("/twins") || path.starts_with("/facts") => {
                // The first upload may be the first that is heard of a person.
                let fresh = http::header(request.headers(), PERSON_HEADER).and_then(|id| PersonId::parse(&id).ok());
                if let (Method::Post, "/twins", Some(person)) = (method, path, fresh) {
                    self.ensure(&person)?;
                }
                let person = self.living()?;
                let twins = Twins {
                    sql: self.sql(),
                    env: &self.env,
                    key: self.data_key(&person)?,
                    person: person.person_id,
                };
                twins.handle(request).await
            }
            (Method::Get, "/sessions") => self.list(&request),
            (Method::Delete, "/") => self.erase().await,
            (Method::Delete, path) => {
                let session = path.strip_prefix("/sessions/").ok_or(ApiError::NotFound)?;
                self.sql()
                    .exec("DELETE FROM session WHERE session_id = ?", vec![session.into()])?;
                twin_do::forget_session(&self.sql(), session)?;
                ok()
            }
            _ => Err(ApiError::NotFound),
        }
    }

    fn key_ring(&self) -> std::result::Result<KeyRing, ApiError> {
        let secret = self.env.secret("KEK")?.to_string();
        KeyRing::parse(&secret).map_err(|error| ApiError::internal(error.to_string()))
    }

    /// Makes the person's key where there is none yet; one who was erased stays erased.
    fn ensure(&self, person_id: &PersonId) -> std::result::Result<(), ApiError> {
        match self.person()? {
            Some(person) if person.erased_at_ms.is_some() => return Err(ApiError::NotFound),
            Some(_) => {}
            None => {
                let key = DataKey::new(random::bytes()?);
                let wrapped = self
                    .key_ring()?
                    .wrap(&key, person_id.as_str(), random::bytes()?)
                    .and_then(|wrapped| {
                        serde_json::to_string(&wrapped).map_err(|_| silent_core::sealed::SealError::KeyRing)
                    })
                    .map_err(|error| ApiError::internal(error.to_string()))?;
                self.sql().exec(
                    "INSERT INTO person(person_id, wrapped_key) VALUES (?, ?)",
                    vec![person_id.as_str().into(), wrapped.into()],
                )?;
            }
        }
        Ok(())
    }

    fn join(&self, join: &Join) -> std::result::Result<Response, ApiError> {
        self.ensure(&join.person_id)?;
        self.sql().exec(
            "INSERT INTO session(session_id, created_at_ms, last_active_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            vec![
                join.session_id.as_str().into(),
                integer(join.created_at_ms),
                integer(join.created_at_ms),
            ],
        )?;
        Ok(Response::from_json(&Joined {
            sessions: self.count()?,
        })?)
    }

    fn consents(&self, name: &str) -> std::result::Result<bool, ApiError> {
        #[derive(Deserialize)]
        struct Row {
            granted: u8,
        }
        let rows: Vec<Row> = self
            .sql()
            .exec("SELECT granted FROM consent WHERE name = ?", vec![name.into()])?
            .to_array()?;
        Ok(rows.first().is_some_and(|row| row.granted == 1))
    }

    /// Notes what the person agrees to; without their consent nothing stays that it allowed.
    async fn consent(&self, store_audio: bool) -> std::result::Result<Response, ApiError> {
        let person = self.living()?;
        self.sql().exec(
            "INSERT INTO consent(name, granted, at_ms) VALUES (?, ?, ?)
             ON CONFLICT(name) DO UPDATE SET granted = excluded.granted, at_ms = excluded.at_ms",
            vec![
                STORE_AUDIO.into(),
                i64::from(store_audio).into(),
                integer(SystemClock.now_ms()),
            ],
        )?;
        durable::sync(&self.state).await?;
        if !store_audio {
            self.delete_recordings(&person.person_id).await?;
        }
        ok()
    }

    async fn delete_recordings(&self, person: &PersonId) -> std::result::Result<(), ApiError> {
        let bucket = self.env.bucket("BUCKET")?;
        audio_store::delete(&bucket, &audio_store::person_prefix(person), u64::MAX).await?;
        Ok(())
    }

    fn count(&self) -> std::result::Result<u64, ApiError> {
        #[derive(Deserialize)]
        struct Count {
            n: u64,
        }
        Ok(self
            .sql()
            .exec("SELECT count(*) AS n FROM session", None)?
            .one::<Count>()?
            .n)
    }

    fn list(&self, request: &Request) -> std::result::Result<Response, ApiError> {
        #[derive(Deserialize)]
        struct Query {
            limit: Option<u32>,
            cursor: Option<String>,
        }
        let query: Query = request
            .query()
            .map_err(|_| ApiError::Invalid("limit must be a number".into()))?;
        let limit = query.limit.unwrap_or(50).clamp(1, 100);
        let (before_ms, before_id) = match &query.cursor {
            None => (i64::MAX >> 11, String::from("~")),
            Some(cursor) => cursor
                .split_once('.')
                .and_then(|(at, id)| Some((at.parse().ok()?, id.to_string())))
                .ok_or_else(|| ApiError::Invalid("unknown cursor".into()))?,
        };
        let Ok(person) = self.living() else {
            return Ok(Response::from_json(&SessionList {
                sessions: Vec::new(),
                next: None,
            })?);
        };
        let rows: Vec<SessionRow> = self
            .sql()
            .exec(
                "SELECT session_id, created_at_ms, last_active_at_ms, turns, sealed_title FROM session
                 WHERE (last_active_at_ms, session_id) < (?, ?) ORDER BY last_active_at_ms DESC, session_id DESC LIMIT ?",
                vec![SqlStorageValue::Integer(before_ms), before_id.into(), SqlStorageValue::Integer(i64::from(limit))],
            )?
            .to_array()?;
        let next = (rows.len() == limit as usize)
            .then(|| {
                rows.last()
                    .map(|row| format!("{}.{}", row.last_active_at_ms, row.session_id))
            })
            .flatten();
        let key = self.data_key(&person)?;
        let sessions = rows
            .into_iter()
            .map(|row| SessionEntry {
                title: row
                    .sealed_title
                    .and_then(|sealed| open_text(&key, &sealed, &title_place(&row.session_id))),
                session_id: row.session_id,
                created_at: rfc3339(row.created_at_ms),
                last_active_at: rfc3339(row.last_active_at_ms),
                turns: row.turns,
            })
            .collect();
        Ok(Response::from_json(&SessionList { sessions, next })?)
    }

    fn data_key(&self, person: &PersonRow) -> std::result::Result<DataKey, ApiError> {
        let wrapped = person.wrapped_key.as_deref().ok_or(ApiError::NotFound)?;
        unwrap_key(&self.key_ring()?, wrapped, &person.person_id)
    }

    /// Destroys the key now; the alarm deletes what it protected.
    async fn erase(&self) -> std::result::Result<Response, ApiError> {
        if let Some(person) = self.person()?
            && person.erased_at_ms.is_none()
        {
            self.sql().exec(
                "UPDATE person SET wrapped_key = NULL, erased_at_ms = ?",
                vec![integer(SystemClock.now_ms())],
            )?;
            self.state.storage().set_alarm(RETRY_MS).await?;
            durable::sync(&self.state).await?;
        }
        // Most erasures are over before the answer; what fails is left to the alarm.
        let status = if self.erase_step().await.is_ok() {
            "erased"
        } else {
            "erasing"
        };
        Ok(Response::from_json(&ErasureState { status: status.into() })?)
    }

    /// Deletes the sessions one by one and reports the erasure once; may be run again after any failure.
    async fn erase_step(&self) -> std::result::Result<(), ApiError> {
        self.sql().exec(SCHEMA, None)?;
        let Some(person) = self.person()?.filter(|person| person.erased_at_ms.is_some()) else {
            return Ok(());
        };
        #[derive(Deserialize)]
        struct Id {
            session_id: SessionId,
        }
        let sessions: Vec<Id> = self.sql().exec("SELECT session_id FROM session", None)?.to_array()?;
        for Id { session_id } in sessions {
            let headers = Headers::new();
            headers.set(PERSON_HEADER, person.person_id.as_str())?;
            let response = call(
                &session_stub(&self.env, &session_id)?,
                Method::Delete,
                "/?by=person",
                headers,
                None,
            )
            .await?;
            if !matches!(response.status_code(), 204 | 404) {
                return Err(ApiError::unavailable("a session could not be erased"));
            }
            self.sql().exec(
                "DELETE FROM session WHERE session_id = ?",
                vec![session_id.as_str().into()],
            )?;
        }
        self.delete_recordings(&person.person_id).await?;
        twin_do::erase(&self.sql(), &self.env, &person.person_id).await?;
        budget::forget(&self.env, person.person_id.as_str()).await?;
        if person.reported == 0 {
            let message = QueueMessage::ErasePerson {
                person_id: person.person_id,
                at_ms: person.erased_at_ms.unwrap_or(0),
            };
            let text = serde_json::to_string(&message).map_err(|_| ApiError::internal("message cannot be written"))?;
            self.env.queue("EVENTS")?.send(text).await?;
            self.sql().exec("UPDATE person SET reported = 1", None)?;
        }
        Ok(())
    }
}

/// The data key of a person from its stored form.
pub(crate) fn unwrap_key(ring: &KeyRing, wrapped: &str, person: &PersonId) -> std::result::Result<DataKey, ApiError> {
    let wrapped: WrappedKey =
        serde_json::from_str(wrapped).map_err(|_| ApiError::internal("stored key is malformed"))?;
    ring.unwrap(&wrapped, person.as_str())
        .map_err(|error| ApiError::internal(error.to_string()))
}

/// Opens base 64 of sealed text; none where it does not open.
pub(crate) fn open_text(key: &DataKey, sealed: &str, place: &str) -> Option<String> {
    let bytes = STANDARD.decode(sealed).ok()?;
    String::from_utf8(key.open(&bytes, place).ok()?).ok()
}

/// A number as SQLite stores it.
pub(crate) fn integer(value: u64) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

async fn read<T: serde::de::DeserializeOwned>(request: &mut Request) -> std::result::Result<(T, Vec<u8>), ApiError> {
    let bytes = http::body(request).await?;
    let value = serde_json::from_slice(&bytes).map_err(|_| ApiError::internal("internal body"))?;
    Ok((value, bytes))
}

fn ok() -> std::result::Result<Response, ApiError> {
    Ok(Response::from_json(&json!({"ok": true}))?)
}
