//! The registry in D1: what it says now, and the statements that change it.

use super::order::{Order, Outcome};
use serde::Deserialize;
use silent_core::registry::{Change, Entry, GENESIS, Pending};
use silent_core::variants::{Category, Cohort, Slot, Snapshot, Status, Variant, VariantId};
use silent_edge::error::ApiError;
use std::collections::BTreeSet;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

/// The registry as D1 has it, and what a write has to know beside it.
pub(crate) struct Stored {
    /// None before the first start.
    pub(crate) snapshot: Option<Snapshot>,
    /// Sequence and hash of the audit log's end.
    pub(crate) end: (u64, String),
    /// What was answered under the order's key, and the fingerprint of what was asked.
    pub(crate) answered: Option<(String, Outcome)>,
}

#[derive(Deserialize)]
struct StateRow {
    version: u64,
    killed: String,
}

#[derive(Deserialize)]
struct VariantRow {
    category: Category,
    id: VariantId,
    description: String,
    status: Status,
    rollout_basis_points: u32,
    cohorts: String,
    slot: Slot,
    config: String,
    metrics: String,
    created_at: String,
    updated_at: String,
    created_by: String,
    version: u64,
}

#[derive(Deserialize)]
struct EndRow {
    seq: u64,
    hash: String,
}

#[derive(Deserialize)]
struct AnswerRow {
    fingerprint: String,
    status: u16,
    body: String,
}

fn malformed(what: &str) -> ApiError {
    ApiError::internal(format!("{what} in D1 is malformed"))
}

fn json<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|_| malformed(what))
}

fn text(value: &impl serde::Serialize) -> Result<JsValue, ApiError> {
    Ok(serde_json::to_string(value)
        .map_err(|_| ApiError::internal("a row cannot be written"))?
        .into())
}

/// Below 2^53, which a JavaScript number holds exactly.
pub(crate) fn integer(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

impl VariantRow {
    fn variant(self) -> Result<Variant, ApiError> {
        Ok(Variant {
            cohorts: json::<Vec<Cohort>>(&self.cohorts, "cohorts")?,
            config: json(&self.config, "config")?,
            metrics: json(&self.metrics, "metrics")?,
            rollout_percent: f64::from(self.rollout_basis_points) / 100.0,
            category: self.category,
            id: self.id,
            description: self.description,
            status: self.status,
            slot: self.slot,
            created_at: self.created_at,
            updated_at: self.updated_at,
            created_by: self.created_by,
            version: self.version,
        })
    }
}

/// Reads everything in one transaction.
pub(crate) async fn load(db: &D1Database, actor: &str, key: &str) -> Result<Stored, ApiError> {
    let answer = "SELECT fingerprint, status, body FROM idempotency_keys WHERE actor = ?1 AND key = ?2";
    let results = db
        .batch(vec![
            db.prepare("SELECT version, killed FROM registry_state"),
            db.prepare("SELECT * FROM variants ORDER BY category, id"),
            db.prepare("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1"),
            db.prepare(answer).bind(&[actor.into(), key.into()])?,
        ])
        .await
        .map_err(|error| ApiError::unavailable(format!("D1: {error}")))?;
    let mut results = results.into_iter();
    let mut next = || results.next().ok_or_else(|| malformed("answer"));
    let state = rows::<StateRow>(&next()?)?.pop();
    let variants = rows::<VariantRow>(&next()?)?;
    let end = rows::<EndRow>(&next()?)?
        .pop()
        .map_or((0, GENESIS.into()), |row| (row.seq, row.hash));
    let answered = rows::<AnswerRow>(&next()?)?.pop().map(|row| {
        let outcome = Outcome {
            status: row.status,
            body: serde_json::from_str(&row.body).unwrap_or_default(),
            replayed: true,
        };
        (row.fingerprint, outcome)
    });
    let snapshot = match state {
        None => None,
        Some(state) => {
            let variants = variants
                .into_iter()
                .map(VariantRow::variant)
                .collect::<Result<_, _>>()?;
            let killed: BTreeSet<Category> = json(&state.killed, "killed")?;
            let checked =
                Snapshot::new(state.version, variants).map_err(|error| ApiError::internal(error.to_string()))?;
            Some(checked.with_killed(killed))
        }
    };
    Ok(Stored {
        snapshot,
        end,
        answered,
    })
}

fn rows<T: serde::de::DeserializeOwned>(result: &D1Result) -> Result<Vec<T>, ApiError> {
    result.results::<T>().map_err(|_| malformed("row"))
}

/// The last change of a variant, for a rollback.
pub(crate) async fn last_change(db: &D1Database, subject: &str) -> Result<Option<Change>, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        detail: String,
    }
    let row: Option<Row> = db
        .prepare(
            "SELECT detail FROM audit_log WHERE subject = ?1
             AND action IN ('create', 'edit', 'rollout', 'cohorts', 'promote', 'demote', 'pause', 'retire') ORDER BY seq DESC LIMIT 1",
        )
        .bind(&[subject.into()])?
        .first(None)
        .await?;
    row.map(|row| json(&row.detail, "detail")).transpose()
}

