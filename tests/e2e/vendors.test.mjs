// Every vendor's protocol through the whole path on workerd, against servers that are strict about what they are sent.
import assert from "node:assert/strict";
import { createServer, request as ask } from "node:http";
import { after, before, test } from "node:test";
import { startPlatform } from "../bench/stack.mjs";
import { Guest, eventsOf, startStack, textOf, until } from "../stack.mjs";
import * as anthropic from "../vendors/anthropic.mjs";
import * as bedrock from "../vendors/bedrock.mjs";
import * as gemini from "../vendors/gemini.mjs";
import * as ollama from "../vendors/ollama.mjs";
import * as openai from "../vendors/openai.mjs";
import * as openrouter from "../vendors/openrouter.mjs";
import * as workersAi from "../vendors/workers-ai.mjs";
import { turnEvents, variants } from "./routing.mjs";

const KEY = "a-key";
const base = (prefix, more = {}) => (url) => ({ [`${prefix}_BASE_URL`]: url, [`${prefix}_API_KEY`]: KEY, ...more });
const flavoured = (flavour) => ({ start: (options) => openai.start({ ...options, flavour }) });

/**
 * The server, the settings, the model that is asked for and that answers, what 11 tokens read and 4 written cost (nothing
 * where nobody knows), and how a refusal and a filter are told, where the protocol can tell them.
 */
const VENDORS = {
  anthropic: { mock: anthropic, settings: base("ANTHROPIC"), model: "claude-haiku-4-5", micros: 31, refusal: "refusal", filter: "refusal" },
  openai: { mock: openai, settings: base("OPENAI", { OPENAI_QUIRKS: "openai" }), model: "gpt-4o-mini", answers: "gpt-4o-mini-2024-07-18", cached: 3, micros: 4, refusal: "refusal", filter: "content-filter" },
  groq: { mock: flavoured("groq"), settings: base("GROQ"), model: "openai/gpt-oss-20b", cached: 3, refusal: "refusal", filter: "content-filter" },
  vllm: { mock: flavoured("vllm"), settings: base("VLLM"), model: "smollm2", cached: 3, filter: "content-filter" },
  "llama-cpp": { mock: flavoured("llama-cpp"), settings: base("LLAMA_CPP"), model: "smollm2", cached: 3, filter: "content-filter" },
  // It says itself what a call cost.
  openrouter: { mock: openrouter, settings: base("OPENROUTER"), model: "anthropic/claude-haiku-4.5", micros: 31, refusal: "refusal", filter: "content-filter" },
  bedrock: {
    mock: bedrock, model: "eu.anthropic.claude-haiku-4-5-20251001-v1:0", micros: 31, refusal: "refusal", filter: "content-filter",
    settings: (url) => ({ BEDROCK_REGION: "eu-central-1", BEDROCK_ACCESS_KEY_ID: "AKIDMOCK", BEDROCK_SECRET_ACCESS_KEY: KEY, BEDROCK_BASE_URL: url }),
  },
  gemini: { mock: gemini, settings: base("GEMINI"), model: "gemini-2.5-flash", micros: 14, refusal: "content-filter", filter: "content-filter" },
  ollama: { mock: ollama, settings: base("OLLAMA"), model: "llama3.2" },
};
const names = Object.keys(VENDORS);

const servers = {};
let stack, guestOf;
before(async () => {
  for (const [name, { mock }] of Object.entries(VENDORS)) servers[name] = await mock.start({ key: KEY, secretAccessKey: KEY });
  stack = await startStack({ vars: {
    LLM_PROVIDER: "", LLM_FIRST_TOKEN_TIMEOUT_MS: "3000", LLM_BREAKER_FAILURES: "1000",
    ...Object.assign({}, ...names.map((name) => VENDORS[name].settings(servers[name].url))),
  } });
  guestOf = await variants(stack, Object.fromEntries(names.flatMap((name) => [
    [name, { provider: name, model: VENDORS[name].model }],
    [`${name}-short`, { provider: name, model: VENDORS[name].model, max_output_tokens: 3 }],
  ])));
});
after(async () => {
  await stack?.close();
  await Promise.all(Object.values(servers).map((server) => server.close()));
});

const last = (events) => events.at(-2).data;
const outcomes = ({ attempts }) => attempts.map(({ outcome }) => outcome);

