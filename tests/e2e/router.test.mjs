// The fault matrix of docs/faults.md on workerd: the primary misbehaves, the fall-back is healthy.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readUIMessageStream } from "ai";
import { startPlatform } from "../bench/stack.mjs";
import { all, eventsOf, root, sleep, textOf, until } from "../stack.mjs";
import { start } from "../vendors/openai.mjs";
import { changeable, turnEvents, variants } from "./routing.mjs";

const WHOLE = "This is all of the answer. It comes from the fall-back.";
const KEY = "sk-mock";
/** 11 tokens read, 3 of them from the cache, 11 written, at the price of gpt-4o-mini: (8 × 0.15 + 3 × 0.075 + 11 × 0.6) micros. */
const WHOLE_MICROS = 9;
const WAITS = { LLM_CONNECT_TIMEOUT_MS: "600", LLM_FIRST_TOKEN_TIMEOUT_MS: "800", LLM_IDLE_TIMEOUT_MS: "500", LLM_TOTAL_TIMEOUT_MS: "6000" };

/** Fault, the plan of the primary, the outcomes of its attempts; whether it was heard first. */
const MATRIX = [
  ["500", "fault=status:500", ["provider-status", "provider-status"], false],
  ["429", "fault=status:429", ["provider-busy", "provider-busy"], false],
  ["429-later", "fault=status:429 retry=30", ["provider-busy"], false],
  ["key", "fault=status:401", ["provider-status"], false],
  ["no-headers", "first=20000", ["provider-timeout"], false],
  ["silence", "fault=silence@0", ["provider-timeout"], false],
  ["cut", "words=12 fault=cut@8", ["provider-truncated"], true],
  ["unfinished", "words=12 fault=unfinished@8", ["provider-truncated"], true],
  ["garbage", "words=12 fault=garbage@8", ["provider-protocol"], true],
  ["error", "words=12 fault=error@8", ["provider-in-stream"], true],
  ["stall", "words=12 fault=silence@8", ["provider-timeout"], true],
];
const CALM = { provider: "openai", model: "gpt-4o-mini" };

let stack, primary, fallback, guestOf, apiKey;
const [first, second] = [changeable(), changeable()];
const healthy = () => { second.plan = `say=${WHOLE.replaceAll(" ", "_")} delay=1`; };

before(async () => {
  [primary, fallback] = await Promise.all([start({ defaults: first, flavour: "vllm" }), start({ defaults: second, key: KEY })]);
  // At workerd's own socket: the test harness's proxy would keep upstream connections open.
  stack = await startPlatform("", { vars: {
    LLM_MODEL: "", LLM_PROVIDER: "variants", VLLM_BASE_URL: primary.url, OPENAI_BASE_URL: fallback.url, OPENAI_API_KEY: KEY, OPENAI_QUIRKS: "openai",
    LLM_BREAKER_FAILURES: "3", LLM_BREAKER_OPEN_MS: "1500", ...WAITS,
  } });
  // Breakers are kept by model: each test has its own, at the price of gpt-4o-mini.
  const pair = (name, more = {}) => [name, { provider: "vllm", model: `gpt-4o-mini-${name}`, fallbacks: [CALM], ...more }];
  guestOf = await variants(stack, Object.fromEntries([
    ...MATRIX.map(([name]) => pair(`f-${name}`)), pair("both"), pair("stop"), pair("waiting"), pair("breaker"), pair("door"), pair("filter"),
    pair("alone", { fallbacks: [] }), pair("fast", { routing: "fast" }),
    ["cost", { provider: "vllm", model: "gpt-4.1", fallbacks: [CALM], routing: "cost" }],
    ["skipped", { provider: "anthropic", model: "claude-sonnet-4-6", fallbacks: [CALM] }],
    ["nobody", { provider: "anthropic", model: "claude-sonnet-4-6", fallbacks: [{ provider: "bedrock", model: "x" }] }],
  ]));
  apiKey = (await stack.admin("ada").post("/api-keys", { name: "door", scopes: ["chat"], reason: "a test" })).body;
});
after(async () => {
  await stack?.close();
  await Promise.all([primary?.close(), fallback?.close()]);
});

