//! A session's tables, and the only SQL that knows them.
//!
//! Text is sealed before it comes here and opened after it leaves.

use super::twin::SUMMARY;
use crate::person_do::integer;
use crate::twin::TwinRef;
use serde::{Deserialize, Serialize};
use silent_core::ids::{PersonId, SessionId, TurnId};
use silent_core::safety::SafetyState;
use silent_core::trace::TraceContext;
use silent_core::turn::{Kind, Status};
use silent_core::variants::Assignment;
use silent_edge::durable::{Statement, transaction};
use silent_edge::error::ApiError;
use silent_edge::queue::QueueMessage;
use worker::{SqlStorage, SqlStorageValue, State};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS turn(
  seq INTEGER PRIMARY KEY, turn_id TEXT NOT NULL UNIQUE, message_id TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL,
  replaces TEXT, replaced_by TEXT, idempotency_key TEXT UNIQUE, fingerprint TEXT NOT NULL, accepted_at_ms INTEGER NOT NULL,
  country TEXT, traceparent TEXT, sealed_input TEXT NOT NULL, sealed_output TEXT, sealed_stream TEXT,
  provider TEXT, model TEXT, crisis_level INTEGER, satisfaction_milli INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL) STRICT;
";
const BEGIN: &str = "begin";
const SAFETY: &str = "safety";
const DELETED: &str = "deleted";
const TOUCH: &str = "touch";
const COMMENT: &str = "comment:";
const COLUMNS: &str = "seq, turn_id, message_id, kind, status, replaced_by, fingerprint, accepted_at_ms,
  country, traceparent, sealed_input, sealed_output, sealed_stream, provider, model, crisis_level";

/// How a session began: pinned, never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Begin {
    pub(crate) session_id: SessionId,
    pub(crate) person_id: PersonId,
    pub(crate) product: String,
    /// Whose twin, where the product is one.
    #[serde(default)]
    pub(crate) twin: Option<TwinRef>,
    pub(crate) locale: String,
    pub(crate) timezone: Option<String>,
    pub(crate) assignment: Assignment,
    pub(crate) starters: Vec<String>,
    pub(crate) created_at_ms: u64,
}

/// A turn as it is stored.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct TurnRow {
    pub(super) seq: u64,
    pub(super) turn_id: TurnId,
    pub(super) message_id: String,
    kind: String,
    status: String,
    pub(super) replaced_by: Option<TurnId>,
    pub(super) fingerprint: String,
    pub(super) accepted_at_ms: u64,
    pub(super) country: Option<String>,
    traceparent: Option<String>,
    pub(super) sealed_input: String,
    pub(super) sealed_output: Option<String>,
    pub(super) sealed_stream: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) crisis_level: Option<u8>,
}

impl TurnRow {
    pub(super) fn status(&self) -> Status {
        Status::from_name(&self.status)
    }

    /// The trace context that the turn came with.
    pub(super) fn caller(&self) -> Option<TraceContext> {
        self.traceparent.as_deref().and_then(TraceContext::from_line)
    }

    pub(super) fn kind(&self) -> Kind {
        match self.kind.as_str() {
            "regenerate" => Kind::Regenerate,
            "edit" => Kind::Edit,
            _ => Kind::Send,
        }
    }
}

/// A turn that is accepted.
pub(super) struct NewTurn {
    pub(super) seq: u64,
    pub(super) turn_id: TurnId,
    pub(super) message_id: String,
    pub(super) kind: Kind,
    pub(super) replaces: Option<TurnId>,
    pub(super) idempotency_key: Option<String>,
    pub(super) fingerprint: String,
    pub(super) accepted_at_ms: u64,
    pub(super) country: Option<String>,
    /// The caller's trace context, as one line.
    pub(super) traceparent: Option<String>,
    pub(super) sealed_input: String,
}

/// The end of a turn.
pub(super) struct Ended {
    pub(super) turn_id: TurnId,
    pub(super) status: Status,
    pub(super) sealed_output: String,
    pub(super) sealed_stream: String,
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) crisis_level: u8,
    pub(super) safety_state: SafetyState,
    pub(super) message: QueueMessage,
}

