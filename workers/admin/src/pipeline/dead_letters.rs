//! Messages that could not be stored: kept, and stored after all when an admin asks for it.

use crate::consumer::{self, Fate};
use crate::registry_do::integer;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use silent_core::pipeline::Day;
use silent_core::turn::Clock;
use silent_edge::queue::QueueMessage;
use silent_edge::{SystemClock, log};
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, Env, Result};

/// Letters that are replayed at a time.
const AT_ONCE: u64 = 100;
/// Longest error that is kept, in characters.
const ERROR_CHARS: usize = 500;

/// The id of a body: the same one twice is one letter.
fn id(body: &str) -> String {
    let digest = Sha256::digest(body);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("dlm_{hex}")
}

/// Keeps bodies and their errors. One that was replayed and came back waits again.
pub(crate) async fn keep(env: &Env, letters: &[(&str, &str)]) -> Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    let db = env.d1(crate::DB)?;
    let now_ms = SystemClock.now_ms();
    let mut statements = Vec::with_capacity(letters.len());
    for (body, error) in letters {
        let message = serde_json::from_str::<QueueMessage>(body).ok();
        let [session, person] = message.as_ref().map_or([None, None], QueueMessage::subjects);
        let text = |value: Option<&str>| value.map_or(JsValue::NULL, JsValue::from_str);
        let error: String = error.chars().take(ERROR_CHARS).collect();
        statements.push(
            db.prepare(
                "INSERT INTO dead_letters(id, received_at_ms, session_id, person_id, body, error) SELECT ?1, ?2, ?3, ?4, ?5, ?6
                 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE subject IN (?3, ?4)) OR json_extract(?7, '$') LIKE 'erase_%'
                 ON CONFLICT(id) DO UPDATE SET error = excluded.error, replayed_at_ms = NULL, wanted_at_ms = NULL",
            )
            .bind(&[
                id(body).into(),
                integer(now_ms),
                text(session),
                text(person),
                (*body).into(),
                error.into(),
                json!(kind(message.as_ref())).to_string().into(),
            ])?,
        );
        log::line(
            "error",
            "dead-letter",
            "queue",
            json!({"id": id(body), "kind": kind(message.as_ref())}),
        );
    }
    db.batch(statements).await?;
    Ok(())
}

fn kind(message: Option<&QueueMessage>) -> &'static str {
    match message {
        None => "unknown",
        Some(QueueMessage::SessionCreated { .. }) => "session_created",
        Some(QueueMessage::Turn { .. }) => "turn",
        Some(QueueMessage::Feedback { .. }) => "feedback",
        Some(QueueMessage::EraseSession { .. }) => "erase_session",
        Some(QueueMessage::ErasePerson { .. }) => "erase_person",
        Some(QueueMessage::Voice { .. }) => "voice",
    }
}

/// A step of a job that was given up.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    job: String,
    day: Day,
    step: String,
}

/// The letter of a step that was given up.
pub(super) fn of_step(db: &D1Database, day: Day, step: &str, error: &str, now_ms: u64) -> Result<D1PreparedStatement> {
    let body = json!(Step {
        job: "nightly".into(),
        day,
        step: step.into(),
    })
    .to_string();
    db.prepare(
        "INSERT INTO dead_letters(id, received_at_ms, body, error) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT(id) DO UPDATE SET error = excluded.error, replayed_at_ms = NULL, wanted_at_ms = NULL",
    )
    .bind(&[id(&body).into(), integer(now_ms), body.into(), error.into()])
}

/// The statement by which an admin asks for a replay: of one letter, or of all that wait.
pub(crate) fn want(db: &D1Database, id: Option<&str>, now_ms: u64) -> Result<D1PreparedStatement> {
    db.prepare("UPDATE dead_letters SET wanted_at_ms = ?2 WHERE replayed_at_ms IS NULL AND (?1 IS NULL OR id = ?1)")
        .bind(&[id.map_or(JsValue::NULL, JsValue::from_str), integer(now_ms)])
}

#[derive(Deserialize)]
struct Letter {
    id: String,
    body: String,
}

/// Stores what an admin wants replayed; what is away waits for the next run. Says how many were stored.
pub(crate) async fn replay(env: &Env) -> Result<usize> {
    let db = env.d1(crate::DB)?;
    let mut stored = 0;
    loop {
        let found = db
            .prepare(
                "SELECT id, body FROM dead_letters WHERE wanted_at_ms IS NOT NULL AND replayed_at_ms IS NULL LIMIT ?1",
            )
            .bind(&[integer(AT_ONCE)])?
            .all()
            .await?;
        let letters = found.results::<Letter>()?;
        let read: Vec<_> = letters
            .iter()
            .map(|letter| serde_json::from_str::<QueueMessage>(&letter.body))
            .collect();
        let messages: Vec<&QueueMessage> = read.iter().filter_map(|message| message.as_ref().ok()).collect();
        let mut fates = consumer::store(env, &messages).await.into_iter();
        let (mut statements, mut waits) = (Vec::new(), false);
        for (letter, message) in letters.iter().zip(&read) {
            if let Ok(step) = serde_json::from_str::<Step>(&letter.body) {
                // The step is free again; the next cron takes it up.
                statements.push(
                    db.prepare(
                        "UPDATE jobs SET dead_at_ms = NULL, failures = 0 WHERE job = ?1 AND day = ?2 AND step = ?3",
                    )
                    .bind(&[step.job.into(), step.day.iso().into(), step.step.into()])?,
                );
                statements.push(
                    db.prepare("UPDATE dead_letters SET replayed_at_ms = ?2 WHERE id = ?1")
                        .bind(&[letter.id.as_str().into(), integer(SystemClock.now_ms())])?,
                );
                continue;
            }
            let fate = match message {
                Ok(_) => fates.next().unwrap_or_else(|| Fate::Again("not tried".into())),
                Err(error) => Fate::Dead(format!("not of the format: {error}")),
            };
            let statement = match fate {
                Fate::Stored => {
                    stored += 1;
                    db.prepare("UPDATE dead_letters SET replayed_at_ms = ?2 WHERE id = ?1")
                        .bind(&[letter.id.as_str().into(), integer(SystemClock.now_ms())])?
                }
                Fate::Dead(error) => db
                    .prepare("UPDATE dead_letters SET wanted_at_ms = NULL, error = ?2 WHERE id = ?1")
                    .bind(&[letter.id.as_str().into(), error.into()])?,
                Fate::Again(error) => {
                    waits = true;
                    db.prepare("UPDATE dead_letters SET error = ?2 WHERE id = ?1")
                        .bind(&[letter.id.as_str().into(), error.into()])?
                }
            };
            statements.push(statement);
        }
        if !statements.is_empty() {
            db.batch(statements).await?;
        }
        if waits || (letters.len() as u64) < AT_ONCE {
            return Ok(stored);
        }
    }
}
