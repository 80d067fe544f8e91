//! What the dashboard reads. Series come out of D1 as finished JSON: the rows are never parsed here.

pub(crate) mod budgets;
pub(crate) mod days;
pub(crate) mod experiment;
pub(crate) mod live;
pub(crate) mod providers;
pub(crate) mod winner;

use serde::Deserialize;
use silent_core::pipeline::Day;
use silent_edge::error::ApiError;
use worker::D1Database;

/// Days, both ends included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    pub(crate) from: Day,
    pub(crate) to: Day,
    pub(crate) today: Day,
}

#[derive(Deserialize)]
struct Text {
    text: Option<String>,
}

/// The one text of a statement's one row.
fn text(result: Option<&worker::D1Result>) -> Result<String, ApiError> {
    let rows = result.map_or_else(|| Ok(Vec::new()), worker::D1Result::results::<Text>)?;
    rows.into_iter()
        .next()
        .and_then(|row| row.text)
        .ok_or_else(|| ApiError::internal("no figures"))
}

/// Turns by level of each day and by region; counters without a person, from the tables of the gate. Level 0 is what gold counts beside them,
/// as of the last roll-up.
pub(crate) async fn safety(db: &D1Database, range: Range) -> Result<String, ApiError> {
    let bindings = [range.from.iso().into(), range.to.iso().into()];
    let results = db
        .batch(vec![
            db.prepare(
                "SELECT json_group_array(json_object('day', day, 'levels', json_object('0', max(0, turns - l1 - l2 - l3 - l4), '1', l1, '2', l2, '3', l3, '4', l4))) AS text
                 FROM (SELECT day, coalesce((SELECT sum(g.turns) FROM gold_daily g WHERE g.day = shown.day AND g.category = 'PRODUCT'), 0) AS turns,
                         sum(turns * (level = 1)) AS l1, sum(turns * (level = 2)) AS l2, sum(turns * (level = 3)) AS l3, sum(turns * (level = 4)) AS l4
                       FROM (WITH RECURSIVE days(day) AS (SELECT ?1 UNION ALL SELECT date(day, '+1 day') FROM days WHERE day < ?2)
                             SELECT day, 0 AS level, 0 AS turns FROM days
                             UNION ALL SELECT day, level, turns FROM safety_referrals WHERE day BETWEEN ?1 AND ?2) shown
                       GROUP BY day ORDER BY day)",
            )
            .bind(&bindings)?,
            db.prepare(
                "SELECT json_group_array(json_object('region', region, 'turns', turns, 'levels', json_object('1', l1, '2', l2, '3', l3, '4', l4))) AS text
                 FROM (SELECT region, sum(turns) AS turns, sum(turns * (level = 1)) AS l1, sum(turns * (level = 2)) AS l2, sum(turns * (level = 3)) AS l3,
                         sum(turns * (level = 4)) AS l4 FROM safety_referrals WHERE day BETWEEN ?1 AND ?2
                       GROUP BY region ORDER BY turns DESC, region)",
            )
            .bind(&bindings)?,
        ])
        .await?;
    let (days, regions) = (text(results.first())?, text(results.get(1))?);
    Ok(format!(r#"{{"days":{days},"regions":{regions}}}"#))
}
