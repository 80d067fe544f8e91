//! Gold rows: a day is rebuilt whole from its turns, slice by slice, and written in one transaction.

use super::source::{Pages, Slice, count};
use super::{bronze, marks};
use crate::registry_do::integer;
use serde::{Deserialize, Serialize};
use serde_json::json;
use silent_core::pipeline::{Day, DayBuilder, Gold, RETURN_DAYS, Rollup};
use silent_core::turn::Clock;
use silent_edge::{SystemClock, log};
use std::collections::BTreeSet;
use worker::{Bucket, D1Database, Error, Result};

/// Turns that are held at a time: some ten megabytes.
const SLICE_TURNS: u64 = 50_000;
/// Persons whose return is asked for at a time.
const PERSONS: usize = 5_000;
/// Longest JSON that is bound: D1 takes 2 MB.
const BOUND_BYTES: usize = 1_000_000;

/// The marks of a day whose events changed.
pub(super) const CHANGED: &str = r#"["gold"]"#;
/// And of one whose persons came back.
pub(super) const RETURNED: &str = r#"["gold","returns"]"#;
/// And of one that an admin wants from bronze.
const FROM_BRONZE: &str = r#"["bronze"]"#;

/// What a run may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// When it ends.
    pub(super) deadline_ms: u64,
    /// Turns; a day that has more than what is left waits.
    pub(super) turns: u64,
}

/// Rebuilds the days that changed and are not after `today`; says whether none is left.
pub(super) async fn changed(
    db: &D1Database,
    bucket: &Bucket,
    layers: &str,
    today: Day,
    mut budget: Budget,
) -> Result<bool> {
    let range = (Day::of(0), today.plus(1));
    let mut is_done = true;
    let mut failure = None;
    for day in marks::days(db, layers, range, SystemClock.now_ms()).await? {
        let turns = count(db, day).await?;
        if SystemClock.now_ms() > budget.deadline_ms || turns > budget.turns {
            is_done = false;
            continue;
        }
        budget.turns -= turns;
        if !marks::claim(db, "gold", RETURNED, day, Some("silver"), SystemClock.now_ms()).await? {
            is_done = false;
            continue;
        }
        let built = rebuild(db, bucket, day, turns, false).await;
        let failed = built.is_err().then_some("gold");
        marks::release(db, "gold", day, failed, SystemClock.now_ms()).await?;
        // One day that cannot be built must not keep the others.
        failure = built.err().or(failure);
    }
    failure.map_or(Ok(is_done), Err)
}

/// Rebuilds the days that an admin wants from bronze.
pub(super) async fn wanted(db: &D1Database, bucket: &Bucket, today: Day, deadline_ms: u64) -> Result<()> {
    for day in marks::days(db, FROM_BRONZE, (Day::of(0), today.plus(1)), SystemClock.now_ms()).await? {
        if SystemClock.now_ms() > deadline_ms
            || !marks::claim(db, "gold", "[]", day, None, SystemClock.now_ms()).await?
        {
            continue;
        }
        let built = rebuild(db, bucket, day, count(db, day).await?, true).await;
        marks::release(db, "gold", day, None, SystemClock.now_ms()).await?;
        built?;
        // Last, so that a rebuild that was cut off is taken up again.
        db.prepare("DELETE FROM dirty_days WHERE layer = 'bronze' AND day = ?1")
            .bind(&[day.iso().into()])?
            .run()
            .await?;
    }
    Ok(())
}

async fn rebuild(db: &D1Database, bucket: &Bucket, day: Day, turns: u64, from_bronze: bool) -> Result<()> {
    let slices = Slice::cut(turns, SLICE_TURNS);
    let mut gold = Gold::default();
    for slice in &slices {
        gold.merge(if from_bronze {
            of_bronze(db, bucket, day, slice).await?
        } else {
            of_turns(db, day, (slices.len() > 1).then_some(slice)).await?
        });
    }
    let rows = gold.rows.len();
    write(db, day, gold).await?;
    log::line(
        "info",
        "gold-rebuilt",
        "pipeline",
        json!({"day": day, "turns": turns, "slices": slices.len(), "rows": rows, "from_bronze": from_bronze}),
    );
    Ok(())
}

async fn of_turns(db: &D1Database, day: Day, slice: Option<&Slice>) -> Result<Gold> {
    let mut builder = DayBuilder::new(day);
    let mut pages = Pages::new(db, day, slice);
    while let Some(turns) = pages.next().await? {
        for turn in turns {
            builder.turn(&turn.event);
            if let Some((milli, at_ms)) = turn.rating {
                builder.rated(&turn.event.event_id, at_ms, milli);
            }
        }
    }
    let mut returned = BTreeSet::new();
    for persons in builder.persons().chunks(PERSONS) {
        returned.extend(who_returned(db, day, persons).await?);
    }
    Ok(builder.finish(|person| returned.contains(person)))
}

async fn who_returned(db: &D1Database, day: Day, persons: &[&str]) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Row {
        person_id: String,
    }
    let found = db
        .prepare(
            "SELECT value AS person_id FROM json_each(?1)
             WHERE EXISTS (SELECT 1 FROM session_days WHERE person_id = value AND day > ?2 AND day <= ?3)",
        )
        .bind(&[
            text(persons)?.into(),
            day.iso().into(),
            day.plus(RETURN_DAYS).iso().into(),
        ])?
        .all()
        .await?;
    Ok(found.results::<Row>()?.into_iter().map(|row| row.person_id).collect())
}

