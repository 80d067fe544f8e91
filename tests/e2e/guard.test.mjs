// Canaries are taken back within a minute of the event that proves it, and whoever should know is told: signed, again and again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newIssuer, publicKeys } from "../../scripts/issuer.mjs";
import { adminOf, sleep, startStack, until } from "../stack.mjs";
import { experiment, ok, post, receiver, refused } from "./experiment-kit.mjs";

const FACE = ["MANDALA_FACE", "simple-orb"];
const LAYOUT = ["CHAT_UI_LAYOUT", "simplified"];
let hooks, stack, ada, queue;

before(async () => {
  hooks = await receiver();
  const issuer = newIssuer();
  stack = await startStack({ adminSecrets: { ACCESS_DEV_JWKS: JSON.stringify(publicKeys(issuer)), ...hooks.secrets } });
  ada = adminOf(stack.url, issuer)("ada");
  ada.service = adminOf(stack.url, issuer)("ci", { service: true });
  queue = (await stack.chat.getEnv()).EVENTS;
  for (const variant of [FACE, LAYOUT]) ok(await ada.change(...variant, "rollout", { percent: 50, confirm: true }));
});
after(async () => { await stack?.close(); hooks.close(); });

const count = async (table) => (await stack.rows(`SELECT count(*) AS n FROM ${table}`))[0].n;

test("a canary that regresses goes back within a minute of the event that proves it; a healthy one stays", async () => {
  const healthy = experiment(1, "CHAT_UI_LAYOUT", ["current", "simplified"], { count: 300 });
  await post(queue, healthy);
  await until("the healthy one's events", async () => await count("turn_events") >= 600, { timeout: 60_000, every: 300 });
  hooks.fail["/hook"] = 2;
  const messages = experiment(2, "MANDALA_FACE", ["on", "simple-orb"], { count: 300, change: () => ({ cost_micros: 2_500 }) });
  await post(queue, messages);
  const posted = Date.now();
  await until("the demotion", async () => (await ada.variant(...FACE)).status === "experimental", { timeout: 60_000, every: 200 });
  const took = Date.now() - posted;
  console.log(`  demoted ${(took / 1000).toFixed(1)} s after the last event was posted`);
  assert.ok(took < 60_000);
  const demoted = await ada.variant(...FACE);
  assert.deepEqual([demoted.status, demoted.rollout_percent], ["experimental", 0]);

  const [entry] = ok(await ada.get("/audit?actor=system:guard")).entries;
  assert.deepEqual([entry.action, entry.subject], ["demote", FACE.join("/")]);
  assert.match(entry.reason, /^cost per turn \+14\d\.\d % \(proven \+\d+\.\d %, allowed \+20\.0 %\); \d+ and \d+ sessions$/);
  assert.equal(ok(await ada.get("/audit/verify")).holds, true);

  // Every event was seen by now; the healthy one was watched all the time.
  await until("all events", async () => await count("turn_events") >= 1_200, { timeout: 60_000, every: 300 });
  await sleep(12_000);
  assert.equal((await ada.variant(...LAYOUT)).rollout_percent, 50);
  assert.equal(ok(await ada.get("/audit?actor=system:guard")).entries.length, 1);
});

test("the alert is delivered until it is taken, signed as Standard Webhooks has it, and in Slack's form", async () => {
  await until("the hook", () => hooks.taken("demotion").length === 1, { timeout: 60_000 });
  const tries = hooks.heard.filter(({ path, body }) => path === "/hook" && body.type === "alert.demotion");
  assert.deepEqual(tries.map(({ accepted }) => accepted), [false, false, true]);
  assert.ok(tries[1].at - tries[0].at >= 1_900 && tries[2].at - tries[1].at >= 7_900, "2 s, then 8 s");
  for (const { verified, body } of tries) assert.deepEqual(verified, body);
  assert.equal(new Set(tries.map(({ headers }) => headers["webhook-id"])).size, 1);
  const { data } = tries[2].body;
  assert.equal(data.subject, FACE.join("/"));
  assert.match(data.text, /^MANDALA_FACE\/simple-orb went back to experimental \(demote\): cost per turn/);
  assert.equal(data.detail.actor, "system:guard");

  const [slack] = hooks.taken(undefined, "/slack").filter(({ body }) => body.text.startsWith("MANDALA_FACE"));
  assert.equal(slack.body.blocks[0].type, "section");
  assert.deepEqual(slack.body.blocks[0].text, { type: "mrkdwn", text: slack.body.text });
  assert.equal(slack.headers["webhook-signature"], undefined);

  const { alerts } = ok(await ada.get("/alerts?kind=demotion"));
  assert.equal(alerts.length, 1);
  const states = Object.fromEntries(alerts[0].deliveries.map((one) => [one.channel, [one.state, one.attempts]]));
  assert.deepEqual(states, { slack: ["delivered", 1], webhook: ["delivered", 3] });
  assert.equal(alerts[0].id, tries[0].headers["webhook-id"]);

  // Again, when an admin asks for it; the receiver sees the same id.
  const again = await ada.post(`/alerts/${alerts[0].id}/deliveries`, { reason: "the channel was muted" });
  ok(again, 202);
  await until("it again", () => hooks.taken("demotion").length === 2);
  assert.equal(hooks.taken("demotion")[1].headers["webhook-id"], alerts[0].id);
  refused(await ada.post("/alerts/alr_00/deliveries", { reason: "there is none" }), 404, "not-found");
  assert.equal(ok(await ada.get("/audit?action=alert.deliver")).entries.length, 1);
});

