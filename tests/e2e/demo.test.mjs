// The demo's story on workerd: what was sent is what the figures say, and told again it changes nothing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Chance } from "../../tools/demo/chance.mjs";
import { fill, newStory } from "../../tools/demo/fill.mjs";
import { costMicros } from "../../tools/demo/prices.mjs";
import { startStack, until as waitUntil } from "../stack.mjs";

const DAYS = 3, PERSONS = 60;
const until = Date.parse(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`) - 1;
let stack, door, story, sent, kept;

before(async () => {
  stack = await startStack();
  const { BUDGETS } = await stack.adminWorker.getEnv();
  const shared = BUDGETS.get(BUDGETS.idFromName("shared"));
  const admins = { ada: stack.admin("ada"), grace: stack.admin("grace") };
  door = {
    queue: (await stack.chat.getEnv()).EVENTS,
    rows: stack.rows,
    cron: (cron, atMs) => stack.adminWorker.scheduled({ cron, scheduledTime: new Date(atMs) }),
    budget: async (method, path, body) => (await shared.fetch(`https://object${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) })).json(),
    ask: (who, ...wish) => admins[who].ask(...wish),
  };
  story = newStory({ days: DAYS, persons: PERSONS, now: until });
  sent = await fill(door, story, { until, keep: (told) => { kept = JSON.stringify(told); } });
  await waitUntil("the dead letters", async () => (await stack.rows("SELECT count(*) AS n FROM dead_letters"))[0].n === 3);
});
after(() => stack?.close());

const turns = () => sent.filter(({ type }) => type === "turn").map(({ event }) => event);
const dayOf = (atMs) => new Date(atMs).toISOString().slice(0, 10);
const TABLES = ["sessions", "turn_events", "feedback", "gold_daily", "gold_sums", "safety_referrals", "dead_letters", "audit_log", "variants", "pending_changes"];
const everything = async () => JSON.stringify(await Promise.all(TABLES.map((table) => stack.rows(`SELECT * FROM ${table} ORDER BY 1, 2, 3`))));

test("gold counts what was sent, for each variant and day", async () => {
  assert.ok(turns().length > 100, `${turns().length} turns`);
  const inCrisis = new Set(turns().filter((event) => event.crisis_override).map((event) => `${event.session_id} ${dayOf(event.accepted_at_ms)}`));
  const expected = new Map();
  const add = (key, { cost_micros, session_id }, counts) => {
    const row = expected.get(key) ?? { turns: 0, cost_micros: 0, sessions: new Set() };
    row.sessions.add(session_id);
    if (counts) { row.turns += 1; row.cost_micros += cost_micros; }
    expected.set(key, row);
  };
  for (const event of turns()) {
    const day = dayOf(event.accepted_at_ms);
    add(`${day} PRODUCT ${event.product}`, event, true);
    // A session with a crisis leaves its variants' figures; a crisis itself is no variant's.
    for (const [category, id] of event.crisis_override ? [] : Object.entries(event.variants)) add(`${day} ${category} ${id}`, event, !inCrisis.has(`${event.session_id} ${day}`));
  }
  const rows = await stack.rows("SELECT day, category, variant, turns, cost_micros, sessions FROM gold_daily");
  const found = Object.fromEntries(rows.map(({ day, category, variant, ...figures }) => [`${day} ${category} ${variant}`, figures]));
  assert.deepEqual(found, Object.fromEntries([...expected].map(([key, row]) => [key, { turns: row.turns, cost_micros: row.cost_micros, sessions: row.sessions.size }])));
  const [{ ratings }] = await stack.rows("SELECT sum(ratings) AS ratings FROM gold_daily WHERE category = 'PRODUCT'");
  assert.equal(ratings, sent.filter(({ type }) => type === "feedback").length);
});

