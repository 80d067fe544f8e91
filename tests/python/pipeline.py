"""Rolls bronze and silver up with DuckDB, by the rules of docs/pipeline.md; prints one JSON object: rows by layer.

Usage: pipeline.py FOLDER, with FOLDER/bronze and FOLDER/silver as in the bucket.
"""
import json
import sys

import duckdb

folder = sys.argv[1]
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
CATEGORIES = """LLM_MODEL SYSTEM_PROMPT CHAT_UI_LAYOUT COMPOSE_POSITION GHOST_CHAR_STYLE RATING_VARIANT VOICE_PROVIDER VOICE_LLM
STARTER_POOL_SIZE TOPIC_HIERARCHY MANDALA_FACE PRICING_TIER_STRUCTURE""".split()

db.execute(f"""
CREATE TABLE lines AS SELECT * FROM read_json('{folder}/bronze/*/*/*.ndjson.gz', format = 'newline_delimited',
  columns = {{record: 'VARCHAR', event: 'JSON', event_id: 'VARCHAR', satisfaction_milli: 'BIGINT', at_ms: 'BIGINT', turn_at_ms: 'BIGINT'}});
CREATE TABLE bronze_turns AS SELECT DISTINCT ON (event ->> 'event_id') event ->> 'event_id' AS event_id, event ->> 'session_id' AS session_id,
  event ->> 'person_id' AS person_id, (event ->> 'accepted_at_ms')::BIGINT AS accepted_at_ms, event ->> 'product' AS product,
  event ->> 'status' AS status, (event ->> 'crisis_override')::BOOLEAN AS crisis_override, (event ->> 'total_ms')::BIGINT AS total_ms,
  (event ->> 'ttft_ms')::BIGINT AS ttft_ms, (event -> 'usage' ->> 'input_tokens')::BIGINT AS tokens_in,
  (event -> 'usage' ->> 'output_tokens')::BIGINT AS tokens_out, (event ->> 'cost_micros')::BIGINT AS cost_micros, event
FROM lines WHERE record = 'turn';
CREATE TABLE ratings AS SELECT event_id, last(satisfaction_milli ORDER BY at_ms, satisfaction_milli) AS satisfaction_milli
FROM lines WHERE record = 'feedback' GROUP BY event_id;
CREATE TABLE silver_turns AS SELECT *, epoch_ms(accepted_at) AS accepted_at_ms FROM read_parquet('{folder}/silver/*/turns.parquet');
""")
COMMON = "event_id, session_id, person_id, accepted_at_ms, product, status, crisis_override, total_ms, ttft_ms, tokens_in, tokens_out, cost_micros"
from_bronze = " UNION ALL ".join(
    f"SELECT {COMMON}, satisfaction_milli, '{name}' AS category, event -> 'variants' ->> '{name}' AS variant, event -> 'reasons' ->> '{name}' AS reason"
    " FROM bronze_turns LEFT JOIN ratings USING (event_id)" for name in CATEGORIES)
from_silver = " UNION ALL ".join(
    f"SELECT {COMMON}, satisfaction_milli, '{name}' AS category, {name} AS variant, {name}_reason AS reason FROM silver_turns" for name in CATEGORIES)


def rolled_up(source, table, ratings):
    db.execute(f"""CREATE OR REPLACE TEMP TABLE parts AS SELECT *, strftime(make_timestamp(accepted_at_ms * 1000), '%Y-%m-%d') AS day FROM (
      {source} UNION ALL SELECT {COMMON}, satisfaction_milli, 'PRODUCT', product, NULL FROM {table} {ratings})""")
    db.execute("CREATE OR REPLACE TEMP TABLE crises AS SELECT DISTINCT day, session_id FROM parts WHERE crisis_override")
    db.execute("CREATE OR REPLACE TEMP TABLE there AS SELECT DISTINCT person_id, day FROM parts")
    db.execute("""CREATE OR REPLACE TEMP TABLE counted AS SELECT p.*, c.session_id IS NOT NULL AS in_crisis FROM parts p
      LEFT JOIN crises c USING (day, session_id)
      WHERE variant IS NOT NULL AND (category = 'PRODUCT' OR (NOT crisis_override AND coalesce(reason, '') NOT IN ('override', 'withdrawn', 'degraded')))""")
    kept = "(NOT in_crisis OR category = 'PRODUCT')"
    answered = f"{kept} AND NOT crisis_override"
    found = db.execute(f"""
      WITH sums AS (SELECT day, category, variant,
          count(DISTINCT session_id) AS sessions, count(DISTINCT session_id) FILTER (WHERE in_crisis) AS crisis_sessions,
          count(DISTINCT person_id) AS persons, count(*) FILTER (WHERE {kept}) AS turns,
          count(*) FILTER (WHERE {kept} AND status IN ('failed', 'interrupted')) AS errors,
          coalesce(sum(tokens_in) FILTER (WHERE {kept}), 0)::BIGINT AS tokens_in, coalesce(sum(tokens_out) FILTER (WHERE {kept}), 0)::BIGINT AS tokens_out,
          coalesce(sum(cost_micros) FILTER (WHERE {kept}), 0)::BIGINT AS cost_micros, count(cost_micros) FILTER (WHERE {kept}) AS priced_turns,
          count(satisfaction_milli) FILTER (WHERE {kept}) AS ratings,
          quantile_disc(total_ms, 0.5) FILTER (WHERE {answered} AND status = 'done') AS latency_p50_ms,
          quantile_disc(total_ms, 0.95) FILTER (WHERE {answered} AND status = 'done') AS latency_p95_ms,
          quantile_disc(ttft_ms, 0.5) FILTER (WHERE {answered}) AS ttft_p50_ms, quantile_disc(ttft_ms, 0.95) FILTER (WHERE {answered}) AS ttft_p95_ms
        FROM counted GROUP BY ALL),
      means AS (SELECT day, category, variant, avg(mean) AS satisfaction FROM (
        SELECT day, category, variant, session_id, avg(satisfaction_milli) / 1000 AS mean FROM counted WHERE {kept} AND satisfaction_milli IS NOT NULL GROUP BY ALL)
        GROUP BY ALL),
      back AS (SELECT c.day, c.category, c.variant, count(DISTINCT c.person_id) AS returned FROM counted c JOIN there t
        ON t.person_id = c.person_id AND t.day > c.day AND t.day::DATE <= c.day::DATE + 7 GROUP BY ALL)
      SELECT s.*, m.satisfaction, coalesce(b.returned, 0) AS returned FROM sums s
      LEFT JOIN means m USING (day, category, variant) LEFT JOIN back b USING (day, category, variant) ORDER BY ALL""")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row)) for row in found.fetchall()]


print(json.dumps({
    "bronze": rolled_up(from_bronze, "bronze_turns", "LEFT JOIN ratings USING (event_id)"),
    "silver": rolled_up(from_silver, "silver_turns", ""),
    "types": dict(db.execute("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(?))", [f"{folder}/silver/*/turns.parquet"]).fetchall()),
    "duplicates": db.execute("SELECT count(*) - count(DISTINCT event_id) FROM silver_turns").fetchone()[0],
}))