/** What `useChat` shows of a stream: the AI SDK itself reads it. */
async function shown(events) {
  const parts = events.map(({ data }) => data).filter((data) => data !== "[DONE]");
  let message;
  for await (const next of readUIMessageStream({ stream: ReadableStream.from(parts) })) message = next;
  return message.parts.filter(({ type }) => type === "text").map(({ text }) => text).join("");
}

const types = (events) => events.map(({ data }) => data.type ?? data);
const outcomes = ({ attempts }) => attempts.map(({ provider, outcome }) => `${provider} ${outcome}`);

test("every fault ends in the fall-back's whole answer: shown, stored and charged once", async (t) => {
  for (const [name, plan, expected, heard] of MATRIX) {
    await t.test(name, async () => {
      first.plan = `${plan} delay=1`;
      healthy();
      const guest = await guestOf(`f-${name}`);
      const marker = `tell me ${name}`;
      const began = performance.now();
      const response = await guest.post({ message: marker });
      const events = await all(response);
      const tookMs = performance.now() - began;
      assert.deepEqual(types(events).slice(-2), ["finish", "[DONE]"]);
      assert.ok(tookMs < 6_000, `${tookMs} ms`);
      assert.equal(types(events).filter((type) => type === "reset-step").length, heard ? 1 : 0);
      if (heard) assert.match(textOf(events), /^word0\. word1\. /, "the primary was heard first");
      assert.equal(await shown(events), WHOLE);

      const { messages } = await guest.history();
      assert.equal(messages.at(-1).parts.find(({ type }) => type === "text").text, WHOLE);
      assert.deepEqual([messages.at(-1).metadata.status, messages.at(-1).metadata.provider], ["done", "openai"]);
      const late = await all(await guest.ask("GET", `${guest.path}/turns/${response.headers.get("x-turn-id")}/stream`));
      assert.deepEqual(late, events, "who comes late reads the same");

      const [event] = await turnEvents(stack, guest);
      assert.deepEqual(outcomes(event), [...expected.map((outcome) => `vllm ${outcome}`), "openai ok"]);
      assert.deepEqual([event.status, event.error, event.provider, event.model, event.requested_model, event.mixed_providers],
        ["done", null, "openai", "gpt-4o-mini-2024-07-18", `gpt-4o-mini-f-${name}`, true]);
      // Each attempt is one request, and who was heard or answered is charged, once.
      assert.deepEqual([primary.about(marker).length, fallback.about(marker).length], [expected.length, 1]);
      const charged = event.attempts.filter(({ cost_micros }) => cost_micros !== undefined);
      assert.equal(charged.length, heard ? 2 : 1);
      assert.equal(event.attempts.at(-1).cost_micros, WHOLE_MICROS);
      assert.equal(event.cost_micros, charged.reduce((sum, { cost_micros }) => sum + cost_micros, 0));
      assert.equal(charged[0].usage_estimated ?? false, heard);
      assert.equal(event.usage.output_tokens, charged.reduce((sum, { usage }) => sum + usage.output_tokens, 0));
      for (const attempt of event.attempts) assert.ok(attempt.started_at_ms >= event.accepted_at_ms && attempt.total_ms >= (attempt.ttft_ms ?? 0));
      await until("the primary's upstream to be closed", () => primary.about(marker).every(({ ended }) => ended !== null), { timeout: 1_000, every: 20 });
    });
  }
});

test("the published table has a row for every fault", () => {
  const table = readFileSync(join(root, "docs/faults.md"), "utf8");
  for (const [name] of MATRIX) assert.match(table, new RegExp(`^\\|.*\\(\`${name}\`\\)`, "m"), name);
});

