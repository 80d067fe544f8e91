//! How vendors' models fare: from the attempts that turns record, since no isolate sees another one's.

use super::text;
use crate::registry_do::integer;
use silent_core::time::rfc3339;
use silent_edge::error::ApiError;
use worker::D1Database;

/// Most turns that are looked at, the newest first: twenty megabytes of events, read within a second or so.
const TURNS: u64 = 10_000;
const HOUR_MS: u64 = 3_600_000;

/// By provider and model; the one that is asked most comes first.
///
/// An attempt is a fall-back where another target was begun before it. Latency is that of full answers, the first token that of all
/// that began; both by nearest rank. `breaker-open` is the record of an attempt that a breaker spared: it is no attempt.
const FIGURES: &str = "WITH recent AS MATERIALIZED (
    SELECT rowid AS turn, accepted_at_ms, event FROM turn_events INDEXED BY turn_events_by_time
    WHERE accepted_at_ms >= ?1 ORDER BY accepted_at_ms DESC LIMIT ?2),
  tried AS MATERIALIZED (
    SELECT provider, model, outcome, at_ms, ttft_ms, total_ms,
      (provider, model) IS NOT (first_value(provider) OVER begun, first_value(model) OVER begun) AS is_fallback
    FROM (SELECT turn, a.key AS place, a.value ->> 'provider' AS provider, a.value ->> 'model' AS model, a.value ->> 'outcome' AS outcome,
            a.value ->> 'started_at_ms' AS at_ms, a.value ->> 'ttft_ms' AS ttft_ms, a.value ->> 'total_ms' AS total_ms
          FROM recent, json_each(event, '$.attempts') a)
    WINDOW begun AS (PARTITION BY turn ORDER BY at_ms, place)),
  counted AS (
    SELECT provider, model, sum(outcome <> 'breaker-open') AS attempts, sum(outcome NOT IN ('ok', 'stopped', 'hedge-lost', 'breaker-open')) AS failures,
      sum(is_fallback AND outcome <> 'breaker-open') AS fallbacks, sum(outcome = 'breaker-open') AS spared,
      max(CASE WHEN outcome = 'breaker-open' THEN at_ms END) AS spared_at_ms
    FROM tried GROUP BY provider, model),
  answered AS (
    SELECT provider, model, total_ms AS ms, 'latency' AS name FROM tried WHERE outcome = 'ok'
    UNION ALL SELECT provider, model, ttft_ms, 'ttft' FROM tried WHERE ttft_ms IS NOT NULL),
  ranked AS (
    SELECT provider, model, name, ms, row_number() OVER (PARTITION BY provider, model, name ORDER BY ms) AS place,
      count(*) OVER (PARTITION BY provider, model, name) AS of
    FROM answered),
  quantiles AS (
    SELECT provider, model, min(CASE WHEN name = 'latency' AND place * 2 >= of THEN ms END) AS latency_p50_ms,
      min(CASE WHEN name = 'latency' AND place * 20 >= of * 19 THEN ms END) AS latency_p95_ms,
      min(CASE WHEN name = 'ttft' AND place * 2 >= of THEN ms END) AS ttft_p50_ms,
      min(CASE WHEN name = 'ttft' AND place * 20 >= of * 19 THEN ms END) AS ttft_p95_ms
    FROM ranked GROUP BY provider, model),
  causes AS (
    SELECT provider, model, json_group_object(outcome, n) AS failures_by FROM (
      SELECT provider, model, outcome, count(*) AS n FROM tried WHERE outcome NOT IN ('ok', 'stopped', 'hedge-lost', 'breaker-open')
      GROUP BY provider, model, outcome ORDER BY n DESC, outcome)
    GROUP BY provider, model)
  SELECT json_object('turns', (SELECT count(*) FROM recent), 'is_complete', json(CASE WHEN (SELECT count(*) FROM recent) < ?2 THEN 'true' ELSE 'false' END),
    'oldest_at', (SELECT strftime('%Y-%m-%dT%H:%M:%fZ', min(accepted_at_ms) / 1000.0, 'unixepoch') FROM recent),
    'providers', (SELECT json_group_array(json_object('provider', provider, 'model', model, 'attempts', attempts, 'failures', failures,
        'error_rate', failures * 1.0 / nullif(attempts, 0), 'failures_by', json(coalesce(failures_by, '{}')),
        'fallback_share', fallbacks * 1.0 / nullif(attempts, 0), 'latency_p50_ms', latency_p50_ms, 'latency_p95_ms', latency_p95_ms,
        'ttft_p50_ms', ttft_p50_ms, 'ttft_p95_ms', ttft_p95_ms,
        'breaker', json_object('spared', spared, 'share', spared * 1.0 / nullif(attempts + spared, 0),
          'last_at', strftime('%Y-%m-%dT%H:%M:%fZ', spared_at_ms / 1000.0, 'unixepoch'))))
      FROM (SELECT * FROM counted LEFT JOIN quantiles USING (provider, model) LEFT JOIN causes USING (provider, model)
            ORDER BY attempts DESC, provider, model))) AS text";

/// Attempts of the last `hours`, of the newest [`TURNS`] turns.
pub(crate) async fn providers(db: &D1Database, hours: u32, now_ms: u64) -> Result<String, ApiError> {
    let from_ms = now_ms.saturating_sub(u64::from(hours) * HOUR_MS);
    let found = db
        .prepare(FIGURES)
        .bind(&[integer(from_ms), integer(TURNS)])?
        .all()
        .await?;
    let figures = text(Some(&found))?;
    let rest = figures.strip_prefix('{').unwrap_or_default();
    Ok(format!(
        r#"{{"hours":{hours},"from":"{}","at":"{}",{rest}"#,
        rfc3339(from_ms),
        rfc3339(now_ms)
    ))
}
