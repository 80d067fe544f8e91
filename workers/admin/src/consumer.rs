//! From the queue into D1 and bronze: at least once in, exactly once in effect.
//!
//! Invariants: D1 first, then bronze, then the acknowledgement; what an erasure took away is in neither, whichever comes first.

mod write;

use crate::guard_do;
use crate::pipeline::{bronze, dead_letters};
use serde_json::json;
use silent_core::pipeline::bronze::{Rating, Record};
use silent_edge::log;
use silent_edge::queue::{DEAD, QueueMessage};
use silent_edge::r2::BUCKET;
use worker::{Env, MessageBatch, MessageExt, RawMessage, Result, js_sys};
use write::Seen;

pub(crate) use write::Cost;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is where it belongs.
    Stored,
    /// Something is away; it may work later.
    Again(String),
    /// It will never work as it is.
    Dead(String),
}

/// Takes a batch of either queue. Each message is acknowledged or retried by itself; an error would retry them all.
pub(crate) async fn receive(batch: &MessageBatch<String>, env: &Env) -> Result<()> {
    let messages: Vec<(RawMessage, String)> = batch
        .raw_iter()
        .map(|raw| {
            let body = body(&raw);
            (raw, body)
        })
        .collect();
    if batch.queue() == DEAD {
        let bodies: Vec<(&str, &str)> = messages
            .iter()
            .map(|(_, body)| (body.as_str(), "its retries were used up"))
            .collect();
        match dead_letters::keep(env, &bodies).await {
            Ok(()) => batch.ack_all(),
            Err(error) => {
                complain("dead-letters-wait", &error.to_string());
                batch.retry_all();
            }
        }
        return Ok(());
    }
    let mut known = Vec::with_capacity(messages.len());
    let mut dead: Vec<(&RawMessage, &str, String)> = Vec::new();
    for (raw, body) in &messages {
        match serde_json::from_str::<QueueMessage>(body) {
            Ok(message) => known.push((raw, body, message)),
            Err(error) => dead.push((raw, body, format!("not of the format: {error}"))),
        }
    }
    let bodies: Vec<&QueueMessage> = known.iter().map(|(_, _, message)| message).collect();
    let fates = store(env, &bodies).await;
    for ((raw, body, _), fate) in known.iter().zip(fates) {
        match fate {
            Fate::Stored => raw.ack(),
            Fate::Dead(cause) => dead.push((raw, body, cause)),
            Fate::Again(cause) => {
                complain("consumer-retries", &cause);
                raw.retry();
            }
        }
    }
    // What can never be stored goes at once to where people see it, and not after a hundred retries.
    let letters: Vec<(&str, &str)> = dead.iter().map(|(_, body, cause)| (*body, cause.as_str())).collect();
    match dead_letters::keep(env, &letters).await {
        Ok(()) => dead.iter().for_each(|(raw, _, _)| raw.ack()),
        Err(error) => {
            complain("dead-letters-wait", &error.to_string());
            dead.iter().for_each(|(raw, _, _)| raw.retry());
        }
    }
    Ok(())
}

/// Messages are sent as text; anything else is kept as the text that comes nearest.
fn body(raw: &RawMessage) -> String {
    let body = raw.body();
    body.as_string()
        .or_else(|| js_sys::JSON::stringify(&body).ok().and_then(|text| text.as_string()))
        .unwrap_or_default()
}

fn complain(event: &str, cause: &str) {
    log::line("error", event, "queue", json!({"cause": cause}));
}

/// Stores messages: in one round trip to D1 where all are sound, else one by one.
pub(crate) async fn store(env: &Env, messages: &[&QueueMessage]) -> Vec<Fate> {
    if messages.is_empty() {
        return Vec::new();
    }
    let db = match env.d1(crate::DB) {
        Ok(db) => db,
        Err(error) => return vec![Fate::Again(error.to_string()); messages.len()],
    };
    let mut cost = Cost::default();
    let mut seen = Seen::default();
    let mut fates = vec![Fate::Stored; messages.len()];
    if let Err(error) = write::all(&db, messages, &mut seen, &mut cost).await {
        if messages.len() == 1 {
            fates = vec![fate(&error.to_string())];
        } else {
            for (message, slot) in messages.iter().zip(&mut fates) {
                if let Err(error) = write::all(&db, std::slice::from_ref(message), &mut seen, &mut cost).await {
                    *slot = fate(&error.to_string());
                }
            }
        }
    }
    let mut records = Vec::with_capacity(messages.len());
    for (at, (message, slot)) in messages.iter().zip(&mut fates).enumerate() {
        if *slot != Fate::Stored {
            continue;
        }
        match record(message, &seen) {
            Ok(Some(record)) => records.push((at, record)),
            Ok(None) => {}
            Err(cause) => *slot = Fate::Again(cause),
        }
    }
    let put = match env.bucket(BUCKET) {
        Ok(bucket) => bronze::put(&db, &bucket, records, &mut cost).await,
        Err(error) => Err((records.into_iter().map(|(at, _)| at).collect(), error)),
    };
    if let Err((failed, error)) = put {
        for at in failed {
            if let Some(slot) = fates.get_mut(at) {
                *slot = Fate::Again(format!("bronze: {error}"));
            }
        }
    }
    if messages
        .iter()
        .any(|message| matches!(message, QueueMessage::Turn { .. } | QueueMessage::Feedback { .. }))
    {
        guard_do::poke(env).await;
    }
    let stored = fates.iter().filter(|fate| **fate == Fate::Stored).count();
    log::line(
        "info",
        "consumed",
        "queue",
        json!({"messages": messages.len(), "stored": stored, "cost": cost}),
    );
    fates
}

/// A constraint that a row breaks today it breaks tomorrow.
fn fate(error: &str) -> Fate {
    if error.contains("SQLITE_CONSTRAINT") {
        Fate::Dead(error.into())
    } else {
        Fate::Again(error.into())
    }
}

/// The bronze record of a message that D1 has; none of one that leaves no record, or was erased.
fn record(message: &QueueMessage, seen: &Seen) -> std::result::Result<Option<Record>, String> {
    match message {
        QueueMessage::Turn { event, .. } => Ok(seen
            .turns
            .contains_key(&event.event_id)
            .then(|| Record::Turn { event: event.clone() })),
        QueueMessage::Feedback {
            event_id,
            session_id,
            person_id,
            satisfaction_milli,
            at_ms,
        } => match seen.turns.get(event_id) {
            Some(turn_at_ms) => Ok(Some(Record::Feedback(Rating {
                event_id: event_id.clone(),
                session_id: session_id.clone(),
                person_id: person_id.clone(),
                satisfaction_milli: *satisfaction_milli,
                at_ms: *at_ms,
                turn_at_ms: *turn_at_ms,
            }))),
            None if seen.is_erased(session_id.as_str()) || seen.is_erased(person_id.as_str()) => Ok(None),
            // Its turn was sent before it and may come after it: a queue keeps no order.
            None => Err("a rating came before its turn".into()),
        },
        QueueMessage::SessionCreated { .. }
        | QueueMessage::Voice { .. }
        | QueueMessage::EraseSession { .. }
        | QueueMessage::ErasePerson { .. } => Ok(None),
    }
}
