//! A batch's statements, and what D1 holds of it afterwards.

use crate::registry_do::integer;
use serde::{Deserialize, Serialize};
use silent_core::turn::Clock;
use silent_edge::SystemClock;
use silent_edge::queue::QueueMessage;
use std::collections::{BTreeMap, BTreeSet};
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result, Error, Result};

/// What a batch cost, for the log.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Cost {
    pub(crate) d1_rows_read: usize,
    pub(crate) d1_rows_written: usize,
    pub(crate) d1_calls: usize,
    pub(crate) r2_writes: usize,
    pub(crate) r2_bytes: usize,
}

impl Cost {
    pub(crate) fn add(&mut self, results: &[D1Result]) {
        self.d1_calls += 1;
        for meta in results.iter().filter_map(|result| result.meta().ok().flatten()) {
            self.d1_rows_read += meta.rows_read.unwrap_or(0);
            self.d1_rows_written += meta.rows_written.unwrap_or(0);
        }
    }
}

/// What D1 holds.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// When each turn was accepted, by event.
    pub(super) turns: BTreeMap<String, u64>,
    erased: BTreeSet<String>,
}

impl Seen {
    pub(super) fn is_erased(&self, subject: &str) -> bool {
        self.erased.contains(subject)
    }
}

#[derive(Deserialize)]
struct TurnRow {
    event_id: String,
    accepted_at_ms: u64,
}

#[derive(Deserialize)]
struct Subject {
    subject: String,
}

/// Writes all messages in one transaction. Written twice, they have the effect of once; after an erasure, none.
pub(super) async fn all(db: &D1Database, messages: &[&QueueMessage], seen: &mut Seen, cost: &mut Cost) -> Result<()> {
    let mut statements = Vec::with_capacity(messages.len() + 2);
    let (mut events, mut subjects) = (Vec::new(), BTreeSet::new());
    for message in messages {
        match message {
            QueueMessage::Turn { event, .. } => events.push(event.event_id.as_str()),
            QueueMessage::Feedback { event_id, .. } => {
                events.push(event_id);
                subjects.extend(message.subjects().into_iter().flatten());
            }
            _ => {}
        }
        statements.extend(of(db, message)?);
    }
    // Read in the same transaction: what bronze gets is what D1 has.
    statements.push(
        db.prepare(
            "SELECT event_id, accepted_at_ms FROM turn_events WHERE event_id IN (SELECT value FROM json_each(?1))",
        )
        .bind(&[json(&events)?.into()])?,
    );
    statements.push(
        db.prepare("SELECT subject FROM erasures WHERE subject IN (SELECT value FROM json_each(?1))")
            .bind(&[json(&subjects)?.into()])?,
    );
    let mut results = db.batch(statements).await?;
    cost.add(&results);
    let (erased, turns) = (results.pop(), results.pop());
    for row in rows::<Subject>(erased.as_ref())? {
        seen.erased.insert(row.subject);
    }
    for row in rows::<TurnRow>(turns.as_ref())? {
        seen.turns.insert(row.event_id, row.accepted_at_ms);
    }
    Ok(())
}

fn rows<T: serde::de::DeserializeOwned>(result: Option<&D1Result>) -> Result<Vec<T>> {
    result.map_or_else(|| Ok(Vec::new()), D1Result::results)
}

