// The OpenAI-compatible door, used by OpenAI's own SDKs, through the same gate and telemetry as people.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { python } from "../../scripts/python.mjs";
import { startPlatform } from "../bench/stack.mjs";
import { mockLlm } from "../mock-llm.mjs";
import { root, startStack, until } from "../stack.mjs";

let stack, llm, key, client;
before(async () => {
  llm = await mockLlm();
  // Its model fails again and again, on purpose.
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url } });
  key = (await stack.admin().post("/api-keys", { name: "the tests", scopes: ["chat"], reason: "talk through the door" })).body.secret;
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 });
});
after(async () => { await stack.close(); await llm.close(); });

const say = (content, more = {}) => ({ model: "companion", messages: [{ role: "user", content }], ...more });
const events = (where, ...bindings) => stack.rows(`SELECT event, sealed_input, sealed_output FROM turn_events WHERE product = 'api' AND ${where}`, ...bindings).then((rows) => rows.map((row) => ({ ...row, event: JSON.parse(row.event) })));

test("the Node SDK: models, an answer at once, and a stream with usage", async () => {
  const models = (await client.models.list()).data.map(({ id }) => id);
  assert.ok(models.includes("companion") && models.includes("companion/claude-haiku-4-5"), models.join());
  assert.equal((await client.models.retrieve("companion/claude-haiku-4-5")).id, "companion/claude-haiku-4-5");

  const answer = await client.chat.completions.create(say("door-node words=3", { user: "ada" }));
  assert.equal(answer.choices[0].message.content, "word0. word1. word2. ");
  assert.deepEqual([answer.object, answer.choices[0].finish_reason, answer.model], ["chat.completion", "stop", "companion"]);
  assert.ok(answer.usage.total_tokens > 0);
  assert.equal(answer.silent_infinity.provider, "openai");

  const chunks = await Array.fromAsync(await client.chat.completions.create(say("door-stream words=4", { stream: true, stream_options: { include_usage: true } })));
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join(""), "word0. word1. word2. word3. ");
  assert.deepEqual([chunks[0].choices[0].delta.role, chunks.at(-2).choices[0].finish_reason], ["assistant", "stop"]);
  assert.deepEqual([chunks.at(-1).choices.length, chunks.at(-1).usage.total_tokens > 0], [0, true]);
  assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
});