/// A message that waits for the queue.
#[derive(Deserialize)]
pub(super) struct OutboxRow {
    pub(super) id: u64,
    pub(super) body: String,
}

/// The tables.
pub(super) struct Store {
    sql: SqlStorage,
}

fn heard_key(id: &TurnId) -> String {
    format!("heard:{id}")
}

type Outcome<T> = Result<T, ApiError>;

fn json(value: &impl Serialize) -> Outcome<String> {
    serde_json::to_string(value).map_err(|_| ApiError::internal("row cannot be written"))
}

fn optional(value: Option<&str>) -> SqlStorageValue {
    value.map_or(SqlStorageValue::Null, Into::into)
}

impl Store {
    pub(super) fn new(state: &State) -> Self {
        Self {
            sql: state.storage().sql(),
        }
    }

    pub(super) fn create_schema(&self) -> Outcome<()> {
        self.sql.exec(SCHEMA, None)?;
        Ok(())
    }

    fn meta(&self, key: &str) -> Outcome<Option<String>> {
        #[derive(Deserialize)]
        struct Value {
            value: String,
        }
        let row: Option<Value> = self
            .sql
            .exec("SELECT value FROM meta WHERE key = ?", vec![key.into()])?
            .to_array()?
            .pop();
        Ok(row.map(|row| row.value))
    }

    /// A note of the session's: a small value under a name.
    pub(super) fn note(&self, name: &'static str) -> Outcome<Option<String>> {
        self.meta(name)
    }

    /// Writes a note; a session that was deleted keeps none.
    pub(super) fn set_note(&self, name: &'static str, value: &str) -> Outcome<()> {
        if self.is_deleted()? {
            return Err(ApiError::NotFound);
        }
        self.sql.exec(
            "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            vec![name.into(), value.into()],
        )?;
        Ok(())
    }

    /// How the session began; none where there is no such session. Creates nothing: asking about random ids is free.
    pub(super) fn begun(&self) -> Outcome<Option<Begin>> {
        #[derive(Deserialize)]
        struct Name {
            #[allow(dead_code, reason = "only its presence matters")]
            name: String,
        }
        let tables: Vec<Name> = self
            .sql
            .exec("SELECT name FROM sqlite_master WHERE name = 'meta'", None)?
            .to_array()?;
        if tables.is_empty() {
            return Ok(None);
        }
        self.meta(BEGIN)?
            .map(|text| serde_json::from_str(&text).map_err(|_| ApiError::internal("stored session is malformed")))
            .transpose()
    }

    pub(super) fn begin(&self, begin: &Begin) -> Outcome<()> {
        self.sql.exec(
            "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
            vec![BEGIN.into(), json(begin)?.into()],
        )?;
        let message = QueueMessage::SessionCreated {
            session_id: begin.session_id.clone(),
            person_id: begin.person_id.clone(),
            product: begin.product.clone(),
            created_at_ms: begin.created_at_ms,
        };
        self.put_message(&message)
    }

    pub(super) fn put_message(&self, message: &QueueMessage) -> Outcome<()> {
        self.sql
            .exec("INSERT INTO outbox(body) VALUES (?)", vec![json(message)?.into()])?;
        Ok(())
    }

    pub(super) fn is_deleted(&self) -> Outcome<bool> {
        Ok(self.meta(DELETED)?.is_some())
    }

    /// Forgets all text at once; only the message that reports it stays until it was sent.
    pub(super) fn delete(&self, state: &State, session_id: &SessionId) -> Outcome<()> {
        let message = QueueMessage::EraseSession {
            session_id: session_id.clone(),
            at_ms: worker::Date::now().as_millis(),
        };
        transaction(
            state,
            vec![
                (
                    "INSERT INTO meta(key, value) VALUES (?, '1') ON CONFLICT DO NOTHING",
                    vec![DELETED.into()],
                ),
                ("DELETE FROM turn", vec![]),
                (
                    "DELETE FROM meta WHERE key IN (?, ?) OR key LIKE ?",
                    vec![TOUCH.into(), SUMMARY.into(), format!("{COMMENT}%").into()],
                ),
                ("DELETE FROM outbox", vec![]),
                ("INSERT INTO outbox(body) VALUES (?)", vec![json(&message)?.into()]),
            ],
        )?;
        Ok(())
    }