for (const [name, { model, answers = model, cached, micros = null, refusal, filter }] of Object.entries(VENDORS)) {
  test(`${name}: words, model, tokens, cost`, async () => {
    const guest = await guestOf(name);
    const events = await guest.say("tell me whole words=4 split=3");
    assert.equal(textOf(events), "word0. word1. word2. word3. ");
    assert.equal(last(events).finishReason, "stop");
    const [event] = await turnEvents(stack, guest);
    assert.deepEqual([event.status, event.provider, event.model, event.requested_model, event.finish_reason], ["done", name, answers, model, "stop"]);
    assert.deepEqual(event.usage, { input_tokens: 11, output_tokens: 4, ...(cached ? { cached_input_tokens: cached } : {}) });
    assert.equal(event.cost_micros, micros);
    assert.deepEqual([outcomes(event), event.mixed_providers], [["ok"], false]);
    const [attempt] = event.attempts;
    assert.ok(attempt.opened_ms <= attempt.ttft_ms && attempt.ttft_ms <= attempt.total_ms && event.ttft_ms >= attempt.ttft_ms, JSON.stringify(attempt));
    assert.equal(servers[name].about("tell me whole").length, 1);
  });

  test(`${name}: the ends of an answer`, async () => {
    const short = await guestOf(`${name}-short`);
    assert.equal(last(await short.say("tell me short words=6")).finishReason, "length");
    assert.equal((await turnEvents(stack, short))[0].finish_reason, "length");
    const ends = Object.entries({ refusal, filter }).filter(([, told]) => told);
    const guest = await guestOf(name);
    for (const [fault] of ends) {
      const events = await guest.say(`tell me fault=${fault}@2`);
      assert.equal(last(events).finishReason, "content-filter", fault);
      // OpenAI's refusals have words of their own.
      assert.match(textOf(events), /^word0\. word1\. /, fault);
    }
    if (ends.length > 0) {
      const events = await turnEvents(stack, guest, ends.length);
      assert.deepEqual(events.map(({ finish_reason }) => finish_reason), ends.map(([, told]) => told));
      assert.ok(events.every((event) => event.status === "done" && event.attempts.length === 1));
    }
  });

  test(`${name}: what goes wrong is told, and never looks whole`, async () => {
    const guest = await guestOf(name);
    const cases = [["fault=cut@2", ["provider-truncated"]], ["fault=garbage@2", ["provider-protocol"]], ["fault=status:503", ["provider-overloaded", "provider-overloaded"]]];
    for (const [fault] of cases) {
      const events = await guest.say(`tell me ${fault} words=4`);
      assert.equal(last(events).type, "error", fault);
    }
    const events = await guest.say("tell me fault=error@2 words=4");
    assert.equal(last(events).type, "error");
    const told = await turnEvents(stack, guest, 4);
    assert.deepEqual(told.slice(0, 3).map(outcomes), cases.map(([, expected]) => expected));
    assert.match(told[3].error, /^provider-(in-stream|overloaded|status)$/);
    assert.ok(told.every((event) => event.status === "failed" && event.finish_reason === "none"));
  });
}

test("a wrong key is told, asked once, and answered by nobody else", async () => {
  const wrong = Object.fromEntries(Object.entries(Object.assign({}, ...names.map((name) => VENDORS[name].settings(servers[name].url))))
    .map(([setting, value]) => [setting, value === KEY ? "wrong" : value]));
  const other = await startStack({ vars: { LLM_PROVIDER: "", ...wrong } });
  try {
    const someone = await variants(other, Object.fromEntries(names.map((name) => [name, { provider: name, model: VENDORS[name].model }])));
    for (const name of names) {
      const before = servers[name].seen.length;
      const guest = await someone(name);
      const events = await guest.say("tell me");
      assert.equal(last(events).type, "error", name);
      const [event] = await turnEvents(other, guest);
      assert.deepEqual([event.error, event.provider, outcomes(event), event.cost_micros], ["provider-status", name, ["provider-status"], 0], name);
      assert.equal(servers[name].seen.length, before + 1, name);
    }
  } finally {
    await other.close();
  }
});

/** workerd's own binding of Workers AI asks its service in Miniflare's envelope; this takes it off. */
async function unwrapped(target) {
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.headers["mf-url"]);
    const headers = Object.fromEntries(Object.entries(request.headers)
      .filter(([name]) => name.startsWith("mf-header-")).map(([name, value]) => [name.slice("mf-header-".length), value]));
    const inner = ask(new URL(pathname + search, target), { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    });
    inner.on("error", () => response.destroy());
    response.on("close", () => inner.destroy());
    request.pipe(inner);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

for (const model of ["@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/openai/gpt-oss-20b"]) {
  test(`workers-ai, by workerd's own binding: ${model}`, async () => {
    const mock = await workersAi.start();
    const service = await unwrapped(mock.url);
    const platform = await startPlatform("", {
      ai: service.url, vars: { LLM_PROVIDER: "workers-ai", LLM_MODEL: model, LLM_BREAKER_FAILURES: "1000" },
    });
    try {
      const guest = await Guest.begin(platform.url);
      const events = await guest.say("tell me whole words=4 split=3");
      assert.equal(textOf(events), "word0. word1. word2. word3. ");
      assert.equal(last(events).finishReason, "stop");
      for (const fault of ["fault=cut@2", "fault=error@2", "fault=garbage@2", "fault=status:429", "fault=quota"]) {
        assert.equal(last(await guest.say(`tell me ${fault} words=4`)).type, "error", fault);
      }
      // A stop reaches the service through the binding's signal.
      const response = await guest.post({ message: "tell me long words=90 delay=30" });
      const heard = [];
      const reading = (async () => { for await (const event of eventsOf(response)) heard.push(event); })();
      await until("some words", () => textOf(heard).length > 20, { every: 10 });
      await guest.json("POST", `${guest.path}/turns/${response.headers.get("x-turn-id")}/stop`);
      await until("the upstream's end", () => mock.about("tell me long")[0].ended !== null, { timeout: 1_000, every: 10 });
      assert.equal(mock.about("tell me long")[0].aborted, true);
      await reading;
      const told = await turnEvents(platform, guest, 7);
      assert.deepEqual([told[0].provider, told[0].model, told[0].usage], ["workers-ai", model, { input_tokens: 11, output_tokens: 4 }]);
      const expected = [/^provider-truncated$/, /^provider-(in-stream|overloaded)$/, /^provider-protocol$/, /^provider-(busy|overloaded)$/, /^provider-quota$/];
      expected.forEach((slug, n) => assert.match(told[n + 1].error, slug));
      assert.deepEqual([told[6].status, outcomes(told[6])], ["stopped", ["stopped"]]);
      assert.equal(mock.about("fault=quota").length, 1, "waiting does not help");
      assert.equal(mock.about("tell me whole")[0].model, model);
    } finally {
      await platform.close();
      await service.close();
      await mock.close();
    }
  });
}