/// A change that waits, or waited.
pub(crate) async fn pending(db: &D1Database, id: &str) -> Result<Option<Pending>, ApiError> {
    let found = db
        .prepare("SELECT change FROM pending_changes WHERE id = ?1")
        .bind(&[id.into()])?;
    let row: Option<ChangeRow> = found.first(None).await?;
    row.map(|row| json(&row.change, "change")).transpose()
}

#[derive(Deserialize)]
struct ChangeRow {
    change: String,
}

/// The changes whose time has come.
pub(crate) async fn due(db: &D1Database, now_ms: u64) -> Result<Vec<Pending>, ApiError> {
    let found = db
        .prepare("SELECT change FROM pending_changes WHERE state IN ('waiting', 'cooling') AND due_at_ms <= ?1 ORDER BY due_at_ms LIMIT 20")
        .bind(&[integer(now_ms)])?
        .all()
        .await?;
    rows::<ChangeRow>(&found)?
        .iter()
        .map(|row| json(&row.change, "change"))
        .collect()
}

/// When the next change falls due, milliseconds since 1970.
pub(crate) async fn next_due(db: &D1Database) -> Result<Option<u64>, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        at: Option<u64>,
    }
    let row: Option<Row> = db
        .prepare("SELECT min(due_at_ms) AS at FROM pending_changes WHERE state IN ('waiting', 'cooling')")
        .first(None)
        .await?;
    Ok(row.and_then(|row| row.at))
}

/// Puts a variant's row.
pub(crate) fn put_variant(db: &D1Database, variant: &Variant) -> Result<D1PreparedStatement, ApiError> {
    let statement = db.prepare(
        "INSERT INTO variants(category, id, description, status, rollout_basis_points, cohorts, slot, config, metrics, created_at,
           updated_at, created_by, version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT(category, id) DO UPDATE SET description = excluded.description, status = excluded.status,
           rollout_basis_points = excluded.rollout_basis_points, cohorts = excluded.cohorts, slot = excluded.slot,
           config = excluded.config, metrics = excluded.metrics, updated_at = excluded.updated_at, version = excluded.version",
    );
    let name = |value: &str| JsValue::from_str(value.trim_matches('"'));
    let quoted = |value: Result<JsValue, ApiError>| value.map(|value| name(&value.as_string().unwrap_or_default()));
    Ok(statement.bind(&[
        variant.category.as_str().into(),
        variant.id.as_str().into(),
        variant.description.as_str().into(),
        quoted(text(&variant.status))?,
        variant.rollout_basis_points().into(),
        text(&variant.cohorts)?,
        quoted(text(&variant.slot))?,
        text(&variant.config)?,
        text(&variant.metrics)?,
        variant.created_at.as_str().into(),
        variant.updated_at.as_str().into(),
        variant.created_by.as_str().into(),
        integer(variant.version),
    ])?)
}