fn of(db: &D1Database, message: &QueueMessage) -> Result<Vec<D1PreparedStatement>> {
    let one = match message {
        QueueMessage::SessionCreated {
            session_id,
            person_id,
            product,
            created_at_ms,
        } => db
            .prepare(
                "INSERT INTO sessions(session_id, person_id, product, created_at_ms) SELECT ?1, ?2, ?3, ?4
                 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE subject IN (?1, ?2)) ON CONFLICT DO NOTHING",
            )
            .bind(&[
                session_id.as_str().into(),
                person_id.as_str().into(),
                product.into(),
                integer(*created_at_ms),
            ])?,
        QueueMessage::Turn {
            event,
            sealed_input,
            sealed_output,
        } => db
            .prepare(
                "INSERT INTO turn_events(event_id, session_id, person_id, turn_id, seq, product, status, accepted_at_ms, ttft_ms, total_ms,
                   provider, model, crisis_level, cost_micros, event, sealed_input, sealed_output)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17
                 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE subject IN (?2, ?3)) ON CONFLICT(event_id) DO NOTHING",
            )
            .bind(&[
                event.event_id.as_str().into(),
                event.session_id.as_str().into(),
                event.person_id.as_str().into(),
                event.turn_id.as_str().into(),
                integer(event.seq),
                event.product.as_str().into(),
                event.status.as_str().into(),
                integer(event.accepted_at_ms),
                event.ttft_ms.map_or(JsValue::NULL, integer),
                integer(event.total_ms),
                event.provider.as_str().into(),
                event.model.as_str().into(),
                u32::from(event.crisis_level).into(),
                event.cost_micros.map_or(JsValue::NULL, integer),
                json(event)?.into(),
                sealed_input.into(),
                sealed_output.into(),
            ])?,
        QueueMessage::Feedback {
            event_id,
            session_id,
            person_id,
            satisfaction_milli,
            at_ms,
        } => db
            .prepare(
                // Of two ratings at one instant the higher one counts, so that their order does not.
                "INSERT INTO feedback(event_id, session_id, person_id, satisfaction_milli, at_ms) SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE subject IN (?2, ?3))
                 ON CONFLICT(event_id) DO UPDATE SET satisfaction_milli = excluded.satisfaction_milli, at_ms = excluded.at_ms
                 WHERE (excluded.at_ms, excluded.satisfaction_milli) > (feedback.at_ms, feedback.satisfaction_milli)",
            )
            .bind(&[
                event_id.into(),
                session_id.as_str().into(),
                person_id.as_str().into(),
                u32::from(*satisfaction_milli).into(),
                integer(*at_ms),
            ])?,
        QueueMessage::Voice {
            event_id,
            session_id,
            person_id,
            figures,
            at_ms,
        } => db
            .prepare(
                "INSERT INTO voice_turns(event_id, session_id, person_id, channel, first_audio_ms, cost_micros, figures, at_ms)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
                 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE subject IN (?2, ?3)) ON CONFLICT(event_id) DO NOTHING",
            )
            .bind(&[
                event_id.into(),
                session_id.as_str().into(),
                person_id.as_str().into(),
                figures.channel.as_str().into(),
                figures.first_audio_ms.map_or(JsValue::NULL, integer),
                integer(figures.cost_micros),
                json(figures)?.into(),
                integer(*at_ms),
            ])?,
        QueueMessage::EraseSession { session_id, at_ms } => return erase(db, SESSION, session_id.as_str(), *at_ms),
        QueueMessage::ErasePerson { person_id, at_ms } => return erase(db, PERSON, person_id.as_str(), *at_ms),
    };
    Ok(vec![one])
}

/// How a kind of subject is found: its sessions, and its rows of other tables.
type Kind = (&'static str, &'static str);
const SESSION: Kind = ("SELECT ?1", "session_id = ?1");
// By what the turns themselves left, as a session's own row may have been lost.
const PERSON: Kind = (
    "SELECT session_id FROM session_days WHERE person_id = ?1 UNION SELECT session_id FROM sessions WHERE person_id = ?1",
    "person_id = ?1",
);

/// Remembers the erasure and which hours of bronze it concerns, and deletes what derives from the subject.
fn erase(db: &D1Database, (sessions, own): Kind, subject: &str, at_ms: u64) -> Result<Vec<D1PreparedStatement>> {
    let mut statements = vec![
        db.prepare("INSERT INTO erasures(subject, erased_at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(&[subject.into(), integer(at_ms)])?,
        db.prepare(format!(
            "INSERT INTO bronze_erasures(hour, subject, at_ms) SELECT DISTINCT accepted_at_ms / 3600000, ?1, ?2 FROM turn_events
             WHERE session_id IN ({sessions}) ON CONFLICT DO NOTHING"
        ))
        .bind(&[subject.into(), integer(SystemClock.now_ms())])?,
        db.prepare(
            "DELETE FROM session_days WHERE session_id = ?1
             AND person_id IN (SELECT person_id FROM turn_events WHERE session_id = ?1)",
        )
        .bind(&[subject.into()])?,
    ];
    for table in ["safety_events", "feedback", "voice_turns", "turn_events"] {
        statements.push(
            db.prepare(format!("DELETE FROM {table} WHERE session_id IN ({sessions})"))
                .bind(&[subject.into()])?,
        );
    }
    // A session's day was deleted above: it has no index of its own.
    let tables: &[&str] = if own == PERSON.1 {
        &["session_days", "sessions", "dead_letters"]
    } else {
        &["sessions", "dead_letters"]
    };
    for table in tables {
        statements.push(
            db.prepare(format!("DELETE FROM {table} WHERE {own}"))
                .bind(&[subject.into()])?,
        );
    }
    Ok(statements)
}

pub(super) fn json(value: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::RustError("a value cannot be written".into()))
}
