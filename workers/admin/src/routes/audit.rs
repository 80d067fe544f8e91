//! The audit log: read it, and walk its chain.

use super::{Answer, Door, limit, no_query, query, short};
use crate::registry_do::integer;
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::registry::{Entry, Verifier};
use silent_edge::error::ApiError;
use worker::wasm_bindgen::JsValue;
use worker::{Request, Response};

/// Entries that are read at a time while the chain is walked.
const STEP: u64 = 500;
/// The greatest number that JavaScript holds exactly.
pub(super) const GREATEST: u64 = 9_007_199_254_740_991;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    subject: Option<String>,
    actor: Option<String>,
    action: Option<String>,
    before: Option<u64>,
    limit: Option<u32>,
}

pub(super) async fn list(door: &Door, request: &Request) -> Answer {
    let filter: Filter = query(request)?;
    let limit = limit(filter.limit)?;
    if filter.before.is_some_and(|before| before > GREATEST) {
        return Err(ApiError::Invalid(format!("before must be at most {GREATEST}")));
    }
    short("subject", filter.subject.as_ref(), 200)?;
    short("actor", filter.actor.as_ref(), 254)?;
    short("action", filter.action.as_ref(), 40)?;
    let text = |value: &Option<String>| value.as_deref().map_or(JsValue::NULL, JsValue::from_str);
    let found = door
        .db()?
        .prepare(
            "SELECT * FROM audit_log WHERE (?1 IS NULL OR subject = ?1) AND (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR action = ?3)
             AND (?4 IS NULL OR seq < ?4) ORDER BY seq DESC LIMIT ?5",
        )
        .bind(&[
            text(&filter.subject),
            text(&filter.actor),
            text(&filter.action),
            filter.before.map_or(JsValue::NULL, integer),
            integer(limit as u64),
        ])?
        .all()
        .await?;
    let entries = found.results::<Entry>()?;
    let next = (entries.len() == limit)
        .then(|| entries.last().map(|entry| entry.seq))
        .flatten();
    let shown: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
            json!({"seq": entry.seq, "at": entry.at, "actor": entry.actor, "action": entry.action, "subject": entry.subject,
                "reason": entry.reason, "detail": detail, "prev_hash": entry.prev_hash, "hash": entry.hash})
        })
        .collect();
    Ok(Response::from_json(&json!({"entries": shown, "next": next}))?)
}

/// What the registry's object remembers of the log's end, outside D1.
#[derive(Deserialize)]
struct Anchor {
    seq: u64,
    hash: String,
}

pub(super) async fn verify(door: &Door, request: &Request) -> Answer {
    no_query(request)?;
    let db = door.db()?;
    let anchor: Option<Anchor> = door.object("/anchor").await?.json().await?;
    let mut verifier = Verifier::default();
    let mut broken = None;
    let mut is_anchored = anchor.is_none();
    'log: loop {
        let page = db
            .prepare("SELECT * FROM audit_log WHERE seq > ?1 ORDER BY seq LIMIT ?2")
            .bind(&[integer(verifier.seq), integer(STEP)])?
            .all()
            .await
            .map_err(|error| ApiError::unavailable(format!("D1: {error}")))?
            .results::<Entry>()?;
        for entry in &page {
            if let Err(error) = verifier.push(entry) {
                broken = Some(json!({"seq": entry.seq, "why": error.to_string()}));
                break 'log;
            }
            is_anchored |= anchor
                .as_ref()
                .is_some_and(|anchor| (anchor.seq, &anchor.hash) == (entry.seq, &entry.hash));
        }
        if (page.len() as u64) < STEP {
            break;
        }
    }
    if broken.is_none() && !is_anchored {
        broken = Some(
            json!({"seq": anchor.map_or(0, |anchor| anchor.seq), "why": "the log's end that was remembered elsewhere is not in it"}),
        );
    }
    Ok(Response::from_json(&json!({
        "holds": broken.is_none(),
        "entries": verifier.seq,
        "head": verifier.hash,
        "broken": broken,
    }))?)
}
