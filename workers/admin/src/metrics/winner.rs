//! Whether a canary has won: asked of the server's own figures, since the category's last change, with a plan that nobody
//! chooses after the first look.

use super::experiment::{Experiment, compare, last_change};
use serde_json::{Value, json};
use silent_core::pipeline::{Comparison, Day};
use silent_core::registry::Target;
use silent_core::variants::{Snapshot, Variant};
use silent_edge::error::ApiError;
use worker::D1Database;

/// Sessions of both arms at which always-valid intervals are tightest, where nobody said otherwise before.
pub(crate) const PLANNED: u64 = 5_000;
/// Most days that are looked back.
const MAX_DAYS: u32 = 366;

/// What the figures say.
pub(crate) struct Examined {
    pub(crate) comparison: Comparison,
    /// Each condition that is not met; none of a winner.
    pub(crate) unmet: Vec<Value>,
}

/// Compares a canary with production.
pub(crate) async fn examine(
    db: &D1Database,
    snapshot: &Snapshot,
    target: &Target,
    now_ms: u64,
) -> Result<Examined, ApiError> {
    let variant = snapshot
        .variant(target.category, &target.id)
        .ok_or(ApiError::NotFound)?;
    let mut defaults = snapshot.defaults(target.category);
    let (Some(control), None) = (defaults.next(), defaults.next()) else {
        return Err(ApiError::Conflict(
            "the category is a pool: it has no one default to win against".into(),
        ));
    };
    if control.id == variant.id {
        return Err(ApiError::Conflict("it is in production".into()));
    }
    let today = Day::of(now_ms);
    let changed = last_change(db, target.category).await?;
    let made = variant.updated_at.get(..10).and_then(|day| Day::parse(day).ok());
    let from = changed
        .or(made)
        .unwrap_or(today)
        .max(today.minus(MAX_DAYS - 1))
        .min(today);
    let experiment = Experiment {
        category: target.category,
        control: control.id.clone(),
        treatment: variant.id.clone(),
        from,
        to: today,
        planned: PLANNED,
    };
    let comparison = compare(db, snapshot, &experiment).await?;
    let mut unmet = comparison.decision.reasons.clone();
    if let Some(reason) = takes_part(variant) {
        unmet.push(json!({"reason": reason}));
    }
    Ok(Examined { comparison, unmet })
}

fn takes_part(variant: &Variant) -> Option<&'static str> {
    (!variant.is_challenger()).then_some("takes_no_traffic")
}

/// Unmet conditions on one line.
pub(crate) fn in_words(unmet: &[Value]) -> String {
    let words: Vec<String> = unmet
        .iter()
        .map(|reason| {
            let of = |name: &str| {
                reason
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .replace('_', " ")
            };
            format!("{} {}", of("reason"), of("gate")).trim().to_string()
        })
        .collect();
    words.join(", ")
}