    pub(super) fn safety_state(&self) -> Outcome<SafetyState> {
        match self.meta(SAFETY)? {
            None => Ok(SafetyState::default()),
            Some(text) => {
                serde_json::from_str(&text).map_err(|_| ApiError::internal("stored safety state is malformed"))
            }
        }
    }

    fn rows(&self, rest: &str, bindings: Vec<SqlStorageValue>) -> Outcome<Vec<TurnRow>> {
        Ok(self
            .sql
            .exec(&format!("SELECT {COLUMNS} FROM turn {rest}"), bindings)?
            .to_array()?)
    }

    pub(super) fn turn(&self, id: &TurnId) -> Outcome<Option<TurnRow>> {
        Ok(self.rows("WHERE turn_id = ?", vec![id.as_str().into()])?.pop())
    }

    pub(super) fn turn_by_key(&self, key: &str) -> Outcome<Option<TurnRow>> {
        Ok(self.rows("WHERE idempotency_key = ?", vec![key.into()])?.pop())
    }

    /// The newest turn that nothing has replaced.
    pub(super) fn last_turn(&self) -> Outcome<Option<TurnRow>> {
        Ok(self
            .rows("WHERE replaced_by IS NULL ORDER BY seq DESC LIMIT 1", vec![])?
            .pop())
    }

    pub(super) fn unfinished(&self) -> Outcome<Vec<TurnRow>> {
        self.rows("WHERE status IN ('queued', 'running') ORDER BY seq", vec![])
    }

    /// A page of turns before `seq`, newest first.
    pub(super) fn page(&self, before_seq: u64, replaced: bool, limit: u32) -> Outcome<Vec<TurnRow>> {
        let filter = if replaced { "" } else { "AND replaced_by IS NULL" };
        self.rows(
            &format!("WHERE seq < ? {filter} ORDER BY seq DESC LIMIT ?"),
            vec![integer(before_seq), SqlStorageValue::Integer(i64::from(limit))],
        )
    }

    /// Turns that nothing has replaced.
    pub(super) fn count(&self) -> Outcome<u64> {
        #[derive(Deserialize)]
        struct Count {
            n: u64,
        }
        let row: Count = self
            .sql
            .exec("SELECT count(*) AS n FROM turn WHERE replaced_by IS NULL", None)?
            .one()?;
        Ok(row.n)
    }

    pub(super) fn next_seq(&self) -> Outcome<u64> {
        #[derive(Deserialize)]
        struct Next {
            n: u64,
        }
        let row: Next = self
            .sql
            .exec("SELECT coalesce(max(seq), 0) + 1 AS n FROM turn", None)?
            .one()?;
        Ok(row.n)
    }

    /// Stores an accepted turn, and which turn it replaces.
    pub(super) fn accept(&self, state: &State, turn: &NewTurn) -> Outcome<()> {
        let kind = match turn.kind {
            Kind::Send => "send",
            Kind::Regenerate => "regenerate",
            Kind::Edit => "edit",
        };
        let mut statements: Vec<Statement> = vec![(
            "INSERT INTO turn(seq, turn_id, message_id, kind, status, replaces, idempotency_key, fingerprint, accepted_at_ms, country, traceparent, sealed_input)
             VALUES (?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)",
            vec![
                integer(turn.seq),
                turn.turn_id.as_str().into(),
                turn.message_id.as_str().into(),
                kind.into(),
                optional(turn.replaces.as_ref().map(TurnId::as_str)),
                optional(turn.idempotency_key.as_deref()),
                turn.fingerprint.as_str().into(),
                integer(turn.accepted_at_ms),
                optional(turn.country.as_deref()),
                optional(turn.traceparent.as_deref()),
                turn.sealed_input.as_str().into(),
            ],
        )];
        if let Some(replaced) = &turn.replaces {
            statements.push((
                "UPDATE turn SET replaced_by = ? WHERE turn_id = ?",
                vec![turn.turn_id.as_str().into(), replaced.as_str().into()],
            ));
        }
        Ok(transaction(state, statements)?)
    }

