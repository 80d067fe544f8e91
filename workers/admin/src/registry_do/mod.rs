//! The one writer of the registry: every change of an admin, in order, into D1, and out to whoever reads.
//!
//! Invariant: D1 is the authority, and its audit chain would refuse a second writer. What readers are told was committed.

mod client;
pub(crate) mod order;
mod plan;
mod publish;
mod store;

pub(crate) use client::{hand_in, head, send};
pub(crate) use plan::shown;
pub(crate) use store::{integer, is_answered, pending};

use crate::alerts;
use futures::lock::Mutex;
use order::{Order, Outcome, Wish};
use plan::{Desk, Plan};
use publish::Published;
use serde::{Deserialize, Serialize};
use serde_json::json;
use silent_core::registry::{COOL_DOWN_MS, Draft, Entry, Pending};
use silent_core::time::rfc3339;
use silent_core::turn::Clock;
use silent_core::variants::{Snapshot, Status};
use silent_edge::error::ApiError;
use silent_edge::{SystemClock, http, log, random};
use std::panic::{RefUnwindSafe, UnwindSafe};
use worker::{D1Database, DurableObject, Env, Method, Request, Response, Result, State, durable_object};

/// How often a write is planned anew when somebody else wrote in between.
const TRIES: usize = 5;
/// How long the alarm waits before it looks after a write that may have been cut off, milliseconds.
const LOOK_AFTER_MS: i64 = 5_000;

/// Where the object remembers the audit log's end: a log that was cut off in D1 no longer contains it.
const ANCHOR: &str = "audit-end";

#[derive(Serialize, Deserialize)]
struct Anchor {
    seq: u64,
    hash: String,
}

/// The object; there is one, named [`silent_edge::registry::OBJECT_NAME`].
#[durable_object]
pub struct RegistryObject {
    state: State,
    env: Env,
    /// One write at a time; the next one reads what the last one wrote.
    turn: Mutex<()>,
    published: Published,
}

impl UnwindSafe for RegistryObject {}
impl RefUnwindSafe for RegistryObject {}

impl DurableObject for RegistryObject {
    fn new(state: State, env: Env) -> Self {
        Self {
            state,
            env,
            turn: Mutex::new(()),
            published: Published::default(),
        }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        let correlation_id = http::header(request.headers(), "x-correlation-id").unwrap_or_default();
        match self.route(request).await {
            Ok(response) => Ok(response),
            Err(error) => error.into_response(&correlation_id),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        if let Err(error) = self.look_after().await {
            log::line(
                "error",
                "registry-alarm",
                "registry",
                json!({"cause": format!("{error:?}")}),
            );
            self.state.storage().set_alarm(LOOK_AFTER_MS).await?;
        }
        Response::empty()
    }
}

impl RegistryObject {
    fn db(&self) -> std::result::Result<D1Database, ApiError> {
        Ok(self.env.d1(crate::DB)?)
    }

    async fn route(&self, mut request: Request) -> std::result::Result<Response, ApiError> {
        match (request.method(), request.path().as_str()) {
            (Method::Post, "/orders") => {
                let bytes = http::body(&mut request).await?;
                let order = serde_json::from_slice(&bytes).map_err(|_| ApiError::internal("internal body"))?;
                Ok(Response::from_json(&self.carry_out(&order).await?)?)
            }
            (Method::Get, "/head") => {
                let url = request.url()?;
                let known = url.query_pairs().find(|(name, _)| name == "known");
                let known = known.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
                self.read().await?;
                self.published.newer_than(known)
            }
            (Method::Get, "/anchor") => {
                self.read().await?;
                let anchor: Option<Anchor> = self.state.storage().get(ANCHOR).await?;
                Ok(Response::from_json(&anchor)?)
            }
            (Method::Get, "/events") => {
                self.read().await?;
                self.published.events()
            }
            _ => Err(ApiError::NotFound),
        }
    }

