//! The service's objectives, held against a day that is over.

use crate::alerts::{self, Alert};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use silent_core::pipeline::{Day, PRODUCT};
use worker::{D1Database, Env, Error, Result};

/// Objective, the variable that changes it, and what it is without.
const OBJECTIVES: [(&str, &str, f64); 3] = [
    ("latency_p95_ms", "SLO_LATENCY_P95_MS", 15_000.0),
    ("ttft_p95_ms", "SLO_TTFT_P95_MS", 3_000.0),
    ("error_rate", "SLO_ERROR_RATE", 0.02),
];
/// Turns of a product below which a day says nothing.
const MIN_TURNS: f64 = 100.0;

#[derive(Deserialize)]
struct Row {
    product: String,
    turns: f64,
    latency_p95_ms: Option<f64>,
    ttft_p95_ms: Option<f64>,
    error_rate: Option<f64>,
}

fn setting(env: &Env, name: &str, usual: f64) -> Result<f64> {
    let text = env.var(name).map(|value| value.to_string()).unwrap_or_default();
    match text.as_str() {
        "" => Ok(usual),
        text => text
            .parse()
            .map_err(|_| Error::RustError(format!("{name} is not a number"))),
    }
}

/// Raises an alert for each product whose day broke an objective: once for each day.
pub(super) async fn check(env: &Env, db: &D1Database, day: Day) -> Result<bool> {
    let least = setting(env, "SLO_MIN_TURNS", MIN_TURNS)?;
    let found = db
        .prepare(format!(
            "SELECT variant AS product, turns, latency_p95_ms, ttft_p95_ms, errors * 1.0 / nullif(turns, 0) AS error_rate
             FROM gold_daily WHERE day = ?1 AND category = '{PRODUCT}'"
        ))
        .bind(&[day.iso().into()])?
        .all()
        .await?;
    for row in found.results::<Row>()?.into_iter().filter(|row| row.turns >= least) {
        let figures = [row.latency_p95_ms, row.ttft_p95_ms, row.error_rate];
        let (mut breaches, mut words) = (Map::new(), Vec::new());
        for ((objective, variable, usual), figure) in OBJECTIVES.into_iter().zip(figures) {
            let allowed = setting(env, variable, usual)?;
            if let Some(figure) = figure.filter(|figure| *figure > allowed) {
                breaches.insert(objective.into(), json!({"is": figure, "allowed": allowed}));
                words.push(format!("{objective} {figure:.3} (allowed {allowed})"));
            }
        }
        if !breaches.is_empty() {
            let text = format!("{} broke its objectives on {day}: {}", row.product, words.join(", "));
            let figures =
                json!({"day": day, "product": row.product, "turns": row.turns, "breaches": Value::Object(breaches)});
            let alert = Alert::new(format!("slo:{day}:{}", row.product), "slo", row.product, text, figures);
            alerts::raise(env, &alert)
                .await
                .map_err(|error| Error::RustError(format!("{error:?}")))?;
        }
    }
    Ok(true)
}
