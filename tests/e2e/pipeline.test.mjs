// From the queue to the dashboard's figures, on workerd: bronze, silver and gold agree, whatever comes late, twice, or is erased.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { python } from "../../scripts/python.mjs";
import { DAY_MS, dayOf, people, ulid } from "../events.mjs";
import { root, startStack, until } from "../stack.mjs";

const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS;
const DAYS = [midnight - 10 * DAY_MS, midnight - 9 * DAY_MS, midnight - 4 * DAY_MS, midnight - 3 * DAY_MS];
const execute = promisify(execFile);
let stack, ada, bucket, queue, messages, interpreter;

before(async () => {
  // First: installing it stops this process for a while, and with it the stack's connections.
  interpreter = await python();
  stack = await startStack();
  ada = stack.admin("ada");
  bucket = (await stack.adminWorker.getEnv()).BUCKET;
  queue = (await stack.chat.getEnv()).EVENTS;
  const crowd = people(7);
  messages = DAYS.flatMap((start) => Array.from({ length: 40 }, () => crowd.next(start + Math.floor(crowd.random() * 80_000_000))).flat());
});
after(() => stack?.close());

const ok = (answer, status = 200) => {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
};
const send = async (list) => {
  for (let at = 0; at < list.length; at += 50) await queue.sendBatch(list.slice(at, at + 50).map((message) => ({ body: typeof message === "string" ? message : JSON.stringify(message), contentType: "json" })));
};
const turnsOf = (list) => list.filter(({ type }) => type === "turn");
const count = async (table, where = "true", ...bindings) => (await stack.rows(`SELECT count(*) AS n FROM ${table} WHERE ${where}`, ...bindings))[0].n;
const tick = (at = Date.now()) => stack.adminWorker.scheduled({ cron: "*/5 * * * *", scheduledTime: new Date(at) });
const night = (at = Date.now()) => stack.adminWorker.scheduled({ cron: "0 3 * * *", scheduledTime: new Date(at) });
const gold = async (where = "true", ...bindings) => JSON.stringify([
  await stack.rows(`SELECT * FROM gold_daily WHERE ${where} ORDER BY day, category, variant`, ...bindings),
  await stack.rows(`SELECT * FROM gold_sums WHERE ${where} ORDER BY day, category, variant`, ...bindings),
]);
const keys = async (prefix) => {
  const found = [];
  for (let cursor; ;) {
    const page = await bucket.list({ prefix, cursor });
    found.push(...page.objects.map(({ key }) => key));
    if (!page.truncated) return found;
    cursor = page.cursor;
  }
};
const bytes = async (key) => Buffer.from(await (await bucket.get(key)).arrayBuffer());
const bronzeIds = async () => (await Promise.all((await keys("bronze/")).map(bytes))).flatMap((body) => gunzipSync(body).toString().trim().split("\n").map((line) => JSON.parse(line))).map((line) => line.event?.event_id ?? line.event_id);
const arrived = (list) => until("the messages", async () => {
  const ratings = list.filter(({ type }) => type === "feedback").length;
  return await count("turn_events") >= turnsOf(list).length && await count("feedback") >= ratings && (await bronzeIds()).length >= turnsOf(list).length + ratings;
}, { timeout: 60_000, every: 500 });

