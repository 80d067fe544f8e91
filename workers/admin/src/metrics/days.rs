//! Days of variants and products.

use super::{Range, text};
use serde::Deserialize;
use serde_json::json;
use silent_core::pipeline::{PRODUCT, Rollup};
use silent_core::variants::{Category, VariantId};
use silent_edge::error::ApiError;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

/// A row as people read it. A day's persons can only have returned once another day began (`?3` is today).
const SHOWN: &str = "json_object('day', day, 'turns', turns, 'sessions', sessions, 'latency_p50_ms', latency_p50_ms,
  'latency_p95_ms', latency_p95_ms, 'ttft_p50_ms', ttft_p50_ms, 'ttft_p95_ms', ttft_p95_ms,
  'cost_per_turn_micros', cost_micros * 1.0 / nullif(priced_turns, 0), 'satisfaction', satisfaction, 'ratings', ratings,
  'return_rate', CASE WHEN day < ?3 THEN returned * 1.0 / nullif(persons, 0) END,
  'crisis_rate', crisis_sessions * 1.0 / nullif(sessions, 0), 'error_rate', errors * 1.0 / nullif(turns, 0),
  'tokens_in', tokens_in, 'tokens_out', tokens_out, 'cost_micros', cost_micros)";

/// `days`, `variants` with their days, `total` of all products.
pub(crate) async fn overview(db: &D1Database, range: Range, category: Option<Category>) -> Result<String, ApiError> {
    let category = category.map_or(JsValue::NULL, |category| category.as_str().into());
    let results = db
        .batch(vec![
            variants(db, range, "(?4 IS NULL OR category = ?4)", vec![category])?,
            sums(db, range, PRODUCT, None)?,
        ])
        .await?;
    let variants = text(results.first())?;
    let total = total(results.get(1))?;
    let mut days = Vec::new();
    let mut day = range.from;
    while day <= range.to {
        days.push(day);
        day = day.plus(1);
    }
    Ok(format!(
        r#"{{"days":{},"variants":{variants},"total":{total}}}"#,
        json!(days)
    ))
}

/// One variant's days.
pub(crate) async fn series(
    db: &D1Database,
    range: Range,
    category: Category,
    id: &VariantId,
) -> Result<String, ApiError> {
    let named = vec![category.as_str().into(), id.as_str().into()];
    let results = db
        .batch(vec![
            variants(db, range, "category = ?4 AND variant = ?5", named)?,
            sums(db, range, category.as_str(), Some(id.as_str()))?,
            db.prepare("SELECT status AS text FROM variants WHERE category = ?1 AND id = ?2")
                .bind(&[category.as_str().into(), id.as_str().into()])?,
        ])
        .await?;
    let found = text(results.first())?;
    let total = total(results.get(1))?;
    // The list has the variant or nothing: one without a figure is known all the same.
    let one = found
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or_default();
    let head = if one.is_empty() {
        let status = text(results.get(2)).map_err(|_| ApiError::NotFound)?;
        json!({"category": category, "id": id, "status": status, "days": []}).to_string()
    } else {
        one.to_string()
    };
    let head = head.strip_suffix('}').unwrap_or_default();
    Ok(format!(r#"{head},"total":{total}}}"#))
}

fn variants(db: &D1Database, range: Range, which: &str, more: Vec<JsValue>) -> Result<D1PreparedStatement, ApiError> {
    let mut bindings: Vec<JsValue> = [range.from, range.to, range.today].map(|day| day.iso().into()).into();
    bindings.extend(more);
    let statement = db.prepare(format!(
        "SELECT json_group_array(json_object('category', category, 'id', variant,
           'status', (SELECT status FROM variants v WHERE v.category = g.category AND v.id = g.variant), 'days', json(days))) AS text
         FROM (SELECT category, variant, json_group_array({SHOWN}) AS days
               FROM (SELECT * FROM gold_daily WHERE day BETWEEN ?1 AND ?2 AND category <> '{PRODUCT}' AND {which}
                     ORDER BY category, variant, day)
               GROUP BY category, variant) g"
    ));
    Ok(statement.bind(&bindings)?)
}

fn sums(db: &D1Database, range: Range, category: &str, variant: Option<&str>) -> Result<D1PreparedStatement, ApiError> {
    let statement = db.prepare(
        "SELECT sums FROM gold_sums WHERE category = ?1 AND (?2 IS NULL OR variant = ?2) AND day BETWEEN ?3 AND ?4",
    );
    Ok(statement.bind(&[
        category.into(),
        variant.map_or(JsValue::NULL, JsValue::from_str),
        range.from.iso().into(),
        range.to.iso().into(),
    ])?)
}

/// Merges rows of `gold_sums`.
pub(super) fn merged(result: Option<&D1Result>) -> Result<Rollup, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        sums: String,
    }
    let rows = result.map_or_else(|| Ok(Vec::new()), D1Result::results::<Row>)?;
    let mut sum = Rollup::default();
    for row in rows {
        let part: Rollup =
            serde_json::from_str(&row.sums).map_err(|error| ApiError::internal(format!("gold: {error}")))?;
        sum.merge(&part);
    }
    Ok(sum)
}

fn total(result: Option<&D1Result>) -> Result<String, ApiError> {
    serde_json::to_string(&merged(result)?.figures()).map_err(|_| ApiError::internal("figures cannot be written"))
}

/// Tokens and cost of each day and product, beside the budgets.
pub(crate) async fn costs(db: &D1Database, range: Range, budgets: &str) -> Result<String, ApiError> {
    let statement = db
        .prepare(format!(
            "SELECT json_group_array(json_object('day', day, 'product', variant, 'turns', turns, 'priced_turns', priced_turns,
               'tokens_in', tokens_in, 'tokens_out', tokens_out, 'cost_micros', cost_micros,
               'cost_per_turn_micros', cost_micros * 1.0 / nullif(priced_turns, 0))) AS text
             FROM (SELECT * FROM gold_daily WHERE day BETWEEN ?1 AND ?2 AND category = '{PRODUCT}' ORDER BY day, variant)"
        ))
        .bind(&[range.from.iso().into(), range.to.iso().into()])?;
    let found = statement.all().await?;
    Ok(format!(r#"{{"days":{},"budgets":{budgets}}}"#, text(Some(&found))?))
}

/// The statement that [`merged`] reads, of one variant.
pub(super) fn of_variant(
    db: &D1Database,
    range: Range,
    category: Category,
    id: &VariantId,
) -> Result<D1PreparedStatement, ApiError> {
    sums(db, range, category.as_str(), Some(id.as_str()))
}
