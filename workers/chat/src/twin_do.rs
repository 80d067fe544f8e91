//! What a person's object keeps of twins: which there are, who else may talk with them, and what they remember.
//!
//! Invariant: everything here is sealed under the person's key and goes with it. A visitor's request is let in only by a
//! share that stands here, so that taking it back works from the next turn on.

use crate::person_do::{integer, open_text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use silent_core::ids::{FactId, PersonId, SessionId, ShareId, TurnId, TwinId};
use silent_core::persona::Fact;
use silent_core::sealed::DataKey;
use silent_core::time::rfc3339;
use silent_core::turn::Clock;
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, http, persona_store, random};
use worker::{Env, Method, Request, Response, SqlStorage};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS twin(twin_id TEXT PRIMARY KEY, version INTEGER NOT NULL, object_key TEXT NOT NULL, format TEXT NOT NULL,
  sealed_name TEXT NOT NULL, created_at_ms INTEGER NOT NULL, updated_at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS share(share_id TEXT PRIMARY KEY, twin_id TEXT NOT NULL, created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL, revoked_at_ms INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS fact(fact_id TEXT PRIMARY KEY, twin TEXT NOT NULL, sealed TEXT NOT NULL, event_id TEXT NOT NULL,
  session_id TEXT NOT NULL, turn_id TEXT NOT NULL, at_ms INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS fact_by_twin ON fact(twin, at_ms);
";
/// Largest body between the front door and the object: a persona, and an image in base 64.
const BODY_BYTES: usize = 4 * 1024 * 1024;
const TWINS: u64 = 20;
const SHARES: u64 = 50;
/// Facts of one twin; the oldest go.
const FACTS: usize = 100;

/// An upload, as the front door has checked it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) person_id: PersonId,
    /// The twin to replace; none makes a new one.
    pub(crate) twin_id: Option<TwinId>,
    pub(crate) name: String,
    pub(crate) format: String,
    /// The persona's stored form.
    pub(crate) stored: String,
    /// Its image, base 64.
    pub(crate) image: Option<String>,
}

/// What lies in R2, once opened.
#[derive(Serialize, Deserialize)]
struct Kept {
    stored: String,
    image: Option<String>,
}

/// A twin as its owner sees it in a list.
#[derive(Serialize, Deserialize)]
pub(crate) struct TwinEntry {
    pub(crate) twin_id: TwinId,
    pub(crate) name: String,
    pub(crate) format: String,
    pub(crate) version: u64,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

/// A twin with its persona.
#[derive(Serialize, Deserialize)]
pub(crate) struct Whole {
    pub(crate) entry: TwinEntry,
    pub(crate) state: PersonaState,
    pub(crate) stored: Option<String>,
    pub(crate) image: Option<String>,
}

/// How a persona was found; said in words, since a fault is logged where the request came in and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PersonaState {
    /// There it is.
    Ok,
    /// R2 has no such object.
    Missing,
    /// It does not open, or is not what was written.
    Malformed,
    /// R2 cannot be reached.
    Away,
}

/// Facts of one turn, and the events whose facts are to go.
#[derive(Serialize, Deserialize)]
pub(crate) struct Remember {
    pub(crate) twin: String,
    pub(crate) facts: Vec<Sourced>,
    pub(crate) forget: Vec<String>,
}

/// A fact with where it comes from.
#[derive(Serialize, Deserialize)]
pub(crate) struct Sourced {
    pub(crate) fact: Fact,
    pub(crate) event_id: String,
    pub(crate) session_id: SessionId,
    pub(crate) turn_id: TurnId,
    pub(crate) at_ms: u64,
}

#[derive(Deserialize)]
struct TwinRow {
    twin_id: TwinId,
    version: u64,
    object_key: String,
    format: String,
    sealed_name: String,
    created_at_ms: u64,
    updated_at_ms: u64,
}

#[derive(Deserialize)]
struct ShareRow {
    share_id: ShareId,
    twin_id: TwinId,
    created_at_ms: u64,
    expires_at_ms: u64,
    revoked_at_ms: Option<u64>,
}

#[derive(Deserialize)]
struct FactRow {
    fact_id: FactId,
    twin: String,
    sealed: String,
    event_id: String,
    session_id: SessionId,
    turn_id: TurnId,
    at_ms: u64,
}

type Outcome<T> = Result<T, ApiError>;

/// Where all objects of a person lie.
fn prefix(person: &PersonId) -> String {
    format!("twins/{person}/")
}

/// The tables, with the key that opens them.
pub(crate) struct Twins<'a> {
    pub(crate) sql: SqlStorage,
    pub(crate) env: &'a Env,
    pub(crate) person: PersonId,
    pub(crate) key: DataKey,
}

/// Forgets what was learnt in a session.
pub(crate) fn forget_session(sql: &SqlStorage, session: &str) -> Outcome<()> {
    sql.exec(SCHEMA, None)?;
    sql.exec("DELETE FROM fact WHERE session_id = ?", vec![session.into()])?;
    Ok(())
}

/// Deletes everything; may be run again after any failure.
pub(crate) async fn erase(sql: &SqlStorage, env: &Env, person: &PersonId) -> Outcome<()> {
    sql.exec(SCHEMA, None)?;
    for table in ["share", "fact", "twin"] {
        sql.exec(&format!("DELETE FROM {table}"), None)?;
    }
    persona_store::delete_all(env, &prefix(person)).await
}

impl Twins<'_> {
    /// Answers `/twins…` and `/facts…`.
    pub(crate) async fn handle(&self, mut request: Request) -> Outcome<Response> {
        self.sql.exec(SCHEMA, None)?;
        let path = request.path();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let twin = |id: &str| TwinId::parse(id).map_err(|_| ApiError::NotFound);
        let method = request.method();
        match (method, segments.as_slice()) {
            (Method::Post, ["twins"]) => {
                let body = http::body_up_to(&mut request, BODY_BYTES).await?;
                let upload = serde_json::from_slice(&body).map_err(|_| ApiError::internal("internal body"))?;
                self.put(upload).await
            }
            (Method::Get, ["twins"]) => {
                let rows = self.rows("ORDER BY created_at_ms", vec![])?;
                let entries: Vec<TwinEntry> = rows.iter().map(|row| self.entry(row)).collect();
                Ok(Response::from_json(&entries)?)
            }
            (Method::Get, ["twins", id]) => {
                let row = self.row(&twin(id)?)?;
                if let Some(share) = self.share_of(&request)? {
                    self.admit(&row.twin_id, &share)?;
                }
                Ok(Response::from_json(&self.whole(row).await?)?)
            }
            (Method::Delete, ["twins", id]) => {
                let row = self.row(&twin(id)?)?;
                for table in ["share", "twin"] {
                    let query = format!("DELETE FROM {table} WHERE twin_id = ?");
                    self.sql.exec(&query, vec![row.twin_id.as_str().into()])?;
                }
                self.sql
                    .exec("DELETE FROM fact WHERE twin = ?", vec![row.twin_id.as_str().into()])?;
                persona_store::delete_all(self.env, &format!("{}{}/", prefix(&self.person), row.twin_id)).await?;
                Ok(Response::from_json(&json!({"ok": true}))?)
            }
            (Method::Post, ["twins", id, "shares"]) => self.share(&self.row(&twin(id)?)?.twin_id, &mut request).await,
            (Method::Get, ["twins", id, "shares"]) => self.shares(&self.row(&twin(id)?)?.twin_id),
            (Method::Delete, ["twins", id, "shares", share]) => self.revoke(&self.row(&twin(id)?)?.twin_id, share),
            (Method::Post, ["facts"]) => {
                let body = http::body_up_to(&mut request, BODY_BYTES).await?;
                let remember = serde_json::from_slice(&body).map_err(|_| ApiError::internal("internal body"))?;
                self.remember(remember)
            }
            (Method::Get, ["facts", rest @ ..]) => self.facts(rest.first().copied()),
            (Method::Delete, ["facts", id]) => {
                let id = FactId::parse(id).map_err(|_| ApiError::NotFound)?;
                let gone: Vec<Value> = self
                    .sql
                    .exec(
                        "DELETE FROM fact WHERE fact_id = ? RETURNING fact_id",
                        vec![id.as_str().into()],
                    )?
                    .to_array()?;
                if gone.is_empty() {
                    return Err(ApiError::NotFound);
                }
                Ok(Response::from_json(&json!({"ok": true}))?)
            }
            _ => Err(ApiError::NotFound),
        }
    }

    fn rows(&self, rest: &str, bindings: Vec<worker::SqlStorageValue>) -> Outcome<Vec<TwinRow>> {
        let query = format!(
            "SELECT twin_id, version, object_key, format, sealed_name, created_at_ms, updated_at_ms FROM twin {rest}"
        );
        Ok(self.sql.exec(&query, bindings)?.to_array()?)
    }

    fn row(&self, id: &TwinId) -> Outcome<TwinRow> {
        let mut rows = self.rows("WHERE twin_id = ?", vec![id.as_str().into()])?;
        rows.pop().ok_or(ApiError::NotFound)
    }

    fn count(&self, table: &str, rest: &str, bindings: Vec<worker::SqlStorageValue>) -> Outcome<u64> {
        #[derive(Deserialize)]
        struct Count {
            n: u64,
        }
        let query = format!("SELECT count(*) AS n FROM {table} {rest}");
        Ok(self.sql.exec(&query, bindings)?.one::<Count>()?.n)
    }

    fn entry(&self, row: &TwinRow) -> TwinEntry {
        TwinEntry {
            name: open_text(&self.key, &row.sealed_name, &format!("{}|name", row.twin_id)).unwrap_or_default(),
            twin_id: row.twin_id.clone(),
            format: row.format.clone(),
            version: row.version,
            created_at: rfc3339(row.created_at_ms),
            updated_at: rfc3339(row.updated_at_ms),
        }
    }

    fn seal(&self, text: &str, place: &str) -> Outcome<Vec<u8>> {
        self.key
            .seal(text.as_bytes(), place, random::bytes()?)
            .map_err(|error| ApiError::internal(error.to_string()))
    }

    /// Writes the object first and the row that names it after: a reader sees the old version or the new one.
    async fn put(&self, upload: Upload) -> Outcome<Response> {
        let now_ms = SystemClock.now_ms();
        let old = upload.twin_id.as_ref().map(|id| self.row(id)).transpose()?;
        if old.is_none() && self.count("twin", "", vec![])? >= TWINS {
            return Err(ApiError::Conflict(format!("a person has at most {TWINS} twins")));
        }
        let twin_id = match upload.twin_id {
            Some(id) => id,
            None => TwinId::new(now_ms, random::bytes()?),
        };
        let nonce: String = random::bytes::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let object_key = format!("{}{twin_id}/{nonce}", prefix(&self.person));
        let kept = Kept {
            stored: upload.stored,
            image: upload.image,
        };
        let kept = serde_json::to_string(&kept).map_err(|_| ApiError::internal("persona cannot be written"))?;
        persona_store::put(self.env, &object_key, &self.seal(&kept, &object_key)?).await?;
        // While R2 wrote, the person or the twin may have been deleted: nothing comes back by that.
        let is_gone = self.count("person", "WHERE erased_at_ms IS NOT NULL", vec![])? > 0
            || (old.is_some() && self.row(&twin_id).is_err());
        if is_gone {
            persona_store::delete_all(self.env, &object_key).await?;
            return Err(ApiError::NotFound);
        }
        let sealed_name = STANDARD.encode(self.seal(&upload.name, &format!("{twin_id}|name"))?);
        self.sql.exec(
            "INSERT INTO twin(twin_id, version, object_key, format, sealed_name, created_at_ms, updated_at_ms) VALUES (?, 1, ?, ?, ?, ?, ?)
             ON CONFLICT(twin_id) DO UPDATE SET version = version + 1, object_key = excluded.object_key, format = excluded.format,
               sealed_name = excluded.sealed_name, updated_at_ms = excluded.updated_at_ms",
            vec![
                twin_id.as_str().into(),
                object_key.into(),
                upload.format.into(),
                sealed_name.into(),
                integer(now_ms),
                integer(now_ms),
            ],
        )?;
        let entry = self.entry(&self.row(&twin_id)?);
        if let Some(old) = old {
            // A version that stays behind is sealed, unnamed, and goes with the twin.
            let _ = persona_store::delete_all(self.env, &old.object_key).await;
        }
        Ok(Response::from_json(&entry)?)
    }

    async fn whole(&self, row: TwinRow) -> Outcome<Whole> {
        let found = match persona_store::get(self.env, &row.object_key).await {
            Ok(Some(sealed)) => self.opened(&sealed, &row.object_key).ok_or(PersonaState::Malformed),
            Ok(None) => Err(PersonaState::Missing),
            Err(_) => Err(PersonaState::Away),
        };
        let state = found.as_ref().err().copied().unwrap_or(PersonaState::Ok);
        let kept = found.ok();
        let (stored, image) = kept.map_or((None, None), |kept| (Some(kept.stored), kept.image));
        Ok(Whole {
            entry: self.entry(&row),
            state,
            stored,
            image,
        })
    }

    fn opened(&self, sealed: &[u8], place: &str) -> Option<Kept> {
        serde_json::from_slice(&self.key.open(sealed, place).ok()?).ok()
    }

    fn share_of(&self, request: &Request) -> Outcome<Option<ShareId>> {
        let url = request.url()?;
        let share = url.query_pairs().find(|(name, _)| name == "share");
        share
            .map(|(_, id)| ShareId::parse(&id).map_err(|_| ApiError::NotFound))
            .transpose()
    }

    fn share_rows(&self, twin: &TwinId) -> Outcome<Vec<ShareRow>> {
        Ok(self
            .sql
            .exec(
                "SELECT share_id, twin_id, created_at_ms, expires_at_ms, revoked_at_ms FROM share WHERE twin_id = ? ORDER BY created_at_ms",
                vec![twin.as_str().into()],
            )?
            .to_array()?)
    }

    /// Lets a visitor in whose share still stands.
    fn admit(&self, twin: &TwinId, share: &ShareId) -> Outcome<()> {
        let now_ms = SystemClock.now_ms();
        let stands = |row: &ShareRow| {
            row.share_id == *share && row.twin_id == *twin && row.revoked_at_ms.is_none() && row.expires_at_ms > now_ms
        };
        if self.share_rows(twin)?.iter().any(stands) {
            Ok(())
        } else {
            Err(ApiError::NotFound)
        }
    }

    async fn share(&self, twin: &TwinId, request: &mut Request) -> Outcome<Response> {
        #[derive(Deserialize)]
        struct Wish {
            expires_at_ms: u64,
        }
        let body = http::body(request).await?;
        let wish: Wish = serde_json::from_slice(&body).map_err(|_| ApiError::internal("internal body"))?;
        let now_ms = SystemClock.now_ms();
        self.sql.exec(
            "DELETE FROM share WHERE twin_id = ? AND expires_at_ms <= ?",
            vec![twin.as_str().into(), integer(now_ms)],
        )?;
        if self.count("share", "WHERE twin_id = ?", vec![twin.as_str().into()])? >= SHARES {
            return Err(ApiError::Conflict(format!("a twin has at most {SHARES} links")));
        }
        let share_id = ShareId::new(now_ms, random::bytes()?);
        self.sql.exec(
            "INSERT INTO share(share_id, twin_id, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?)",
            vec![
                share_id.as_str().into(),
                twin.as_str().into(),
                integer(now_ms),
                integer(wish.expires_at_ms),
            ],
        )?;
        Ok(Response::from_json(&json!({"share_id": share_id}))?)
    }

    fn shares(&self, twin: &TwinId) -> Outcome<Response> {
        let now_ms = SystemClock.now_ms();
        let shown = |row: &ShareRow| {
            json!({
                "share_id": row.share_id,
                "created_at": rfc3339(row.created_at_ms),
                "expires_at": rfc3339(row.expires_at_ms),
                "expires_at_ms": row.expires_at_ms,
                "active": row.revoked_at_ms.is_none() && row.expires_at_ms > now_ms,
            })
        };
        let shares: Vec<Value> = self.share_rows(twin)?.iter().map(shown).collect();
        Ok(Response::from_json(&json!({"shares": shares}))?)
    }

    fn revoke(&self, twin: &TwinId, share: &str) -> Outcome<Response> {
        let share = ShareId::parse(share).map_err(|_| ApiError::NotFound)?;
        let changed: Vec<Value> = self
            .sql
            .exec(
                "UPDATE share SET revoked_at_ms = coalesce(revoked_at_ms, ?) WHERE share_id = ? AND twin_id = ? RETURNING share_id",
                vec![integer(SystemClock.now_ms()), share.as_str().into(), twin.as_str().into()],
            )?
            .to_array()?;
        if changed.is_empty() {
            return Err(ApiError::NotFound);
        }
        Ok(Response::from_json(&json!({"ok": true}))?)
    }

    fn fact_rows(&self, twin: Option<&str>) -> Outcome<Vec<FactRow>> {
        let columns = "SELECT fact_id, twin, sealed, event_id, session_id, turn_id, at_ms FROM fact";
        let cursor = match twin {
            Some(twin) => self.sql.exec(
                &format!("{columns} WHERE twin = ? ORDER BY at_ms, rowid"),
                vec![twin.into()],
            )?,
            None => self.sql.exec(&format!("{columns} ORDER BY at_ms, rowid"), None)?,
        };
        Ok(cursor.to_array()?)
    }

    fn fact(&self, row: &FactRow) -> Option<Fact> {
        serde_json::from_str(&open_text(&self.key, &row.sealed, row.fact_id.as_str())?).ok()
    }

    /// Keeps facts, each with its source; said again, a fact moves to its newest source.
    fn remember(&self, remember: Remember) -> Outcome<Response> {
        for event in &remember.forget {
            self.sql
                .exec("DELETE FROM fact WHERE event_id = ?", vec![event.as_str().into()])?;
        }
        for sourced in remember.facts {
            for row in self.fact_rows(Some(&remember.twin))? {
                if self.fact(&row).is_none_or(|fact| fact.kind == sourced.fact.kind) {
                    self.sql
                        .exec("DELETE FROM fact WHERE fact_id = ?", vec![row.fact_id.as_str().into()])?;
                }
            }
            let fact_id = FactId::new(sourced.at_ms, random::bytes()?);
            let text =
                serde_json::to_string(&sourced.fact).map_err(|_| ApiError::internal("fact cannot be written"))?;
            let sealed = STANDARD.encode(self.seal(&text, fact_id.as_str())?);
            self.sql.exec(
                "INSERT INTO fact(fact_id, twin, sealed, event_id, session_id, turn_id, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
                vec![
                    fact_id.as_str().into(),
                    remember.twin.as_str().into(),
                    sealed.into(),
                    sourced.event_id.into(),
                    sourced.session_id.as_str().into(),
                    sourced.turn_id.as_str().into(),
                    integer(sourced.at_ms),
                ],
            )?;
        }
        let rows = self.fact_rows(Some(&remember.twin))?;
        for row in rows.iter().take(rows.len().saturating_sub(FACTS)) {
            self.sql
                .exec("DELETE FROM fact WHERE fact_id = ?", vec![row.fact_id.as_str().into()])?;
        }
        Ok(Response::from_json(&json!({"ok": true}))?)
    }

    fn facts(&self, twin: Option<&str>) -> Outcome<Response> {
        let shown = |row: &FactRow| {
            let fact = self.fact(row)?;
            Some(json!({
                "fact_id": row.fact_id, "twin": row.twin, "kind": fact.kind, "value": fact.value,
                "source": {"event_id": row.event_id, "session_id": row.session_id, "turn_id": row.turn_id, "at": rfc3339(row.at_ms)},
            }))
        };
        let facts: Vec<Value> = self.fact_rows(twin)?.iter().filter_map(shown).collect();
        Ok(Response::from_json(&json!({"facts": facts}))?)
    }
}