/** What DuckDB makes of the bucket. */
async function duckdb() {
  const folder = mkdtempSync(join(tmpdir(), "silent-pipeline-"));
  try {
    for (const key of [...await keys("bronze/"), ...await keys("silver/")]) {
      mkdirSync(dirname(join(folder, key)), { recursive: true });
      writeFileSync(join(folder, key), await bytes(key));
    }
    const { stdout } = await execute(interpreter, [join(root, "tests/python/pipeline.py"), folder], { maxBuffer: 1 << 28 });
    return JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function agrees() {
  const seen = await duckdb();
  const rows = await stack.rows("SELECT * FROM gold_daily ORDER BY day, category, variant");
  const name = ({ day, category, variant }) => `${day} ${category} ${variant}`;
  for (const layer of ["bronze", "silver"]) {
    assert.deepEqual(seen[layer].map(name).toSorted(), rows.map(name).toSorted(), layer);
    const expected = new Map(seen[layer].map((row) => [name(row), row]));
    for (const row of rows) {
      const other = expected.get(name(row));
      for (const field of ["sessions", "crisis_sessions", "persons", "turns", "errors", "tokens_in", "tokens_out", "cost_micros", "priced_turns", "ratings", "returned"]) {
        assert.equal(row[field], other[field], `${layer} ${name(row)} ${field}`);
      }
      for (const field of ["latency_p50_ms", "latency_p95_ms", "ttft_p50_ms", "ttft_p95_ms"]) {
        if (other[field] === null) assert.equal(row[field], null);
        else assert.ok(Math.abs(row[field] - other[field]) <= other[field] / 128, `${layer} ${name(row)} ${field}: ${row[field]}, ${other[field]}`);
      }
      // A session's mean is kept in millionths.
      if (other.satisfaction === null) assert.equal(row.satisfaction, null);
      else assert.ok(Math.abs(row.satisfaction - other.satisfaction) < 1e-6, `${layer} ${name(row)} satisfaction`);
    }
  }
  assert.equal(seen.duplicates, 0);
  return seen;
}

test("what the queue brings is in D1 and in bronze, by the hour of its turn, without what was said", async () => {
  await send(messages);
  await arrived(messages);
  const all = await keys("bronze/");
  for (const key of all) {
    const [, day, hour] = /^bronze\/dt=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\/ses_\w+-\d+-[0-9a-f]{16}\.ndjson\.gz$/.exec(key);
    const text = gunzipSync(await bytes(key)).toString();
    assert.ok(!text.includes("sealed"), key);
    for (const line of text.trim().split("\n").map((one) => JSON.parse(one))) {
      assert.equal(new Date(line.event?.accepted_at_ms ?? line.turn_at_ms).toISOString().slice(0, 13), `${day}T${hour}`);
    }
  }
  assert.equal(new Set(await bronzeIds()).size, turnsOf(messages).length);
});

test("a night closes its days: gold, silver, and DuckDB agrees with both layers", async () => {
  assert.equal(await count("gold_daily"), 0);
  await night();
  assert.deepEqual(await stack.rows("SELECT DISTINCT day FROM gold_daily ORDER BY day").then((rows) => rows.map(({ day }) => day)),
    await stack.rows("SELECT DISTINCT date(accepted_at_ms / 1000, 'unixepoch') AS day FROM turn_events ORDER BY day").then((rows) => rows.map(({ day }) => day)));
  assert.deepEqual(await stack.rows("SELECT step, attempts, error FROM jobs WHERE finished_at_ms IS NULL"), []);
  assert.equal(await count("dirty_days"), 0);
  const { types } = await agrees();
  assert.deepEqual([types.event_id, types.accepted_at, types.cost_micros, types.crisis_override, types.llm_model], ["VARCHAR", "TIMESTAMP WITH TIME ZONE", "BIGINT", "BOOLEAN", "VARCHAR"]);
  assert.ok((await stack.rows("SELECT sum(returned) AS n FROM gold_daily"))[0].n > 0 && (await stack.rows("SELECT sum(crisis_sessions) AS n FROM gold_daily"))[0].n > 0);
});

test("what is delivered again changes nothing, in any order", async () => {
  const was = await gold();
  await send(messages.toReversed());
  await until("the second delivery", async () => (await bronzeIds()).length >= 2 * turnsOf(messages).length, { timeout: 60_000, every: 500 });
  assert.equal(await count("turn_events"), turnsOf(messages).length);
  assert.equal(await count("dirty_days"), 0);
  await night(Date.now() + DAY_MS);
  assert.equal(await gold(), was);
  await agrees();
});

test("gold rebuilt from bronze is the same, byte for byte", async () => {
  const was = await gold();
  await stack.rows("DELETE FROM gold_daily");
  await stack.rows("DELETE FROM gold_sums");
  const days = (await stack.rows("SELECT min(day) AS a, max(day) AS b FROM session_days"))[0];
  ok(await ada.post("/metrics/rebuild", { from: days.a, to: days.b, reason: "the test lost its gold" }), 202);
  await tick();
  assert.equal(await gold(), was);
  assert.equal(await count("dirty_days"), 0);
  assert.equal((await ada.post("/metrics/rebuild", { from: days.b, to: days.a, reason: "the wrong way round" })).status, 400);
});

test("a late event touches its own day, and whom it shows to have returned", async () => {
  const late = structuredClone(turnsOf(messages).find(({ event }) => dayOf(event.accepted_at_ms) === dayOf(DAYS[2])));
  Object.assign(late.event, { event_id: `${late.event.session_id}:90`, seq: 90, total_ms: 77_777 });
  const [day, others] = [dayOf(DAYS[2]), await gold("day <> ?", dayOf(DAYS[2]))];
  const was = await gold("day = ?", day);
  await send([late]);
  await until("the late event", () => count("turn_events", "event_id = ?", late.event.event_id));
  assert.deepEqual(await stack.rows("SELECT layer, day FROM dirty_days"), [{ layer: "gold", day }]);
  await tick();
  assert.notEqual(await gold("day = ?", day), was);
  assert.equal(await gold("day <> ?", day), others);
  messages.push(late);
});

test("nothing of an erased person is left after the night, and a late event of theirs does not come back", async () => {
  const person = turnsOf(messages).find(({ event }) => dayOf(event.accepted_at_ms) === dayOf(DAYS[0])).event.person_id;
  const theirs = messages.filter((message) => (message.event ?? message).person_id === person);
  await send([{ type: "erase_person", person_id: person, at_ms: Date.now() }]);
  await until("the erasure", async () => (await count("erasures", "subject = ?", person)) === 1);
  await send(theirs);
  for (const table of ["sessions", "turn_events", "feedback", "safety_events", "session_days"]) assert.equal(await count(table, "person_id = ?", person), 0, table);
  assert.ok(await count("bronze_erasures", "subject = ?", person) > 0);
  await night(Date.now() + 2 * DAY_MS);
  for (const key of [...await keys("bronze/"), ...await keys("silver/")]) {
    const body = await bytes(key);
    const text = key.endsWith(".gz") ? gunzipSync(body) : body;
    assert.ok(!text.includes(person) && !theirs.some(({ session_id }) => session_id && text.includes(session_id)), key);
  }
  // The mark stays for an hour, for a batch that was cut off between its object and its check.
  assert.ok(await count("bronze_erasures") > 0);
  await stack.rows("UPDATE bronze_erasures SET at_ms = at_ms - 7200000");
  await night(Date.now() + 3 * DAY_MS);
  assert.equal(await count("bronze_erasures"), 0);
  assert.equal(await count("turn_events", "person_id = ?", person), 0);
  await agrees();
  const incremental = await gold();
  const days = (await stack.rows("SELECT min(day) AS a, max(day) AS b FROM session_days"))[0];
  ok(await ada.post("/metrics/rebuild", { from: days.a, to: days.b, reason: "after the erasure" }), 202);
  await tick();
  assert.equal(await gold(), incremental);
});

test("an erased session goes, the person's others stay", async () => {
  const [{ person_id: person, session_id: session }] = await stack.rows("SELECT person_id, min(session_id) AS session_id FROM session_days GROUP BY person_id HAVING count(DISTINCT session_id) > 1 LIMIT 1");
  const others = await count("turn_events", "person_id = ? AND session_id <> ?", person, session);
  await send([{ type: "erase_session", session_id: session, at_ms: Date.now() }]);
  await until("the erasure", async () => (await count("turn_events", "session_id = ?", session)) === 0);
  assert.equal(await count("session_days", "session_id = ?", session), 0);
  assert.ok(await count("session_days", "person_id = ?", person) > 0);
  assert.equal(await count("turn_events", "person_id = ?", person), others);
  await night(Date.now() + 4 * DAY_MS);
  assert.ok(!(await bronzeIds()).some((id) => id.startsWith(session)));
  await agrees();
});

test("the night leaves the audit log's end in the bucket and forgets old idempotency keys", async () => {
  await stack.rows("UPDATE idempotency_keys SET at_ms = 1 WHERE rowid = (SELECT min(rowid) FROM idempotency_keys)");
  const before = await count("idempotency_keys");
  await night(Date.now() + 5 * DAY_MS);
  assert.equal(await count("idempotency_keys"), before - 1);
  const anchor = JSON.parse(await bytes(`anchors/dt=${dayOf(Date.now() + 5 * DAY_MS)}/audit.json`));
  const [end] = await stack.rows("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1");
  assert.deepEqual([anchor.seq, anchor.hash], [end.seq, end.hash]);
});

test("a step that fails is tried again by the next run, and the others are done", async () => {
  const at = Date.now() + 6 * DAY_MS;
  await stack.rows("ALTER TABLE idempotency_keys RENAME TO idempotency_keys_away");
  await night(at);
  const [failed] = await stack.rows("SELECT step, attempts, error FROM jobs WHERE finished_at_ms IS NULL");
  assert.deepEqual([failed.step, failed.attempts], ["prune", 1]);
  assert.match(failed.error, /no such table/);
  await stack.rows("ALTER TABLE idempotency_keys_away RENAME TO idempotency_keys");
  await tick(at);
  assert.deepEqual(await stack.rows("SELECT attempts, error FROM jobs WHERE step = 'prune' AND day = ? AND finished_at_ms IS NOT NULL", dayOf(at)), [{ attempts: 2, error: null }]);
});

test("what cannot be stored is kept, listed, and stored after all", async () => {
  const good = structuredClone(turnsOf(messages)[5]);
  const id = ulid("ses_", midnight - 3 * DAY_MS, people(99).random);
  Object.assign(good.event, { event_id: `${id}:1`, session_id: id, seq: 1, person_id: ulid("per_", midnight - 3 * DAY_MS, people(98).random) });
  const wrong = { ...good, event: { ...good.event, event_id: `${id}:2`, seq: 2, crisis_level: 9 } };
  await send(["not of the format", JSON.stringify(wrong)]);
  const list = async (query = "") => ok(await ada.get(`/dead-letters${query}`));
  const { dead_letters: letters } = await until("both letters", async () => { const found = await list(); return found.waiting === 2 && found; });
  const poison = letters.find(({ error }) => error.startsWith("not of the format"));
  const broken = letters.find(({ error }) => /CONSTRAINT/.test(error));
  assert.equal(ok(await ada.get(`/dead-letters/${poison.id}`)).body, "not of the format");
  // Somebody mends the body: what was refused is taken now.
  await stack.rows("UPDATE dead_letters SET body = ? WHERE id = ?", JSON.stringify(good), broken.id);
  const wish = { reason: "it was mended" };
  assert.equal((await ada.post("/dead-letters/dlm_0/replay", wish)).status, 404);
  assert.equal((await ada.post(`/dead-letters/${broken.id}/replay`, {})).status, 400);
  const asked = await ada.post(`/dead-letters/${broken.id}/replay`, wish, { "idempotency-key": "mend" });
  assert.equal(ok(asked, 202).dead_letter, broken.id);
  assert.deepEqual(ok(await ada.post(`/dead-letters/${broken.id}/replay`, wish, { "idempotency-key": "mend" }), 202), asked.body);
  assert.equal(await count("turn_events", "event_id = ?", `${id}:1`), 1);
  assert.ok((await bronzeIds()).includes(`${id}:1`));
  assert.notEqual(ok(await ada.get(`/dead-letters/${broken.id}`)).replayed_at, null);
  assert.deepEqual((await list("?replayed=false")).dead_letters.map(({ id: one }) => one), [poison.id]);
  ok(await ada.post("/dead-letter-replays", wish), 202);
  const still = ok(await ada.get(`/dead-letters/${poison.id}`));
  assert.deepEqual([still.replayed_at, still.wanted_at], [null, null]);
  assert.deepEqual(ok(await ada.get("/audit?action=dead-letter.replay")).entries.map(({ subject }) => subject), ["", broken.id]);
});

test("the dashboard's figures are those of gold", async () => {
  await tick();
  const overview = ok(await ada.get("/metrics/overview?days=12"));
  assert.deepEqual([overview.days.length, overview.days.at(-1)], [12, dayOf(Date.now())]);
  const rows = await stack.rows("SELECT * FROM gold_daily WHERE category <> 'PRODUCT' AND day >= ? ORDER BY category, variant, day", overview.days[0]);
  assert.equal(overview.variants.reduce((sum, { days }) => sum + days.length, 0), rows.length);
  const sonnet = overview.variants.find(({ category, id }) => category === "LLM_MODEL" && id === "claude-sonnet-4-6");
  assert.equal(sonnet.status, "production");
  const [row] = rows.filter(({ category, variant }) => category === "LLM_MODEL" && variant === "claude-sonnet-4-6");
  const day = sonnet.days[0];
  assert.deepEqual([day.day, day.turns, day.latency_p95_ms, day.return_rate, day.error_rate, day.cost_per_turn_micros],
    [row.day, row.turns, row.latency_p95_ms, row.returned / row.persons, row.errors / row.turns, row.cost_micros / row.priced_turns]);
  const products = await stack.rows("SELECT sum(turns) AS turns, sum(cost_micros) AS cost FROM gold_daily WHERE category = 'PRODUCT' AND day >= ?", overview.days[0]);
  assert.deepEqual([overview.total.turns, overview.total.cost_micros], [products[0].turns, products[0].cost]);
  const one = ok(await ada.get("/metrics/overview?category=LLM_MODEL&days=12"));
  assert.deepEqual(new Set(one.variants.map(({ category }) => category)), new Set(["LLM_MODEL"]));
  const series = ok(await ada.get("/metrics/series?category=LLM_MODEL&id=claude-sonnet-4-6&days=12"));
  assert.deepEqual(series.days, sonnet.days);
  assert.equal(series.total.turns, sonnet.days.reduce((sum, { turns }) => sum + turns, 0));
  assert.deepEqual(ok(await ada.get("/metrics/series?category=LLM_MODEL&id=claude-opus-4-7")).days, []);
  assert.equal((await ada.get("/metrics/series?category=LLM_MODEL&id=nobody")).status, 404);
  for (const path of ["/metrics/overview?days=0", "/metrics/overview?days=367", "/metrics/series?category=LLM_MODEL", "/metrics/overview?colour=red"]) assert.equal((await ada.get(path)).status, 400, path);
  const costs = ok(await ada.get("/metrics/costs?days=12")).days;
  assert.equal(costs.reduce((sum, { cost_micros }) => sum + cost_micros, 0), products[0].cost);
});

test("two variants are compared over a range", async () => {
  const path = (query) => `/metrics/compare?category=LLM_MODEL&control=claude-sonnet-4-6&treatment=claude-haiku-4-5&${query}`;
  const found = ok(await ada.get(path(`from=${dayOf(DAYS[0])}&to=${dayOf(Date.now())}&planned=2000`)));
  assert.deepEqual(found.arms.map(({ role, id }) => [role, id]), [["control", "claude-sonnet-4-6"], ["treatment", "claude-haiku-4-5"]]);
  const sums = await stack.rows("SELECT variant, sum(sessions) AS sessions, sum(turns) AS turns FROM gold_daily WHERE category = 'LLM_MODEL' GROUP BY variant");
  for (const arm of found.arms) assert.deepEqual([arm.sessions, arm.turns], Object.values(sums.find(({ variant }) => variant === arm.id)).slice(1));
  assert.deepEqual(found.gates.map(({ name }) => name), ["latency_p95", "crisis_detection", "satisfaction", "cost_per_turn"]);
  const cost = found.tests.find(({ metric }) => metric === "cost_per_turn_micros");
  assert.ok(Math.abs(cost.estimate - (found.arms[1].cost_per_turn_micros - found.arms[0].cost_per_turn_micros)) < 1e-6);
  assert.ok(cost.fixed.low < cost.estimate && cost.always_valid.low < cost.fixed.low);
  assert.equal(found.decision.promote, false);
  for (const query of ["from=2026-02-30&to=2026-03-01", "from=2026-03-02&to=2026-03-01", "from=2024-01-01&to=2026-01-01", "from=2026-03-01&to=2026-03-02&planned=0"]) {
    assert.equal((await ada.get(path(query))).status, 400, query);
  }
});

test("live counts, crisis levels and regions", async () => {
  const crowd = people(11, { turns: [3, 4] });
  const now = crowd.next(Date.now() - 200_000);
  await send(now);
  await until("the turns of now", () => count("turn_events", "session_id = ?", now[0].session_id));
  await tick();
  const live = ok(await ada.get("/metrics/live"));
  assert.equal(live.minutes.length, 60);
  assert.equal(live.minutes.reduce((sum, { turns }) => sum + turns, 0), turnsOf(now).length);
  assert.ok(live.today.turns >= turnsOf(now).filter(({ event }) => event.accepted_at_ms >= midnight).length);
  const safety = ok(await ada.get("/metrics/safety?days=12"));
  assert.equal(safety.days.length, 12);
  const [{ n }] = await stack.rows("SELECT sum(turns) AS n FROM safety_referrals");
  assert.equal(safety.days.reduce((sum, { levels }) => sum + levels[1] + levels[2] + levels[3] + levels[4], 0), n);
  assert.equal(safety.regions.reduce((sum, { turns }) => sum + turns, 0), n);
});
