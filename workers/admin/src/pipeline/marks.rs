//! Marks of days that changed, and who rebuilds one: a claim, taken away from whoever did not end in time.

use crate::registry_do::integer;
use serde::Deserialize;
use silent_core::pipeline::Day;
use worker::{D1Database, Result};

/// No Worker lives longer than fifteen minutes; a claim that is older belongs to nobody.
const STALE_MS: u64 = 16 * 60_000;

#[derive(Deserialize)]
struct Row {
    day: Day,
}

/// Days with one of the marks (a JSON array of layers) from `from` to `to`, the newest first.
pub(super) async fn days(db: &D1Database, layers: &str, (from, to): (Day, Day), now_ms: u64) -> Result<Vec<Day>> {
    let found = db
        .prepare(
            "SELECT DISTINCT day FROM dirty_days WHERE layer IN (SELECT value FROM json_each(?1)) AND (building = 0 OR at_ms < ?2)
             AND day BETWEEN ?3 AND ?4 ORDER BY day DESC LIMIT 1000",
        )
        .bind(&[
            layers.into(),
            integer(now_ms.saturating_sub(STALE_MS)),
            from.iso().into(),
            to.iso().into(),
        ])?
        .all()
        .await?;
    Ok(found.results::<Row>()?.into_iter().map(|row| row.day).collect())
}

/// Claims a day of `layer` and takes its marks (a JSON array of layers) away; false where somebody else has it.
///
/// A change that comes later marks the day anew. With `then`, the day is marked for that layer as well, if it had the mark
/// of `layer`.
pub(super) async fn claim(
    db: &D1Database,
    layer: &str,
    marks: &str,
    day: Day,
    then: Option<&str>,
    now_ms: u64,
) -> Result<bool> {
    let claimed: Option<Row> = db
        .prepare(
            "INSERT INTO dirty_days(layer, day, building, at_ms) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms WHERE dirty_days.at_ms < ?4 RETURNING day",
        )
        .bind(&[
            layer.into(),
            day.iso().into(),
            integer(now_ms),
            integer(now_ms.saturating_sub(STALE_MS)),
        ])?
        .first(None)
        .await?;
    if claimed.is_none() {
        return Ok(false);
    }
    let mut statements = Vec::new();
    if let Some(next) = then {
        statements.push(
            db.prepare(
                "INSERT INTO dirty_days(layer, day, building, at_ms) SELECT ?1, day, 0, ?2 FROM dirty_days
                 WHERE layer = ?3 AND day = ?4 AND building = 0 ON CONFLICT DO NOTHING",
            )
            .bind(&[next.into(), integer(now_ms), layer.into(), day.iso().into()])?,
        );
    }
    statements.push(
        db.prepare(
            "DELETE FROM dirty_days WHERE layer IN (SELECT value FROM json_each(?1)) AND day = ?2 AND building = 0",
        )
        .bind(&[marks.into(), day.iso().into()])?,
    );
    db.batch(statements).await?;
    Ok(true)
}

/// Gives a claim back: the day is done, or, where it failed, marked again.
pub(super) async fn release(db: &D1Database, layer: &str, day: Day, failed: Option<&str>, now_ms: u64) -> Result<()> {
    let mut statements = vec![
        db.prepare("DELETE FROM dirty_days WHERE layer = ?1 AND day = ?2 AND building = 1")
            .bind(&[layer.into(), day.iso().into()])?,
    ];
    if let Some(mark) = failed {
        statements.push(
            db.prepare(
                "INSERT INTO dirty_days(layer, day, building, at_ms) VALUES (?1, ?2, 0, ?3) ON CONFLICT DO NOTHING",
            )
            .bind(&[mark.into(), day.iso().into(), integer(now_ms)])?,
        );
    }
    db.batch(statements).await?;
    Ok(())
}
