// Vendors' health as the dashboard shows it: counted by hand for attempts that were made up, and as a real breaker leaves it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { numbers, people, ulid } from "../events.mjs";
import { startStack, until } from "../stack.mjs";
import { start } from "../vendors/openai.mjs";
import { turnEvents, variants } from "./routing.mjs";

const HOUR_MS = 3_600_000;
const FAILED = 3;
let stack, ada, primary, fallback, queue;

before(async () => {
  [primary, fallback] = await Promise.all([start({ defaults: "fault=status:500", flavour: "vllm" }), start({ defaults: "words=3 delay=1" })]);
  stack = await startStack({ vars: {
    LLM_PROVIDER: "variants", VLLM_BASE_URL: primary.url, OPENAI_BASE_URL: fallback.url, OPENAI_API_KEY: "sk-mock", OPENAI_QUIRKS: "openai", LLM_BREAKER_FAILURES: String(FAILED), LLM_BREAKER_OPEN_MS: "60000",
  } });
  ada = stack.admin("ada");
  queue = (await stack.chat.getEnv()).EVENTS;
});
after(async () => { await stack?.close(); await Promise.all([primary?.close(), fallback?.close()]); });

const ok = (answer) => { assert.equal(answer.status, 200, JSON.stringify(answer.body)); return answer.body; };
const health = async (query = "") => ok(await ada.get(`/providers${query}`));
const find = ({ providers }, provider) => providers.filter((one) => one.provider === provider);

/** A turn that was accepted `agoMs` ago, with these attempts: [provider, outcome, total ms, first token ms]. */
const turn = (agoMs, seed, attempts) => {
  const at = Date.now() - agoMs;
  const [, message] = people(seed, { turns: [1, 1] }).next(at);
  const session = ulid("ses_", at, numbers(seed));
  let clock = at;
  Object.assign(message.event, {
    event_id: `${session}:1`, session_id: session, accepted_at_ms: at,
    attempts: attempts.map(([provider, outcome, total_ms, ttft_ms]) => {
      const attempt = { provider, model: "m", outcome, started_at_ms: clock, total_ms, ...(ttft_ms === undefined ? {} : { ttft_ms }) };
      clock += total_ms;
      return attempt;
    }),
  });
  return message;
};

test("before the first attempt there is nothing, and it says so", async () => {
  assert.deepEqual({ ...await health(), from: "", at: "" }, { hours: 24, from: "", at: "", turns: 0, is_complete: true, oldest_at: null, providers: [] });
});

test("attempts, failures, fall-backs, quantiles and what breakers spared are those of the window", async () => {
  const messages = [
    // Twenty answers: 100, 200 … 2,000 ms, of which the median is the tenth and the 95th percentile the nineteenth.
    ...Array.from({ length: 20 }, (_, n) => turn((n + 1) * 60_000, n + 1, [["alpha", "ok", 100 * (n + 1), 10 * (n + 1)]])),
    turn(2 * HOUR_MS, 31, [["alpha", "provider-busy", 50], ["alpha", "provider-timeout", 900], ["beta", "ok", 400, 40]]),
    turn(3 * HOUR_MS, 32, [["alpha", "breaker-open", 0], ["beta", "ok", 600, 60]]),
    turn(4 * HOUR_MS, 33, [["alpha", "breaker-open", 0], ["beta", "provider-busy", 30], ["gamma", "stopped", 700, 70]]),
    turn(5 * HOUR_MS, 34, [["alpha", "hedge-lost", 800], ["beta", "ok", 500, 50]]),
    // Older than a day, within a week; and older than that.
    turn(30 * HOUR_MS, 41, [["beta", "ok", 9_000, 900]]), turn(200 * HOUR_MS, 42, [["beta", "ok", 1, 1]]),
  ];
  await queue.sendBatch(messages.map((message) => ({ body: JSON.stringify(message), contentType: "json" })));
  await until("the turns", async () => (await stack.rows("SELECT count(*) AS n FROM turn_events"))[0].n === messages.length);

  const day = await health();
  assert.deepEqual([day.hours, day.turns, day.is_complete, day.oldest_at], [24, 24, true, new Date(messages[23].event.accepted_at_ms).toISOString()]);
  assert.deepEqual(day.providers.map(({ provider }) => provider), ["alpha", "beta", "gamma"]);
  const [alpha] = find(day, "alpha");
  assert.deepEqual(alpha, {
    provider: "alpha", model: "m", attempts: 23, failures: 2, error_rate: 2 / 23, failures_by: { "provider-busy": 1, "provider-timeout": 1 }, fallback_share: 0,
    latency_p50_ms: 1_000, latency_p95_ms: 1_900, ttft_p50_ms: 100, ttft_p95_ms: 190,
    breaker: { spared: 2, share: 2 / 25, last_at: new Date(messages[21].event.accepted_at_ms).toISOString() },
  });
  const [beta] = find(day, "beta");
  assert.deepEqual([beta.attempts, beta.failures, beta.fallback_share, beta.latency_p50_ms, beta.latency_p95_ms, beta.ttft_p50_ms, beta.breaker.last_at], [4, 1, 1, 500, 600, 50, null]);
  // What was stopped has begun and was not answered in full.
  assert.deepEqual(find(day, "gamma").map((one) => [one.attempts, one.failures, one.ttft_p50_ms, one.latency_p50_ms]), [[1, 0, 70, null]]);

  const [week] = find(await health("?hours=168"), "beta");
  assert.deepEqual([week.attempts, week.fallback_share, week.latency_p95_ms], [5, 0.8, 9_000]);
});