test("where both fail, the turn fails, and half an answer is never whole", async () => {
  first.plan = "words=12 fault=cut@8 delay=1";
  second.plan = "fault=status:503";
  const guest = await guestOf("both");
  const events = await guest.say("tell me");
  assert.deepEqual(types(events).slice(-2), ["error", "[DONE]"]);
  const [event] = await turnEvents(stack, guest);
  assert.deepEqual([event.status, event.error, event.finish_reason], ["failed", "provider-overloaded", "none"]);
  assert.deepEqual(outcomes(event), ["vllm provider-truncated", "openai provider-overloaded", "openai provider-overloaded"]);
  assert.equal((await guest.history()).messages.at(-1).metadata.status, "failed");
});

test("nobody is asked around a filter, and a filter's answer is an answer", async () => {
  first.plan = "words=12 fault=filter@3 delay=1";
  const guest = await guestOf("filter");
  const events = await guest.say("tell me filter");
  assert.equal(events.at(-2).data.finishReason, "content-filter");
  assert.equal(fallback.about("tell me filter").length, 0);
});

for (const [name, plan] of [["stop", "words=500 delay=20"], ["waiting", "first=20000"]]) {
  test(`the upstream stops when the person stops: ${name}`, async () => {
    first.plan = plan;
    const guest = await guestOf(name);
    const marker = `tell me ${name}`;
    const response = await guest.post({ message: marker });
    const events = [];
    const reading = (async () => { for await (const event of eventsOf(response)) events.push(event); })();
    await until("the upstream", () => primary.about(marker)[0], { every: 10 });
    if (name === "stop") await until("some words", () => textOf(events).length > 40, { every: 10 });
    const asked = performance.now();
    await guest.json("POST", `${guest.path}/turns/${response.headers.get("x-turn-id")}/stop`);
    await until("the upstream's end", () => primary.about(marker)[0].ended !== null, { timeout: 1_000, every: 5 });
    const stoppedMs = primary.about(marker)[0].ended - asked;
    assert.ok(stoppedMs < 1_000, `${stoppedMs} ms`);
    console.log(`  upstream closed ${stoppedMs.toFixed(0)} ms after the stop was asked for`);
    await reading;
    assert.deepEqual(types(events).slice(-2), ["abort", "[DONE]"]);
    const [event] = await turnEvents(stack, guest);
    assert.deepEqual([event.status, outcomes(event)], ["stopped", ["vllm stopped"]]);
    assert.equal(event.attempts[0].usage_estimated ?? false, name === "stop");
    assert.equal(event.cost_micros > 0, name === "stop", "what was said is charged");
    assert.equal(fallback.about(marker).length, 0, "a stop is no failure");
  });
}

test("the breaker opens, leaves the target alone, and lets it in again", async () => {
  first.plan = "fault=status:500";
  healthy();
  const guest = await guestOf("breaker");
  const marker = "tell me breaker";
  for (let n = 1; n <= 3; n++) await guest.say(`${marker} ${n}`);
  first.plan = "say=I_am_back.";
  await sleep(1_600);
  await guest.say(`${marker} 4`);
  const events = await turnEvents(stack, guest, 4);
  assert.deepEqual(events.map(outcomes), [
    ["vllm provider-status", "vllm provider-status", "openai ok"],
    ["vllm provider-status", "openai ok"],
    ["vllm breaker-open", "openai ok"],
    ["vllm ok"],
  ]);
  assert.equal(primary.about(`${marker} 3`).length, 0);
  assert.deepEqual(events.map(({ mixed_providers }) => mixed_providers), [true, true, true, false]);
});

test("Retry-After is kept", async () => {
  let asked = 0;
  first.plan = () => (asked++ === 0 ? "fault=status:429 retry=1" : "say=Now_I_can.");
  const guest = await guestOf("alone");
  const events = await guest.say("tell me alone");
  assert.equal(await shown(events), "Now I can.");
  const [one, two] = primary.about("tell me alone");
  const waitedMs = two.began - one.began;
  assert.ok(waitedMs >= 1_000 && waitedMs < 2_000, `${waitedMs} ms`);
});