    /// Makes sure that there is something to read: the first time from D1, which is seeded where it is empty.
    async fn read(&self) -> std::result::Result<(), ApiError> {
        if self.published.is_some() {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if !self.published.is_some() {
            let snapshot = self.stored("", "").await?.1;
            self.publish(&snapshot).await?;
        }
        Ok(())
    }

    /// The registry as D1 has it, with what the release brings and the registry does not know yet.
    async fn stored(&self, actor: &str, key: &str) -> std::result::Result<(store::Stored, Snapshot), ApiError> {
        let db = self.db()?;
        for _ in 0..TRIES {
            let stored = store::load(&db, actor, key).await?;
            let Some((snapshot, fresh)) = with_release(stored.snapshot.as_ref())? else {
                let snapshot = stored
                    .snapshot
                    .clone()
                    .ok_or_else(|| ApiError::internal("no registry"))?;
                return Ok((stored, snapshot));
            };
            let now_ms = SystemClock.now_ms();
            let draft = Draft {
                at: rfc3339(now_ms),
                actor: "system".into(),
                action: "seed".into(),
                subject: String::new(),
                reason: "variants that this release brings".into(),
                detail: json!({"before": [], "after": fresh, "snapshot_version": snapshot.version()}).to_string(),
            };
            let entry = Entry::after(stored.end.0, &stored.end.1, draft);
            let mut statements = vec![store::append(&db, &entry)?, store::put_state(&db, &snapshot)?];
            for variant in &fresh {
                statements.push(store::put_variant(&db, variant)?);
            }
            match db.batch(statements).await {
                Err(error) if !store::has_moved_on(&error) => {
                    return Err(ApiError::unavailable(format!("D1: {error}")));
                }
                _ => {}
            }
        }
        Err(ApiError::unavailable("the registry is being written elsewhere"))
    }

    async fn carry_out(&self, order: &Order) -> std::result::Result<Outcome, ApiError> {
        let _turn = self.turn.lock().await;
        let db = self.db()?;
        // A write that is cut off between D1 and its readers is published by the alarm.
        self.state.storage().set_alarm(LOOK_AFTER_MS).await?;
        for _ in 0..TRIES {
            let (stored, snapshot) = self.stored(&order.actor.id, &order.key).await?;
            if let Some((fingerprint, outcome)) = stored.answered {
                return if fingerprint == order.fingerprint {
                    Ok(outcome)
                } else {
                    Err(ApiError::IdempotencyKeyReused)
                };
            }
            let change = match &order.wish {
                Wish::Sign { change } | Wish::Cancel { change } => store::pending(&db, change).await?,
                Wish::RevokeKey { id } => {
                    exists(&db, "api_keys", id).await?;
                    None
                }
                Wish::ReplayDeadLetters { id: Some(id) } => {
                    exists(&db, "dead_letters", id).await?;
                    None
                }
                Wish::ConfirmMiss { target, turn } => {
                    store::is_first(
                        &db,
                        "SELECT 1 AS n FROM crisis_misses WHERE turn = ?1 AND category = ?2 AND variant = ?3",
                        &[turn.as_str(), target.category.as_str(), target.id.as_str()],
                        "the turn was confirmed before",
                    )
                    .await?;
                    None
                }
                Wish::StartPromotion { run } => {
                    store::is_first(
                    &db,
                    "SELECT 1 AS n FROM workflows WHERE kind = 'promotion' AND subject = ?1 AND ended_at_ms IS NULL",
                    &[run.target.to_string().as_str()],
                    "a promotion of the variant is under way",
                )
                .await?;
                    None
                }
                Wish::CancelWorkflow { id } => {
                    exists(&db, "workflows", id).await?;
                    None
                }
                Wish::DeliverAlert { message } => {
                    store::is_there(
                        &db,
                        "SELECT 1 AS n FROM alerts WHERE message_id = ?1",
                        &[message.as_str()],
                    )
                    .await?;
                    None
                }
                _ => None,
            };
            let command = match (&order.wish, &change) {
                (Wish::Change { command }, _) => Some(command),
                (_, Some(change)) => Some(&change.command),
                _ => None,
            };
            let undo = match command {
                Some(command) => store::last_change(&db, &command.subject()).await?,
                None => None,
            };
            let desk = self.desk(&db, &snapshot, &stored.end)?;
            let plan = desk.plan(order, change, undo.as_ref())?;
            if let Some(outcome) = self.write(&db, plan).await? {
                self.arm(&db).await?;
                return Ok(outcome);
            }
        }
        Err(ApiError::unavailable("the registry is being written elsewhere"))
    }

    fn desk<'a>(
        &self,
        db: &'a D1Database,
        snapshot: &'a Snapshot,
        end: &'a (u64, String),
    ) -> std::result::Result<Desk<'a>, ApiError> {
        let now_ms = SystemClock.now_ms();
        let id: String = random::bytes::<10>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Desk {
            db,
            snapshot,
            end,
            now_ms,
            cool_down_ms: self.cool_down_ms(),
            change_id: format!("chg_{id}"),
        })
    }

    /// Five minutes; only a local or test environment may shorten them.
    fn cool_down_ms(&self) -> u64 {
        let var = |name: &str| self.env.var(name).map(|value| value.to_string()).unwrap_or_default();
        match (var("ENVIRONMENT").as_str(), var("COOL_DOWN_MS").parse()) {
            ("local" | "test", Ok(milliseconds)) => milliseconds,
            _ => COOL_DOWN_MS,
        }
    }

    /// Commits a plan and tells the readers; none where somebody else was faster.
    async fn write(&self, db: &D1Database, plan: Plan) -> std::result::Result<Option<Outcome>, ApiError> {
        match db.batch(plan.statements).await {
            Ok(_) => {}
            Err(error) if store::has_moved_on(&error) => return Ok(None),
            Err(error) => return Err(ApiError::unavailable(format!("D1: {error}"))),
        }
        let (seq, hash) = plan.end;
        self.state.storage().put(ANCHOR, Anchor { seq, hash }).await?;
        if let Some(snapshot) = &plan.snapshot {
            self.publish(snapshot).await?;
        }
        if plan.alerts {
            alerts::wake(&self.env).await;
        }
        Ok(Some(plan.outcome))
    }

    /// What the alarm does: publishes what was cut off, and lets changes take effect whose time has come.
    async fn look_after(&self) -> std::result::Result<(), ApiError> {
        let _turn = self.turn.lock().await;
        let db = self.db()?;
        let (_, snapshot) = self.stored("", "").await?;
        self.publish(&snapshot).await?;
        let mut due: Vec<Pending> = store::due(&db, SystemClock.now_ms()).await?;
        due.reverse();
        let mut tries = 0;
        while let Some(change) = due.pop() {
            let (stored, snapshot) = self.stored("", "").await?;
            let undo = store::last_change(&db, &change.command.subject()).await?;
            let plan = self
                .desk(&db, &snapshot, &stored.end)?
                .fall_due(change.clone(), undo.as_ref())?;
            if self.write(&db, plan).await?.is_none() {
                tries += 1;
                if tries > TRIES {
                    return Err(ApiError::unavailable("the registry is being written elsewhere"));
                }
                due.push(change);
            }
        }
        self.arm(&db).await
    }

    /// Sets the alarm to the next change's time, or to a retry where KV has not got the last snapshot.
    async fn arm(&self, db: &D1Database) -> std::result::Result<(), ApiError> {
        let due = store::next_due(db).await?;
        let storage = self.state.storage();
        match (self.published.is_in_kv(), due) {
            (false, _) => storage.set_alarm(LOOK_AFTER_MS).await?,
            (true, Some(due_ms)) => {
                let wait_ms = due_ms.saturating_sub(SystemClock.now_ms());
                storage
                    .set_alarm(i64::try_from(wait_ms).unwrap_or(LOOK_AFTER_MS))
                    .await?;
            }
            (true, None) => storage.delete_alarm().await?,
        }
        Ok(())
    }

    async fn publish(&self, snapshot: &Snapshot) -> std::result::Result<(), ApiError> {
        self.published.set(snapshot)?;
        self.published.put_into_kv(&self.env, &self.state).await
    }
}