test("only 1 to 168 hours, and nothing else, can be asked for", async () => {
  for (const query of ["?hours=0", "?hours=169", "?hours=x", "?days=7", "?hours=-1"]) assert.equal((await ada.get(`/providers${query}`)).status, 400, query);
  const document = (await ada.get("/openapi.json")).body;
  assert.deepEqual(document.paths["/admin/v1/providers"].get.parameters.map(({ name, schema }) => [name, schema.minimum, schema.maximum]), [["hours", 1, 168]]);
});

test("a breaker that opened in a session's isolate is seen here", async () => {
  const model = "gpt-4o-mini-breaks";
  const guestOf = await variants(stack, { breaks: { provider: "vllm", model, fallbacks: [{ provider: "openai", model: "gpt-4o-mini" }] } });
  const guest = await guestOf("breaks");
  const asked = 5;
  for (let n = 0; n < asked; n++) await guest.say(`turn ${n}`);
  const events = await turnEvents(stack, guest, asked);
  const own = events.flatMap(({ attempts }) => attempts).filter(({ provider }) => provider === "vllm");
  const spared = own.filter(({ outcome }) => outcome === "breaker-open");
  assert.ok(spared.length >= 2 && own.length - spared.length >= FAILED, JSON.stringify(own));
  const seen = await health("?hours=1");
  const [failing] = find(seen, "vllm");
  assert.deepEqual([failing.attempts, failing.failures, failing.error_rate, failing.breaker.spared], [own.length - spared.length, own.length - spared.length, 1, spared.length]);
  assert.equal(failing.breaker.last_at, new Date(Math.max(...spared.map(({ started_at_ms }) => started_at_ms))).toISOString());
  assert.deepEqual([failing.latency_p50_ms, failing.ttft_p50_ms], [null, null]);
  const [helping] = find(seen, "openai");
  assert.deepEqual([helping.attempts, helping.failures, helping.fallback_share], [asked, 0, 1]);
});

test("budgets are beside the costs: none before one is drawn on, and what turns meet", async () => {
  assert.deepEqual(ok(await ada.get("/metrics/costs")).budgets, []);
  const { BUDGETS } = await stack.adminWorker.getEnv();
  const shared = BUDGETS.get(BUDGETS.idFromName("shared"));
  const draw = (name, limit_micros) => ({ name, period: "month", limit_micros });
  const post = async (path, body) => assert.equal((await shared.fetch(`https://object${path}`, { method: "POST", body: JSON.stringify(body) })).status, 200);
  await post("/reserve", { id: "a", estimate_micros: 900, draws: [draw("month", 2_000), draw("feature:chat", 1_000)] });
  await post("/settle", { id: "a", cost_micros: 850 });
  await post("/reserve", { id: "b", estimate_micros: 100, draws: [draw("month", 2_000), draw("feature:chat", 1_000)] });
  const period = new Date().toISOString().slice(0, 7);
  assert.deepEqual(ok(await ada.get("/metrics/costs")).budgets, [
    { name: "feature:chat", period, limit_micros: 1_000, spent_micros: 850, reserved_micros: 100, state: "cheapest" },
    { name: "month", period, limit_micros: 2_000, spent_micros: 850, reserved_micros: 100, state: "ok" },
  ]);
});