test("an alert that a budget wrote goes the same way", async () => {
  // As the release before this one left it: a row that nobody delivered.
  await stack.db.exec(`INSERT INTO alerts(id, at_ms, kind, subject, detail) VALUES ('budget:all:total:2026-11:80', 1795000000000, 'budget', 'total', '{"budget":"total","period":"2026-11","percent":80}')`);
  await stack.adminWorker.scheduled({ cron: "*/5 * * * *", scheduledTime: new Date() });
  await until("the hook", () => hooks.taken("budget").length === 1);
  assert.equal(hooks.taken("budget")[0].body.data.text, "Budget total: 80 % of 2026-11 is spent");
});

test("a confirmed live miss takes a canary back at once, and only a person can confirm one", async () => {
  const [{ event_id }] = await stack.rows("SELECT event_id FROM turn_events WHERE event ->> '$.variants.CHAT_UI_LAYOUT' = 'simplified' LIMIT 1");
  const path = `/variants/${LAYOUT.join("/")}/live-misses`;
  const body = { event_id, reason: "a reviewer read it" };
  refused(await ada.service.post(path, body), 403, "forbidden");
  refused(await ada.post(path, { ...body, event_id: "ses_none:1" }), 404, "not-found");
  refused(await ada.post("/variants/CHAT_UI_LAYOUT/sidebar/live-misses", body), 409, "conflict");
  assert.equal((await ada.variant(...LAYOUT)).rollout_percent, 50);
  const { variant } = ok(await ada.post(path, body));
  assert.deepEqual([variant.status, variant.rollout_percent, variant.metrics.crisis.confirmed_live_misses], ["experimental", 0, 1]);
  refused(await ada.post(path, body), 409, "conflict");
  const [entry] = ok(await ada.get("/audit?action=live-miss")).entries;
  assert.equal(entry.actor, "ada@example.org");
  assert.ok(!JSON.stringify(entry).includes(event_id), "the log names no session");
  await until("the hook", () => hooks.taken("demotion").some(({ body }) => body.data.text.startsWith("CHAT_UI_LAYOUT/simplified went back to experimental (live-miss)")));
});

test("a replay with a new miss takes a canary back, one without leaves evidence", async () => {
  const target = "/variants/LLM_MODEL/claude-haiku-4-5/replays";
  const before = await ada.variant("LLM_MODEL", "claude-haiku-4-5");
  ok(await ada.service.post(target, { cases: 2_000, new_misses: 0, reason: "the nightly replay" }));
  const clean = await ada.variant("LLM_MODEL", "claude-haiku-4-5");
  assert.deepEqual([clean.version, clean.rollout_percent, clean.metrics.crisis.replay], [before.version, 10, { cases: 2_000, new_misses: 0 }]);
  refused(await ada.post(target, { cases: 1, new_misses: 2, reason: "that cannot be" }), 400, "invalid-request");
  const { variant } = ok(await ada.service.post(target, { cases: 2_000, new_misses: 1, reason: "the nightly replay" }));
  assert.deepEqual([variant.status, variant.rollout_percent], ["experimental", 0]);
});

test("a day that broke its objectives is told once, and a step that keeps failing becomes a dead letter that a replay brings back", async () => {
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const slow = experiment(3, "MANDALA_FACE", ["on", "on"], { count: 120, at: Date.parse(`${yesterday}T12:00:00Z`) }).map((message) => (
    message.type === "turn" ? { ...message, event: { ...message.event, total_ms: 40_000 } } : message));
  const known = await count("turn_events");
  await post(queue, slow);
  await until("the events", async () => await count("turn_events") >= known + 240, { timeout: 60_000, every: 300 });
  const today = new Date().toISOString().slice(0, 10);
  const night = () => stack.adminWorker.scheduled({ cron: "0 3 * * *", scheduledTime: new Date() });
  const tick = () => stack.adminWorker.scheduled({ cron: "*/5 * * * *", scheduledTime: new Date() });
  // The step that prunes needs a table that is away.
  await stack.db.exec("ALTER TABLE idempotency_keys RENAME TO keys_away");
  await night();
  for (let n = 0; n < 12; n++) await tick();
  await stack.db.exec("ALTER TABLE keys_away RENAME TO idempotency_keys");
  await until("the hook", () => hooks.taken("slo").length === 1, { timeout: 30_000 });
  const { detail } = hooks.taken("slo")[0].body.data;
  assert.equal(detail.day, yesterday);
  assert.equal(detail.breaches.latency_p95_ms.allowed, 15_000);
  assert.ok(Math.abs(detail.breaches.latency_p95_ms.is - 40_000) < 40_000 / 64);
  await night();
  await sleep(500);
  assert.equal(hooks.taken("slo").length, 1);

  assert.deepEqual(await stack.rows("SELECT step, failures FROM jobs WHERE day = ? AND dead_at_ms IS NOT NULL", today), [{ step: "prune", failures: 12 }]);
  await until("the hook", () => hooks.taken("job").length === 1);
  assert.match(hooks.taken("job")[0].body.data.text, /^The nightly step prune of \S+ was given up after 12 failures: .*idempotency_keys/);
  const [letter] = ok(await ada.get("/dead-letters?replayed=false")).dead_letters;
  assert.deepEqual(JSON.parse(ok(await ada.get(`/dead-letters/${letter.id}`)).body), { job: "nightly", day: today, step: "prune" });
  ok(await ada.post("/dead-letter-replays", { reason: "the table is back" }), 202);
  await tick();
  const left = await stack.rows("SELECT step FROM jobs WHERE day = ? AND finished_at_ms IS NULL", today);
  assert.deepEqual(left, []);
});
