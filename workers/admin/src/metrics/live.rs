//! What happens now: the last hour by minute from the events' index, today from gold and the count of events.

use crate::registry_do::integer;
use serde::{Deserialize, Serialize};
use silent_core::pipeline::{Day, PRODUCT};
use silent_core::time::rfc3339;
use silent_edge::error::ApiError;
use worker::{D1Database, D1Result};

const MINUTE_MS: u64 = 60_000;
const MINUTES: u64 = 60;

/// A minute.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Minute {
    at: String,
    turns: u64,
    errors: u64,
    /// Turns at level 2 or above.
    crises: u64,
    cost_micros: u64,
}

/// Today.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Today {
    /// Exact; the rest is as of the last roll-up, some minutes ago.
    #[serde(default)]
    turns: u64,
    sessions: u64,
    errors: u64,
    crisis_sessions: u64,
    tokens_in: u64,
    tokens_out: u64,
    cost_micros: u64,
}

/// Now.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Live {
    at: String,
    /// The oldest first; the last one has just begun.
    minutes: Vec<Minute>,
    today: Today,
}

#[derive(Deserialize)]
struct Row {
    minute: u64,
    turns: u64,
    errors: u64,
    crises: u64,
    cost_micros: u64,
}

#[derive(Deserialize)]
struct Count {
    n: u64,
}

/// The last sixty minutes and today's totals.
pub(crate) async fn live(db: &D1Database, now_ms: u64) -> Result<Live, ApiError> {
    let first = (now_ms / MINUTE_MS).saturating_sub(MINUTES - 1);
    let today = Day::of(now_ms);
    let results = db
        .batch(vec![
            db.prepare(
                "SELECT accepted_at_ms / 60000 AS minute, count(*) AS turns, sum(status IN ('failed', 'interrupted')) AS errors,
                   sum(crisis_level >= 2) AS crises, coalesce(sum(cost_micros), 0) AS cost_micros
                 FROM turn_events WHERE accepted_at_ms >= ?1 GROUP BY minute",
            )
            .bind(&[integer(first * MINUTE_MS)])?,
            db.prepare("SELECT count(*) AS n FROM turn_events WHERE accepted_at_ms >= ?1 AND accepted_at_ms < ?2")
                .bind(&[integer(today.start_ms()), integer(today.end_ms())])?,
            db.prepare(format!(
                "SELECT coalesce(sum(sessions), 0) AS sessions, coalesce(sum(errors), 0) AS errors,
                   coalesce(sum(crisis_sessions), 0) AS crisis_sessions, coalesce(sum(tokens_in), 0) AS tokens_in,
                   coalesce(sum(tokens_out), 0) AS tokens_out, coalesce(sum(cost_micros), 0) AS cost_micros
                 FROM gold_daily WHERE day = ?1 AND category = '{PRODUCT}'"
            ))
            .bind(&[today.iso().into()])?,
        ])
        .await?;
    let rows = rows::<Row>(results.first())?;
    let turns = rows_of(results.get(1))?;
    let mut totals: Today = self::rows(results.get(2))?.pop().unwrap_or_default();
    totals.turns = turns;
    let minutes = (first..first + MINUTES).map(|minute| {
        let row = rows.iter().find(|row| row.minute == minute);
        Minute {
            at: rfc3339(minute * MINUTE_MS),
            turns: row.map_or(0, |row| row.turns),
            errors: row.map_or(0, |row| row.errors),
            crises: row.map_or(0, |row| row.crises),
            cost_micros: row.map_or(0, |row| row.cost_micros),
        }
    });
    Ok(Live {
        at: rfc3339(now_ms),
        minutes: minutes.collect(),
        today: totals,
    })
}

fn rows_of(result: Option<&D1Result>) -> Result<u64, ApiError> {
    Ok(rows::<Count>(result)?.first().map_or(0, |row| row.n))
}

fn rows<T: serde::de::DeserializeOwned>(result: Option<&D1Result>) -> Result<Vec<T>, ApiError> {
    Ok(result.map_or_else(|| Ok(Vec::new()), D1Result::results)?)
}