test("routing by speed and by cost", async () => {
  first.plan = "first=300 say=Slow.";
  second.plan = "say=Quick.";
  const guest = await guestOf("fast");
  const answers = [];
  for (let n = 0; n < 3; n++) answers.push(await shown(await guest.say(`tell me ${n}`)));
  assert.equal(answers.at(-1), "Quick.", answers.join(" "));
  const frugal = await guestOf("cost");
  assert.equal(await shown(await frugal.say("tell me")), "Quick.");
  const [event] = await turnEvents(stack, frugal);
  assert.deepEqual([outcomes(event), event.requested_model, event.mixed_providers], [["openai ok"], "gpt-4.1", false]);
});

test("a vendor without settings is skipped; where none has any, the listener answers and the event says so", async () => {
  healthy();
  const skipped = await guestOf("skipped");
  assert.equal(await shown(await skipped.say("tell me")), WHOLE);
  const nobody = await guestOf("nobody");
  assert.ok((await shown(await nobody.say("tell me"))).length > 0);
  const [event] = await turnEvents(stack, nobody);
  assert.deepEqual([event.provider, event.model, event.cost_micros, event.mixed_providers], ["offline", "offline-reflective-1", 0, false]);
  const { provider } = await (await fetch(`${stack.url}/v1/health`)).json();
  assert.deepEqual([provider.name, provider.vendors], ["variants", ["openai", "vllm"]]);
});

test("at OpenAI's door nothing can be taken back: an error in the stream, and no second answer", async () => {
  first.plan = "words=12 fault=cut@8 delay=1";
  healthy();
  const response = await fetch(`${stack.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiKey.secret}` },
    body: JSON.stringify({ model: "companion/door", stream: true, user: "u", messages: [{ role: "user", content: "tell me door" }] }),
  });
  assert.equal(response.status, 200, response.status === 200 ? "" : await response.text());
  const said = await response.text();
  assert.match(said, /word0/);
  assert.match(said, /"error":\{/);
  assert.doesNotMatch(said, /fall-back/);
  assert.equal(fallback.about("tell me door").length, 0);
});

test("a late primary is hedged, the loser is closed, and the rate is capped", async () => {
  const [slow, quick] = [changeable("first=700 say=Slow. delay=1"), changeable("say=Quick. delay=1")];
  const [a, b] = await Promise.all([start({ defaults: slow, flavour: "vllm" }), start({ defaults: quick, key: KEY })]);
  const hedging = await startPlatform("", { vars: {
    LLM_MODEL: "", LLM_PROVIDER: "variants", VLLM_BASE_URL: a.url, OPENAI_BASE_URL: b.url, OPENAI_API_KEY: KEY, OPENAI_QUIRKS: "openai", LLM_HEDGE_AFTER_MS: "150",
  } });
  try {
    const someone = await variants(hedging, { hedged: { provider: "vllm", model: "gpt-4o-mini-h", fallbacks: [CALM] } });
    const guest = await someone("hedged");
    assert.equal(await shown(await guest.say("tell me 1")), "Quick.");
    await until("the loser's end", () => a.about("tell me 1")[0].ended !== null, { timeout: 1_000, every: 10 });
    assert.equal(a.about("tell me 1")[0].aborted, true);
    // The next hedge has to be saved up by ten answers.
    assert.equal(await shown(await guest.say("tell me 2")), "Slow.");
    const [event, other] = await turnEvents(hedging, guest, 2);
    assert.deepEqual([outcomes(event), outcomes(other)], [["vllm hedge-lost", "openai ok"], ["vllm ok"]]);
    assert.equal(event.attempts[0].cost_micros, undefined);
    assert.equal(event.mixed_providers, true);
  } finally {
    await hedging.close();
    await Promise.all([a.close(), b.close()]);
  }
});