    pub(super) fn mark(&self, id: &TurnId, status: Status) -> Outcome<()> {
        self.sql.exec(
            "UPDATE turn SET status = ? WHERE turn_id = ?",
            vec![status.as_str().into(), id.as_str().into()],
        )?;
        Ok(())
    }

    /// Writes the end of a turn, the gate's memory and the outbox row: all of it or nothing.
    pub(super) fn end(&self, state: &State, ended: &Ended) -> Outcome<()> {
        if self.is_deleted()? {
            return Err(ApiError::NotFound);
        }
        transaction(
            state,
            vec![
                (
                    "UPDATE turn SET status = ?, sealed_output = ?, sealed_stream = ?, provider = ?, model = ?, crisis_level = ? WHERE turn_id = ?",
                    vec![
                        ended.status.as_str().into(),
                        ended.sealed_output.as_str().into(),
                        ended.sealed_stream.as_str().into(),
                        ended.provider.as_str().into(),
                        ended.model.as_str().into(),
                        SqlStorageValue::Integer(i64::from(ended.crisis_level)),
                        ended.turn_id.as_str().into(),
                    ],
                ),
                (
                    "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                    vec![SAFETY.into(), json(&ended.safety_state)?.into()],
                ),
                (
                    "INSERT INTO meta(key, value) VALUES (?, '1') ON CONFLICT DO NOTHING",
                    vec![TOUCH.into()],
                ),
                (
                    "INSERT INTO outbox(body) VALUES (?)",
                    vec![json(&ended.message)?.into()],
                ),
            ],
        )?;
        Ok(())
    }

    pub(super) fn rate(&self, id: &TurnId, satisfaction_milli: u16) -> Outcome<()> {
        self.sql.exec(
            "UPDATE turn SET satisfaction_milli = ? WHERE turn_id = ?",
            vec![i64::from(satisfaction_milli).into(), id.as_str().into()],
        )?;
        Ok(())
    }

    /// How much of an answer was heard, if it was less than all.
    pub(super) fn heard(&self, id: &TurnId) -> Outcome<Option<u64>> {
        Ok(self.meta(&heard_key(id))?.and_then(|bytes| bytes.parse().ok()))
    }

    /// Notes how much of an answer was heard. It never grows.
    pub(super) fn hear(&self, id: &TurnId, bytes: u64) -> Outcome<()> {
        self.sql.exec(
            "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value
             WHERE CAST(excluded.value AS INTEGER) < CAST(meta.value AS INTEGER)",
            vec![heard_key(id).into(), bytes.to_string().into()],
        )?;
        Ok(())
    }

    /// Keeps what the person said about an answer in their own words, sealed.
    pub(super) fn put_comment(&self, id: &TurnId, sealed: String) -> Outcome<()> {
        self.sql.exec(
            "INSERT INTO meta(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            vec![format!("{COMMENT}{id}").into(), sealed.into()],
        )?;
        Ok(())
    }

    /// That comment.
    pub(super) fn comment(&self, id: &TurnId) -> Outcome<Option<String>> {
        self.meta(&format!("{COMMENT}{id}"))
    }

    pub(super) fn outbox(&self, limit: u32) -> Outcome<Vec<OutboxRow>> {
        Ok(self
            .sql
            .exec(
                "SELECT id, body FROM outbox ORDER BY id LIMIT ?",
                vec![i64::from(limit).into()],
            )?
            .to_array()?)
    }

    pub(super) fn sent(&self, up_to: u64) -> Outcome<()> {
        self.sql
            .exec("DELETE FROM outbox WHERE id <= ?", vec![integer(up_to)])?;
        Ok(())
    }

    /// Whether the person's index has to hear about the newest turn.
    pub(super) fn wants_touch(&self) -> Outcome<bool> {
        Ok(self.meta(TOUCH)?.is_some())
    }

    pub(super) fn want_touch(&self) -> Outcome<()> {
        self.sql.exec(
            "INSERT INTO meta(key, value) VALUES (?, '1') ON CONFLICT DO NOTHING",
            vec![TOUCH.into()],
        )?;
        Ok(())
    }

    pub(super) fn touched(&self) -> Outcome<()> {
        self.sql.exec("DELETE FROM meta WHERE key = ?", vec![TOUCH.into()])?;
        Ok(())
    }
}
