//! The guard of canaries: what the consumer stored is read a few seconds later, and a canary that is proven to regress goes
//! back to experimental, by the registry's own hand.
//!
//! Invariant: sums, sessions and the place up to which events were read change in one transaction, so that an event counts
//! once, whatever is cut off.

use crate::registry_do::integer;
use crate::registry_do::order::{Order, Wish};
use crate::registry_do::{head, send};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use silent_core::pipeline::{Finding, Watch, WatchedSession};
use silent_core::registry::{Actor, ActorKind, Command, REASON_CHARS, Target};
use silent_core::statistics::Policy;
use silent_core::turn::{Clock, TurnEvent};
use silent_edge::durable::{Statement, transaction};
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, log};
use std::collections::BTreeMap;
use std::panic::{RefUnwindSafe, UnwindSafe};
use worker::{D1Database, DurableObject, Env, Request, Response, Result, SqlStorage, State, durable_object};

/// The binding of the object.
const OBJECT: &str = "GUARD";
/// Who demotes, as the audit log has it.
const ACTOR: &str = "system:guard";
/// How long events are left to gather, milliseconds.
const GATHER_MS: i64 = 5_000;
/// Events of a page.
const PAGE: u64 = 500;
/// Pages of a run; what is left has the next one, at once.
const PAGES: usize = 40;
/// A session that was silent for so long begins anew.
const SESSION_MS: u64 = 86_400_000;
/// Where an object that never read begins: events of the last hour.
const LOOK_BACK_MS: u64 = 3_600_000;

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS kept(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS session(id TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS session_by_time ON session(at_ms);";

/// Has what was stored looked at. A call that is lost is made up for by the next batch, or by the cron.
pub(crate) async fn poke(env: &Env) {
    crate::poke(env, OBJECT, "guard").await;
}

/// The object; there is one.
#[durable_object]
pub struct GuardObject {
    state: State,
    env: Env,
}

impl UnwindSafe for GuardObject {}
impl RefUnwindSafe for GuardObject {}

impl DurableObject for GuardObject {
    fn new(state: State, env: Env) -> Self {
        Self { state, env }
    }

    async fn fetch(&self, _request: Request) -> Result<Response> {
        let storage = self.state.storage();
        if storage.get_alarm().await?.is_none() {
            storage.set_alarm(GATHER_MS).await?;
        }
        Response::empty()
    }

    async fn alarm(&self) -> Result<Response> {
        let is_done = self.look().await.unwrap_or_else(|error| {
            log::line("error", "guard-waits", "guard", json!({"cause": format!("{error:?}")}));
            false
        });
        if !is_done {
            self.state.storage().set_alarm(GATHER_MS).await?;
        }
        Response::empty()
    }
}

/// The last rows that were read.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Place {
    turns: u64,
    ratings: u64,
}

#[derive(Deserialize)]
struct Row {
    row: u64,
    event: String,
    #[serde(default)]
    satisfaction_milli: Option<u16>,
}

type Outcome<T> = std::result::Result<T, ApiError>;

impl GuardObject {
    fn sql(&self) -> SqlStorage {
        self.state.storage().sql()
    }

    fn kept<T: DeserializeOwned>(&self, query: &str, key: &str) -> Outcome<Option<T>> {
        #[derive(Deserialize)]
        struct Kept {
            value: String,
        }
        let rows: Vec<Kept> = self.sql().exec(query, vec![key.into()])?.to_array()?;
        // What an older release wrote and this one cannot read begins anew.
        Ok(rows.first().and_then(|row| serde_json::from_str(&row.value).ok()))
    }

    /// Reads what is new and sends back what is proven; says whether nothing is left.
    async fn look(&self) -> Outcome<bool> {
        self.sql().exec(SCHEMA, None)?;
        let db = self.env.d1(crate::DB)?;
        let snapshot = head(&self.env).await?;
        let mut watch: Watch = self
            .kept("SELECT value FROM kept WHERE name = ?", "watch")?
            .unwrap_or_default();
        watch.follow(&snapshot);
        let end = end(&db).await?;
        let known: Option<Place> = self.kept("SELECT value FROM kept WHERE name = ?", "place")?;
        let mut place = match known {
            // Rows of an erasure may have been the last ones: their numbers are given again.
            Some(place) => Place {
                turns: place.turns.min(end.turns),
                ratings: place.ratings.min(end.ratings),
            },
            None => begin(&db, end).await?,
        };
        let mut is_done = true;
        if watch.is_idle() {
            self.keep(&watch, end, BTreeMap::new())?;
        } else {
            is_done = self.read(&db, &mut watch, &mut place).await?;
            for finding in watch
                .findings(&snapshot, &Policy::default())
                .map_err(|error| ApiError::internal(error.to_string()))?
            {
                is_done &= self.demote(&finding).await?;
            }
        }
        Ok(is_done)
    }

    async fn read(&self, db: &D1Database, watch: &mut Watch, place: &mut Place) -> Outcome<bool> {
        for _ in 0..PAGES {
            let turns = page(
                db,
                "SELECT rowid AS row, event FROM turn_events WHERE rowid > ?1 ORDER BY rowid LIMIT ?2",
                place.turns,
            )
            .await?;
            // A rating is stored after its turn.
            let ratings = page(
                db,
                "SELECT f.rowid AS row, f.satisfaction_milli, t.event FROM feedback f JOIN turn_events t ON t.event_id = f.event_id
                 WHERE f.rowid > ?1 ORDER BY f.rowid LIMIT ?2",
                place.ratings,
            )
            .await?;
            let is_last = (turns.len().max(ratings.len()) as u64) < PAGE;
            place.turns = turns.last().map_or(place.turns, |row| row.row);
            place.ratings = ratings.last().map_or(place.ratings, |row| row.row);
            let mut sessions: BTreeMap<String, WatchedSession> = BTreeMap::new();
            for row in turns.iter().chain(&ratings) {
                let Ok(event) = serde_json::from_str::<TurnEvent>(&row.event) else {
                    continue;
                };
                let id = event.session_id.as_str();
                if !sessions.contains_key(id) {
                    let known = self.kept("SELECT value FROM session WHERE id = ?", id)?;
                    sessions.insert(id.into(), known.unwrap_or_default());
                }
                if let Some(session) = sessions.get_mut(id) {
                    match row.satisfaction_milli {
                        None => watch.turn(session, &event),
                        Some(milli) => watch.rating(session, &event, milli),
                    }
                }
            }
            self.keep(watch, *place, sessions)?;
            if is_last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn keep(&self, watch: &Watch, place: Place, sessions: BTreeMap<String, WatchedSession>) -> Outcome<()> {
        const KEEP: &str =
            "INSERT INTO kept(name, value) VALUES (?, ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value";
        let now_ms = SystemClock.now_ms();
        let mut statements: Vec<Statement> = vec![
            (KEEP, vec!["watch".into(), text(watch)?.into()]),
            (KEEP, vec!["place".into(), text(&place)?.into()]),
            (
                "DELETE FROM session WHERE at_ms < ?",
                vec![(now_ms.saturating_sub(SESSION_MS) as f64).into()],
            ),
        ];
        for (id, session) in sessions {
            statements.push((
                "INSERT INTO session(id, at_ms, value) VALUES (?, ?, ?)
                 ON CONFLICT(id) DO UPDATE SET at_ms = excluded.at_ms, value = excluded.value",
                vec![id.into(), (now_ms as f64).into(), text(&session)?.into()],
            ));
        }
        Ok(transaction(&self.state, statements)?)
    }

    /// Has a canary sent back; false where the registry was changed meanwhile, so that it is looked at again.
    async fn demote(&self, finding: &Finding) -> Outcome<bool> {
        let target = Target {
            category: finding.category,
            id: finding.id.clone(),
        };
        let (_, longest) = REASON_CHARS;
        // One version is sent back once, however often it is asked.
        let key = format!("guard:{target}@{}", finding.version);
        let order = Order {
            actor: Actor {
                id: ACTOR.into(),
                kind: ActorKind::System,
            },
            fingerprint: key.clone(),
            key,
            reason: finding.in_words().chars().take(longest).collect(),
            expected_version: Some(finding.version),
            confirm: false,
            wish: Wish::Change {
                command: Command::Demote { target },
            },
        };
        match send(&self.env, &order, "guard").await? {
            Ok(_) => Ok(true),
            Err((status, why)) => {
                log::line(
                    "error",
                    "guard-refused",
                    &order.key,
                    json!({"status": status, "cause": why}),
                );
                Ok(status != 412)
            }
        }
    }
}

fn text(value: &impl Serialize) -> Outcome<String> {
    serde_json::to_string(value).map_err(|error| ApiError::internal(error.to_string()))
}

async fn page(db: &D1Database, query: &str, after: u64) -> Outcome<Vec<Row>> {
    let found = db
        .prepare(query)
        .bind(&[integer(after), integer(PAGE)])?
        .all()
        .await
        .map_err(|error| ApiError::unavailable(format!("D1: {error}")))?;
    Ok(found.results()?)
}

/// The last rows that there are.
async fn end(db: &D1Database) -> Outcome<Place> {
    let row: Option<Place> = db
        .prepare(
            "SELECT coalesce((SELECT max(rowid) FROM turn_events), 0) AS turns, coalesce((SELECT max(rowid) FROM feedback), 0) AS ratings",
        )
        .first(None)
        .await
        .map_err(|error| ApiError::unavailable(format!("D1: {error}")))?;
    row.ok_or_else(|| ApiError::internal("no rows"))
}

/// Where an object begins that never read.
async fn begin(db: &D1Database, end: Place) -> Outcome<Place> {
    let since = integer(SystemClock.now_ms().saturating_sub(LOOK_BACK_MS));
    let row: Option<Place> = db
        .prepare(
            "SELECT coalesce((SELECT rowid - 1 FROM turn_events WHERE accepted_at_ms >= ?1 ORDER BY accepted_at_ms LIMIT 1), ?2) AS turns,
               coalesce((SELECT min(rowid) - 1 FROM feedback WHERE at_ms >= ?1), ?3) AS ratings",
        )
        .bind(&[since, integer(end.turns), integer(end.ratings)])?
        .first(None)
        .await
        .map_err(|error| ApiError::unavailable(format!("D1: {error}")))?;
    Ok(row.unwrap_or(end))
}
