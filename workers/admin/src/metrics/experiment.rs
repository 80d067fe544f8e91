//! Two variants, compared over a range of days.

use super::Range;
use super::days::{merged, of_variant};
use serde::Deserialize;
use silent_core::pipeline::{Comparison, Day, compare as compare_arms, evidence, expected_shares};
use silent_core::statistics::Policy;
use silent_core::time::rfc3339;
use silent_core::variants::{Category, Snapshot, VariantId};
use silent_edge::error::ApiError;
use worker::{D1Database, D1Result};

/// What is compared.
#[derive(Debug, Clone)]
pub(crate) struct Experiment {
    pub(crate) category: Category,
    pub(crate) control: VariantId,
    pub(crate) treatment: VariantId,
    pub(crate) from: Day,
    pub(crate) to: Day,
    /// Sessions of both arms, fixed before the first look.
    pub(crate) planned: u64,
}

/// Compares.
pub(crate) async fn compare(
    db: &D1Database,
    snapshot: &Snapshot,
    experiment: &Experiment,
) -> Result<Comparison, ApiError> {
    let Experiment {
        category,
        control,
        treatment,
        ..
    } = experiment;
    let treated = snapshot.variant(*category, treatment).ok_or(ApiError::NotFound)?;
    snapshot.variant(*category, control).ok_or(ApiError::NotFound)?;
    let range = Range {
        from: experiment.from,
        to: experiment.to,
        today: experiment.to,
    };
    let results = db
        .batch(vec![
            of_variant(db, range, *category, control)?,
            of_variant(db, range, *category, treatment)?,
            changes(db, *category, experiment.from)?,
        ])
        .await?;
    let (a, b) = (merged(results.first())?, merged(results.get(1))?);
    let expected = (!changed(results.get(2))?)
        .then(|| expected_shares(snapshot, *category, control.as_str(), treatment.as_str()))
        .flatten();
    let crisis = evidence(treated);
    let policy = Policy {
        planned: experiment.planned,
        ..Policy::default()
    };
    compare_arms(
        (control.as_str(), &a),
        (treatment.as_str(), &b),
        expected,
        &crisis,
        &policy,
    )
    .map_err(|error| ApiError::Invalid(error.to_string()))
}

/// Entries of the log that changed a share of the category, or its arms.
const CHANGES: &str = "(action IN ('kill', 'revive') OR (subject LIKE ?1 || '/%'
  AND action IN ('rollout', 'cohorts', 'promote', 'demote', 'pause', 'rollback', 'retire', 'live-miss')))";

/// Whether a share of the category changed after the range's first day: then the arms' shares are not those of today.
fn changes(db: &D1Database, category: Category, from: Day) -> Result<worker::D1PreparedStatement, ApiError> {
    let statement = db.prepare(format!(
        "SELECT count(*) AS n FROM audit_log WHERE at >= ?2 AND {CHANGES}"
    ));
    Ok(statement.bind(&[category.as_str().into(), rfc3339(from.end_ms()).into()])?)
}

/// The day of the last of them.
pub(crate) async fn last_change(db: &D1Database, category: Category) -> Result<Option<Day>, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        day: Option<String>,
    }
    let row: Option<Row> = db
        .prepare(format!(
            "SELECT substr(max(at), 1, 10) AS day FROM audit_log WHERE {CHANGES}"
        ))
        .bind(&[category.as_str().into()])?
        .first(None)
        .await?;
    Ok(row.and_then(|row| row.day).and_then(|day| Day::parse(&day).ok()))
}

fn changed(result: Option<&D1Result>) -> Result<bool, ApiError> {
    #[derive(Deserialize)]
    struct Row {
        n: u64,
    }
    let rows = result.map_or_else(|| Ok(Vec::new()), D1Result::results::<Row>)?;
    Ok(rows.first().is_none_or(|row| row.n > 0))
}
