//! The cron: every few minutes what changed is rolled up, and once a night the day is closed.
//!
//! A night's steps are rows of `jobs`: each is tried until it is done, by whichever run comes next.

use super::gold::{self, Budget, CHANGED, RETURNED};
use super::{bronze, dead_letters, silver, slo};
use crate::alerts::{self, Alert};
use crate::registry_do::integer;
use crate::{guard_do, workflow_do};
use serde::Deserialize;
use serde_json::{Value, json};
use silent_core::pipeline::Day;
use silent_core::turn::Clock;
use silent_edge::r2::BUCKET;
use silent_edge::registry::{OBJECT, OBJECT_NAME};
use silent_edge::{SystemClock, log};
use worker::{D1Database, Env, Error, Result, ScheduledEvent};

/// The nightly cron of wrangler.toml.
const NIGHTLY: &str = "0 3 * * *";
/// A frequent cron is taken to have 30 s of processor time (not verified on the platform), so a run takes on days of so many
/// turns; larger ones wait for the night.
const TICK: (u64, u64) = (2 * 60_000, 250_000);
/// A nightly one is taken to have fifteen minutes.
const NIGHT: (u64, u64) = (10 * 60_000, u64::MAX);
/// A step that began before that was cut off.
const STALE_MS: u64 = 16 * 60_000;
/// How long answers to repeated requests are kept.
const IDEMPOTENCY_MS: u64 = 7 * 86_400_000;
/// How long letters are kept that were replayed, or that name nobody whose erasure would take them away.
const LETTERS_MS: u64 = 30 * 86_400_000;
const STEPS: &[&str] = &["erase", "gold", "slo", "silver", "anchor", "prune"];
/// Failures after which a step is given up: an hour of tries. The next night has a step of its own, which does what is left.
const FAILURES: u32 = 12;
/// Longest error that is told, in characters.
const ERROR_CHARS: usize = 300;

/// What the cron does.
pub(crate) async fn scheduled(event: &ScheduledEvent, env: &Env) {
    let scheduled_at_ms = event.schedule() as u64;
    if let Err(error) = run(event.cron() == NIGHTLY, scheduled_at_ms, env).await {
        log::line("error", "cron", "pipeline", json!({"cause": error.to_string()}));
    }
}

