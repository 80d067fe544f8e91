//! From the queue into D1, at least once in, exactly once in effect.

use serde::Serialize;
use silent_edge::queue::QueueMessage;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, Error, Result};

/// Writes one message. Written twice, it has the effect of once; after an erasure, none.
pub(crate) async fn store(db: &D1Database, message: &QueueMessage) -> Result<()> {
    match message {
        QueueMessage::SessionCreated {
            session_id,
            person_id,
            product,
            created_at_ms,
        } => {
            db.prepare(
                "INSERT INTO sessions(session_id, person_id, product, created_at_ms) SELECT ?1, ?2, ?3, ?4
                 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE subject IN (?1, ?2)) ON CONFLICT DO NOTHING",
            )
            .bind(&[
                session_id.as_str().into(),
                person_id.as_str().into(),
                product.into(),
                integer(*created_at_ms),
            ])?
            .run()
            .await?;
        }
        QueueMessage::Turn {
            event,
            sealed_input,
            sealed_output,
        } => {
            db.prepare(
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
            ])?
            .run()
            .await?;
        }
        QueueMessage::Feedback {
            event_id,
            session_id,
            person_id,
            satisfaction_milli,
            at_ms,
        } => {
            db.prepare(
                "INSERT INTO feedback(event_id, session_id, person_id, satisfaction_milli, at_ms) SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE subject IN (?2, ?3))
                 ON CONFLICT(event_id) DO UPDATE SET satisfaction_milli = excluded.satisfaction_milli, at_ms = excluded.at_ms
                 WHERE excluded.at_ms >= feedback.at_ms",
            )
            .bind(&[
                event_id.into(),
                session_id.as_str().into(),
                person_id.as_str().into(),
                u32::from(*satisfaction_milli).into(),
                integer(*at_ms),
            ])?
            .run()
            .await?;
        }
        QueueMessage::Voice {
            event_id,
            session_id,
            person_id,
            figures,
            at_ms,
        } => {
            db.prepare(
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
            ])?
            .run()
            .await?;
        }
        QueueMessage::EraseSession { session_id, at_ms } => {
            erase(db, "session_id", session_id.as_str(), *at_ms).await?
        }
        QueueMessage::ErasePerson { person_id, at_ms } => erase(db, "person_id", person_id.as_str(), *at_ms).await?,
    }
    Ok(())
}

/// Remembers the erasure and deletes what derives from the subject, in one transaction.
async fn erase(db: &D1Database, column: &'static str, subject: &str, at_ms: u64) -> Result<()> {
    let mut statements = vec![
        db.prepare("INSERT INTO erasures(subject, erased_at_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            .bind(&[subject.into(), integer(at_ms)])?,
    ];
    for table in ["safety_events", "turn_events", "feedback", "voice_turns", "sessions"] {
        statements.push(
            db.prepare(format!("DELETE FROM {table} WHERE {column} = ?1"))
                .bind(&[subject.into()])?,
        );
    }
    db.batch(statements).await?;
    Ok(())
}

/// Times and micros are below 2^53, which a JavaScript number holds exactly.
fn integer(value: u64) -> JsValue {
    JsValue::from_f64(value as f64)
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|_| Error::RustError("event cannot be written".into()))
}