async fn exists(db: &D1Database, table: &'static str, id: &str) -> std::result::Result<(), ApiError> {
    let found = db
        .prepare(format!("SELECT id FROM {table} WHERE id = ?1"))
        .bind(&[id.into()])?;
    let row: Option<serde_json::Value> = found.first(None).await?;
    row.map(|_| ()).ok_or(ApiError::NotFound)
}

/// The registry with the release's variants that it does not know, or none where it knows them all.
///
/// Into a registry that lives, they come without traffic, except where a pool takes them in.
fn with_release(
    stored: Option<&Snapshot>,
) -> std::result::Result<Option<(Snapshot, Vec<silent_core::variants::Variant>)>, ApiError> {
    let builtin = Snapshot::builtin().map_err(|error| ApiError::internal(error.to_string()))?;
    let Some(stored) = stored else {
        let fresh = builtin.variants().to_vec();
        return Ok(Some((builtin, fresh)));
    };
    let unknown = builtin
        .variants()
        .iter()
        .filter(|variant| stored.variant(variant.category, &variant.id).is_none());
    let fresh: Vec<_> = unknown
        .cloned()
        .map(|mut variant| {
            if variant.status != Status::Retired && !variant.category.is_pool() {
                variant.status = Status::Experimental;
                variant.rollout_percent = 0.0;
            }
            variant
        })
        .collect();
    if fresh.is_empty() {
        return Ok(None);
    }
    let mut variants = stored.variants().to_vec();
    variants.extend(fresh.clone());
    let next = Snapshot::new(stored.version().saturating_add(1), variants)
        .map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(Some((next.with_killed(stored.killed().clone()), fresh)))
}