async fn run(is_nightly: bool, scheduled_at_ms: u64, env: &Env) -> Result<()> {
    let db = env.d1(crate::DB)?;
    let bucket = env.bucket(BUCKET)?;
    let today = Day::of(scheduled_at_ms);
    let (wait_ms, turns) = if is_nightly { NIGHT } else { TICK };
    let budget = Budget {
        deadline_ms: SystemClock.now_ms().saturating_add(wait_ms),
        turns,
    };
    if is_nightly {
        let mut statements = Vec::new();
        for step in STEPS {
            statements.push(
                db.prepare(
                    "INSERT INTO jobs(job, day, step, attempts) VALUES ('nightly', ?1, ?2, 0) ON CONFLICT DO NOTHING",
                )
                .bind(&[today.iso().into(), (*step).into()])?,
            );
        }
        db.batch(statements).await?;
    } else {
        gold::wanted(&db, &bucket, today, budget.deadline_ms).await?;
        gold::changed(&db, &bucket, CHANGED, today, budget).await?;
        dead_letters::replay(env).await?;
        // What was called and never came.
        guard_do::poke(env).await;
        alerts::wake(env).await;
        workflow_do::wake(env).await?;
    }
    for (day, step) in to_do(&db).await? {
        if !begin(&db, day, &step).await? {
            continue;
        }
        let done = match step.as_str() {
            "erase" => bronze::erase(&db, &bucket, || SystemClock.now_ms(), budget.deadline_ms).await,
            "gold" => gold::changed(&db, &bucket, RETURNED, today, budget).await,
            "slo" => slo::check(env, &db, day.minus(1)).await,
            "silver" => silver::changed(&db, &bucket, today, budget.deadline_ms).await,
            "anchor" => anchor(env, day).await,
            "prune" => prune(&db).await,
            _ => Ok(true),
        };
        end(env, &db, day, &step, done).await?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Step {
    day: Day,
    step: String,
}

/// The steps that are left, the oldest night first.
async fn to_do(db: &D1Database) -> Result<Vec<(Day, String)>> {
    let found = db
        .prepare("SELECT day, step FROM jobs WHERE job = 'nightly' AND finished_at_ms IS NULL AND dead_at_ms IS NULL ORDER BY day")
        .all()
        .await?;
    let mut steps: Vec<(Day, String)> = found
        .results::<Step>()?
        .into_iter()
        .map(|row| (row.day, row.step))
        .collect();
    let place = |step: &str| STEPS.iter().position(|name| *name == step);
    steps.sort_by_key(|(day, step)| (*day, place(step)));
    Ok(steps)
}

/// Claims a step; false where somebody is at it.
async fn begin(db: &D1Database, day: Day, step: &str) -> Result<bool> {
    let now_ms = SystemClock.now_ms();
    let claimed: Option<Step> = db
        .prepare(
            "UPDATE jobs SET started_at_ms = ?3, attempts = attempts + 1, error = NULL WHERE job = 'nightly' AND day = ?1 AND step = ?2
             AND finished_at_ms IS NULL AND (started_at_ms IS NULL OR started_at_ms < ?4) RETURNING day, step",
        )
        .bind(&[
            day.iso().into(),
            step.into(),
            integer(now_ms),
            integer(now_ms.saturating_sub(STALE_MS)),
        ])?
        .first(None)
        .await?;
    Ok(claimed.is_some())
}

/// Notes what became of a step; one that is not done is free for the next run.
async fn end(env: &Env, db: &D1Database, day: Day, step: &str, done: Result<bool>) -> Result<()> {
    let statement = match &done {
        Ok(true) => db
            .prepare("UPDATE jobs SET finished_at_ms = ?3 WHERE job = 'nightly' AND day = ?1 AND step = ?2")
            .bind(&[day.iso().into(), step.into(), integer(SystemClock.now_ms())])?,
        Ok(false) => db
            .prepare("UPDATE jobs SET started_at_ms = NULL WHERE job = 'nightly' AND day = ?1 AND step = ?2")
            .bind(&[day.iso().into(), step.into()])?,
        Err(error) => {
            log::line(
                "error",
                "step-failed",
                "pipeline",
                json!({"step": step, "day": day, "cause": error.to_string()}),
            );
            let failed: Option<Failed> = db
                .prepare(
                    "UPDATE jobs SET started_at_ms = NULL, error = ?3, failures = failures + 1 WHERE job = 'nightly' AND day = ?1 AND step = ?2
                     RETURNING failures",
                )
                .bind(&[day.iso().into(), step.into(), error.to_string().into()])?
                .first(None)
                .await?;
            let failures = failed.map_or(0, |row| row.failures);
            if failures >= FAILURES {
                give_up(env, db, day, step, failures, &error.to_string()).await?;
            }
            return Ok(());
        }
    };
    statement.run().await?;
    Ok(())
}

#[derive(Deserialize)]
struct Failed {
    failures: u32,
}

/// A step that fails again and again becomes a dead letter, which a replay brings back, and somebody is told: in one
/// transaction.
async fn give_up(env: &Env, db: &D1Database, day: Day, step: &str, failures: u32, error: &str) -> Result<()> {
    let now_ms = SystemClock.now_ms();
    let error: String = error
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(ERROR_CHARS)
        .collect();
    let text = format!("The nightly step {step} of {day} was given up after {failures} failures: {error}");
    let figures = json!({"job": "nightly", "step": step, "day": day, "failures": failures, "error": error});
    let alert = Alert::new(
        format!("job:nightly:{day}:{step}:{now_ms}"),
        "job",
        format!("nightly/{step}"),
        text,
        figures,
    );
    db.batch(vec![
        db.prepare("UPDATE jobs SET dead_at_ms = ?3 WHERE job = 'nightly' AND day = ?1 AND step = ?2")
            .bind(&[day.iso().into(), step.into(), integer(now_ms)])?,
        dead_letters::of_step(db, day, step, &error, now_ms)?,
        alert.statement(db, now_ms)?,
    ])
    .await?;
    alerts::wake(env).await;
    Ok(())
}

/// Puts the audit log's end, as the registry's object remembers it, where neither D1 nor the object can change it.
async fn anchor(env: &Env, day: Day) -> Result<bool> {
    let stub = env.durable_object(OBJECT)?.get_by_name(OBJECT_NAME)?;
    let mut response = stub.fetch_with_str("https://object/anchor").await?;
    if response.status_code() != 200 {
        return Err(Error::RustError(format!(
            "the registry said {}",
            response.status_code()
        )));
    }
    let end: Value = response.json().await?;
    let anchor =
        json!({"day": day, "seq": end.get("seq"), "hash": end.get("hash"), "taken_at_ms": SystemClock.now_ms()});
    env.bucket(BUCKET)?
        .put(format!("anchors/dt={day}/audit.json"), anchor.to_string())
        .execute()
        .await?;
    Ok(true)
}

async fn prune(db: &D1Database) -> Result<bool> {
    let now_ms = SystemClock.now_ms();
    let before = |age_ms: u64| integer(now_ms.saturating_sub(age_ms));
    db.batch(vec![
        db.prepare("DELETE FROM idempotency_keys WHERE at_ms < ?1")
            .bind(&[before(IDEMPOTENCY_MS)])?,
        db.prepare(
            "DELETE FROM dead_letters WHERE received_at_ms < ?1
             AND (replayed_at_ms IS NOT NULL OR (session_id IS NULL AND person_id IS NULL))",
        )
        .bind(&[before(LETTERS_MS)])?,
        db.prepare("DELETE FROM jobs WHERE finished_at_ms < ?1")
            .bind(&[before(LETTERS_MS)])?,
    ])
    .await?;
    Ok(true)
}