/// Puts the registry's version and switches.
pub(crate) fn put_state(db: &D1Database, snapshot: &Snapshot) -> Result<D1PreparedStatement, ApiError> {
    let statement = db.prepare("INSERT INTO registry_state(id, version, killed) VALUES (1, ?1, ?2) ON CONFLICT(id) DO UPDATE SET version = excluded.version, killed = excluded.killed");
    Ok(statement.bind(&[integer(snapshot.version()), text(snapshot.killed())?])?)
}

/// Appends to the audit log; the batch fails where somebody else was faster.
pub(crate) fn append(db: &D1Database, entry: &Entry) -> Result<D1PreparedStatement, ApiError> {
    let statement = db.prepare("INSERT INTO audit_log(seq, at, actor, action, subject, reason, detail, prev_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    Ok(statement.bind(&[
        integer(entry.seq),
        entry.at.as_str().into(),
        entry.actor.as_str().into(),
        entry.action.as_str().into(),
        entry.subject.as_str().into(),
        entry.reason.as_str().into(),
        entry.detail.as_str().into(),
        entry.prev_hash.as_str().into(),
        entry.hash.as_str().into(),
    ])?)
}

/// Whether a batch failed because the audit log had moved on.
pub(crate) fn has_moved_on(error: &worker::Error) -> bool {
    error.to_string().contains("audit_log has moved on")
}

/// Puts a change that waits.
pub(crate) fn put_pending(db: &D1Database, change: &Pending) -> Result<D1PreparedStatement, ApiError> {
    let statement = db.prepare(
        "INSERT INTO pending_changes(id, state, due_at_ms, created_at_ms, change) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT(id) DO UPDATE SET state = excluded.state, due_at_ms = excluded.due_at_ms, change = excluded.change",
    );
    let state = text(&change.state)?.as_string().unwrap_or_default();
    Ok(statement.bind(&[
        change.id.as_str().into(),
        state.trim_matches('"').into(),
        integer(change.due_at_ms),
        integer(change.created_at_ms),
        text(change)?,
    ])?)
}

/// Remembers what was answered.
pub(crate) fn remember(
    db: &D1Database,
    order: &Order,
    outcome: &Outcome,
    now_ms: u64,
) -> Result<D1PreparedStatement, ApiError> {
    let statement = db.prepare(
        "INSERT INTO idempotency_keys(actor, key, fingerprint, status, body, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    );
    Ok(statement.bind(&[
        order.actor.id.as_str().into(),
        order.key.as_str().into(),
        order.fingerprint.as_str().into(),
        u32::from(outcome.status).into(),
        text(&outcome.body)?,
        integer(now_ms),
    ])?)
}

/// Whether a query finds something.
async fn finds(db: &D1Database, query: &str, bindings: &[&str]) -> Result<bool, ApiError> {
    let bindings: Vec<JsValue> = bindings.iter().map(|text| JsValue::from_str(text)).collect();
    let row: Option<serde_json::Value> = db.prepare(query).bind(&bindings)?.first(None).await?;
    Ok(row.is_some())
}

/// Refuses with `why` where the query finds something.
pub(crate) async fn is_first(db: &D1Database, query: &str, bindings: &[&str], why: &str) -> Result<(), ApiError> {
    if finds(db, query, bindings).await? {
        return Err(ApiError::Conflict(why.into()));
    }
    Ok(())
}

/// Refuses where the query finds nothing.
pub(crate) async fn is_there(db: &D1Database, query: &str, bindings: &[&str]) -> Result<(), ApiError> {
    if finds(db, query, bindings).await? {
        return Ok(());
    }
    Err(ApiError::NotFound)
}

/// Whether an actor's key was used: then the answer is known, whatever holds now.
pub(crate) async fn is_answered(db: &D1Database, actor: &str, key: &str) -> Result<bool, ApiError> {
    finds(
        db,
        "SELECT 1 AS n FROM idempotency_keys WHERE actor = ?1 AND key = ?2",
        &[actor, key],
    )
    .await
}