test("everybody has what the registry says they have, and nobody beyond a share", async () => {
  const last = new Map(turns().filter((event) => !event.crisis_override).map((event) => [event.person_id, event]));
  const [person, event] = [...last].find(([, { reasons }]) => Object.keys(reasons).length > 0);
  const { explanations } = (await stack.admin("ada").get(`/explain?person_id=${person}`)).body;
  for (const { explanation: { category, variant, reason } } of explanations) {
    if (category === "COMPOSE_POSITION") continue;
    assert.equal(event.variants[category], variant);
    assert.equal(event.reasons[category] ?? "default", reason);
  }
  assert.ok(turns().every(({ variants }) => Object.keys(variants).length === 12));
});

test("the dashboard has something to show: experiments, changes that wait, letters, a budget with spending", async () => {
  const ada = stack.admin("ada");
  const { body: simplified } = await ada.get("/variants/CHAT_UI_LAYOUT/simplified");
  assert.deepEqual([simplified.status, simplified.rollout_percent], ["staged", 20]);
  const { changes } = (await ada.get("/changes?state=waiting")).body;
  assert.deepEqual(changes.map(({ author, command }) => [author, command.action]).toSorted(), [["ada@example.org", "promote"], ["grace@example.org", "rollout"]]);
  const actions = (await ada.get("/audit")).body.entries.map(({ action }) => action);
  for (const action of ["rollout", "create", "edit", "demote", "promote.requested"]) assert.ok(actions.includes(action), action);
  assert.equal((await ada.get("/dead-letters")).body.waiting, 3);
  assert.equal((await ada.get("/audit/verify")).body.holds, true);
  const { budgets } = (await ada.get("/metrics/costs?days=7")).body;
  const month = new Date().toISOString().slice(0, 7);
  const spent = turns().filter((event) => dayOf(event.accepted_at_ms).startsWith(month)).reduce((sum, event) => sum + event.cost_micros, 0);
  const charged = budgets.find(({ name }) => name === "month");
  assert.equal(charged.spent_micros, spent);
  assert.ok(charged.limit_micros > spent && charged.limit_micros < Math.max(4e6, 3 * spent));
});

test("told again, it changes nothing, also where the first run was cut off before it remembered what it did", async () => {
  const before = await everything();
  const charged = JSON.stringify(await door.budget("GET", "/accounts"));
  for (const forgotten of [{}, { hasBegun: false, hasDemoted: false, hasEnded: false }]) {
    const again = await fill(door, { ...JSON.parse(kept), ...forgotten }, { until });
    assert.deepEqual(again, sent);
    assert.equal(await everything(), before);
    assert.equal(JSON.stringify(await door.budget("GET", "/accounts")), charged);
  }
});

test("the next day goes on where it ended", async () => {
  const later = until + 86_400_000;
  const more = await fill(door, JSON.parse(kept), { until: later });
  assert.deepEqual(more.slice(0, 50), sent.slice(0, 50));
  const count = (list) => list.filter(({ type }) => type === "turn").length;
  assert.ok(count(more) > count(sent));
  assert.equal((await stack.rows("SELECT count(*) AS n FROM turn_events"))[0].n, count(more));
  assert.equal((await stack.rows("SELECT sum(turns) AS n FROM gold_daily WHERE category = 'PRODUCT'"))[0].n, count(more));
});

test("chance is the same everywhere, and prices are those of the list", () => {
  // FNV-1a and MurmurHash3's finalizer, worked out by another program (Python), which has their published vectors right.
  const chance = new Chance("a name");
  assert.deepEqual([chance.next(), chance.next(), chance.next()], [1801244808, 2656072706, 3669907598]);
  // shared/core/src/pricing.rs, `known_costs` and `what_comes_from_the_cache_is_cheaper`.
  assert.equal(costMicros("claude-sonnet-4-6", { input_tokens: 1_000_000, output_tokens: 0 }, "2026-11-21"), 3_000_000);
  assert.equal(costMicros("gpt-4o-2024-11-20", { input_tokens: 1_000, output_tokens: 100 }, "2026-11-21"), 3_500);
  assert.equal(costMicros("gpt-4o-mini", { input_tokens: 1_000, output_tokens: 0, cached_input_tokens: 500 }, "2026-11-21"), 113);
  assert.equal(costMicros("smollm2", { input_tokens: 1, output_tokens: 1 }, "2026-11-21"), null);
});