async fn of_bronze(db: &D1Database, bucket: &Bucket, day: Day, slice: &Slice) -> Result<Gold> {
    let mut builder = DayBuilder::new(day);
    let person = |record: &silent_core::pipeline::bronze::Record| String::from(record.subjects()[1]);
    bronze::read_day(db, bucket, day, |record| {
        if slice.holds(record.subjects()[1]) {
            builder.record(record);
        }
    })
    .await?;
    let here: BTreeSet<String> = builder.persons().into_iter().map(String::from).collect();
    let mut returned = BTreeSet::new();
    for later in 1..=RETURN_DAYS {
        bronze::read_day(db, bucket, day.plus(later), |record| {
            let is_turn = matches!(record, silent_core::pipeline::bronze::Record::Turn { .. });
            if is_turn && here.contains(record.subjects()[1]) {
                returned.insert(person(record));
            }
        })
        .await?;
    }
    Ok(builder.finish(|person| returned.contains(person)))
}

#[derive(Serialize)]
struct Row {
    category: String,
    variant: String,
    #[serde(flatten)]
    figures: silent_core::pipeline::Figures,
    crisis_sessions: u64,
    persons: u64,
    new_persons: u64,
    returned: u64,
    errors: u64,
    priced_turns: u64,
    sums: Rollup,
}

fn text(value: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::RustError(format!("gold: {error}")))
}

/// Replaces a day's rows; one that is as it was is not written.
async fn write(db: &D1Database, day: Day, gold: Gold) -> Result<()> {
    let mut keys = Vec::with_capacity(gold.rows.len());
    let mut chunks: Vec<String> = Vec::new();
    for (key, sums) in gold.rows {
        keys.push(json!([&key.category, &key.variant]));
        let row = text(&Row {
            category: key.category,
            variant: key.variant,
            figures: sums.figures(),
            crisis_sessions: sums.crisis_sessions,
            persons: sums.persons,
            new_persons: sums.new_persons,
            returned: sums.returned,
            errors: sums.errors,
            priced_turns: sums.priced_turns,
            sums,
        })?;
        match chunks.last_mut() {
            Some(chunk) if chunk.len() + row.len() < BOUND_BYTES => {
                chunk.push(',');
                chunk.push_str(&row);
            }
            _ => chunks.push(row),
        }
    }
    let mut statements = Vec::new();
    for table in ["gold_daily", "gold_sums"] {
        statements.push(
            db.prepare(format!(
                "DELETE FROM {table} WHERE day = ?1 AND NOT EXISTS
                 (SELECT 1 FROM json_each(?2) WHERE value ->> 0 = category AND value ->> 1 = variant)"
            ))
            .bind(&[day.iso().into(), text(&keys)?.into()])?,
        );
    }
    for chunk in chunks {
        let rows = format!("[{chunk}]");
        statements.push(db.prepare(daily()).bind(&[day.iso().into(), rows.as_str().into()])?);
        statements.push(
            db.prepare(
                "INSERT INTO gold_sums(day, category, variant, sums)
                 SELECT ?1, value ->> 'category', value ->> 'variant', value -> 'sums' FROM json_each(?2) WHERE true
                 ON CONFLICT DO UPDATE SET sums = excluded.sums WHERE excluded.sums IS NOT gold_sums.sums",
            )
            .bind(&[day.iso().into(), rows.into()])?,
        );
    }
    db.batch(statements).await?;
    Ok(())
}

/// The columns of `gold_daily` behind its key.
const COLUMNS: &[&str] = &[
    "sessions",
    "crisis_sessions",
    "persons",
    "new_persons",
    "returned",
    "turns",
    "errors",
    "tokens_in",
    "tokens_out",
    "cost_micros",
    "priced_turns",
    "ratings",
    "satisfaction",
    "latency_p50_ms",
    "latency_p95_ms",
    "ttft_p50_ms",
    "ttft_p95_ms",
];

fn daily() -> String {
    let list = |of: &dyn Fn(&str) -> String| COLUMNS.iter().map(|name| of(name)).collect::<Vec<_>>().join(", ");
    format!(
        "INSERT INTO gold_daily(day, category, variant, {}) SELECT ?1, value ->> 'category', value ->> 'variant', {}
         FROM json_each(?2) WHERE true ON CONFLICT DO UPDATE SET {} WHERE ({}) IS NOT ({})",
        list(&|name| name.into()),
        list(&|name| format!("value ->> '{name}'")),
        list(&|name| format!("{name} = excluded.{name}")),
        list(&|name| format!("excluded.{name}")),
        list(&|name| format!("gold_daily.{name}")),
    )
}

/// Marks days to be rebuilt from bronze.
pub(crate) fn want(db: &D1Database, from: Day, to: Day, now_ms: u64) -> Result<worker::D1PreparedStatement> {
    db.prepare(
        "INSERT INTO dirty_days(layer, day, building, at_ms)
         WITH RECURSIVE days(day) AS (SELECT ?1 UNION ALL SELECT date(day, '+1 day') FROM days WHERE day < ?2)
         SELECT 'bronze', day, 0, ?3 FROM days WHERE true ON CONFLICT DO NOTHING",
    )
    .bind(&[from.iso().into(), to.iso().into(), integer(now_ms)])
}