test("the Python SDK does the same, and understands our errors", async () => {
  const child = spawn(await python(), [join(root, "tests/python/door.py")], { env: { ...process.env, DOOR_URL: `${stack.url}/v1`, DOOR_KEY: key }, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => { text += chunk; });
  assert.equal(await new Promise((resolve) => child.once("close", resolve)), 0);
  assert.deepEqual(JSON.parse(text), {
    models: true, text: "word0. word1. ", streamed: "word0. word1. word2. ", finish: "stop", usage: true,
    errors: ["NotFoundError:model_not_found", "BadRequestError:unsupported_parameter", "AuthenticationError:invalid_api_key"],
  });
});

test("the conversation and the application's instructions reach the model after our own prompt", async () => {
  await client.chat.completions.create({ model: "companion", messages: [
    { role: "system", content: "You are part of a gardening app." }, { role: "user", content: "door-history one" },
    { role: "assistant", content: "Tell me more." }, { role: "user", content: "door-history two words=1" }], temperature: 0.2, max_completion_tokens: 99 });
  const { ask } = llm.about("door-history two").at(-1);
  assert.match(ask.messages[0].content, /^(?!You are part)[\s\S]+## Instructions of the application[^\n]*\nYou are part of a gardening app\.$/);
  assert.deepEqual(ask.messages.slice(1).map(({ role }) => role), ["user", "assistant", "user"]);
  assert.deepEqual([ask.temperature, ask.max_tokens ?? ask.max_completion_tokens], [0.2, 99]);
});

test("a turn is an event like any other, without its text, for one person per user of the key", async () => {
  for (const user of ["ada", "ada", "grace"]) await client.chat.completions.create(say(`door-event words=2`, { user }));
  const found = await until("the events", async () => { const all = await events("1 = 1"); return all.length >= 6 && all; });
  const people = found.map(({ event }) => event.person_id);
  assert.ok(new Set(people).size >= 2 && new Set(people).size < people.length);
  const { event, sealed_input, sealed_output } = found.at(-1);
  assert.deepEqual([sealed_input, sealed_output, event.status, event.model], ["", "", "done", "mock-1"]);
  assert.equal(Object.keys(event.variants).length, 12);
  const asked = await client.chat.completions.create(say("door-variant words=1", { model: "companion/claude-opus-4-7" }));
  assert.equal(asked.silent_infinity.variants.LLM_MODEL, "claude-opus-4-7");
});

test("a crisis never reaches the model, also not one of earlier in the conversation", async () => {
  const crisis = await client.chat.completions.create(say("I want to kill myself tonight. door-crisis"));
  assert.equal(llm.about("door-crisis").length, 0);
  assert.ok(crisis.silent_infinity.crisis_level >= 3 && crisis.silent_infinity.safety.resources.length > 0);
  assert.equal(crisis.silent_infinity.provider, "safety");
  const later = await client.chat.completions.create({ model: "companion", stream: true, messages: [
    { role: "user", content: "I have the pills here and I want to die tonight." }, { role: "assistant", content: "…" }, { role: "user", content: "door-later what now" }] });
  const chunks = await Array.fromAsync(later);
  assert.equal(llm.about("door-later").length, 0);
  assert.ok(chunks.at(-1).silent_infinity.crisis_level >= 2);
});

test("a failure before the first word is a status, after it an error in the stream, never a whole answer", async () => {
  await assert.rejects(client.chat.completions.create(say("door-fails status=500")), (error) => error.status === 503 && error.code === "provider_error");
  await assert.rejects(client.chat.completions.create(say("door-fails status=500", { stream: true })), (error) => error.status === 503);
  await assert.rejects(client.chat.completions.create(say("door-cut words=6 fault=cut@3")), (error) => error.status === 503);
  const said = [];
  await assert.rejects(async () => {
    for await (const chunk of await client.chat.completions.create(say("door-cut words=6 fault=cut@3", { stream: true }))) said.push(chunk);
  }, (error) => error.code === "provider_error");
  assert.ok(said.length > 0 && said.every(({ choices }) => choices[0]?.finish_reason === null));
});

test("the model stops when the program goes away, and the turn is recorded", async () => {
  // At workerd's own socket: the development proxy does not pass on that a client went away.
  const platform = await startPlatform(llm.url);
  try {
    const { secret } = (await platform.admin().post("/api-keys", { name: "leaver", scopes: ["chat"], reason: "leaves early" })).body;
    const direct = new OpenAI({ baseURL: `${platform.url}/v1`, apiKey: secret, maxRetries: 0 });
    const stream = await direct.chat.completions.create(say("door-leaves words=400 delay=20", { stream: true }));
    for await (const _ of stream) break;
    stream.controller.abort();
    await until("the upstream to be left", () => llm.about("door-leaves")[0]?.aborted, { timeout: 2_000 });
    await until("the event", async () => (await platform.events()) === 1);
  } finally {
    await platform.close();
  }
});

test("keys open only their scope, and bad requests are told apart", async () => {
  const other = (await stack.admin().post("/api-keys", { name: "flags", scopes: ["flags:read"], reason: "another scope" })).body.secret;
  await assert.rejects(new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: other, maxRetries: 0 }).models.list(), (error) => error.status === 403);
  const raw = (body, headers = {}) => fetch(`${stack.url}/v1/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers }, body });
  for (const [body, status] of [["{", 400], ["{}", 400], [JSON.stringify(say("")), 400], [JSON.stringify(say("x", { n: 2 })), 400], ["x".repeat(600_000), 413]]) {
    const response = await raw(body);
    assert.equal(response.status, status, body.slice(0, 40));
    assert.deepEqual(Object.keys((await response.json()).error).toSorted(), ["code", "message", "param", "type"]);
  }
  assert.equal((await fetch(`${stack.url}/v1/chat/completions`)).status, 401);
  assert.equal((await fetch(`${stack.url}/v1/chat/completions`, { headers: { authorization: `Bearer ${key}` } })).status, 405);
});
