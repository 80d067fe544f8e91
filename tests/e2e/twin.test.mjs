// The digital twin: its door, its personas and links, its memory; the four cases of its test plan against two
// configurations; and other people's clients.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import OpenAI from "openai";
import { python } from "../../scripts/python.mjs";
import { all, root, startStack, textOf, until } from "../stack.mjs";
import { Visitor, failR2, faultyBucket, personOf } from "./twin-kit.mjs";
import { twinModel } from "./twin-model.mjs";

const CARD = { spec: "chara_card_v2", spec_version: "2.0", data: {
  name: "Ada", description: "{{char}} builds engines with {{user}}. MARKER-card", personality: "precise", scenario: "", first_mes: "Hello {{user}}.",
  mes_example: "", creator_notes: "MARKER-never", system_prompt: "", post_history_instructions: "", alternate_greetings: [], tags: ["math"],
  creator: "c", character_version: "1", extensions: { "agnai/voice": { pitch: [1, 2.5, null] }, unheard: "of" } }, outside: { kept: true } };

let model, stack;
before(async () => {
  model = await twinModel();
  stack = await startStack({ chatConfig: await faultyBucket(), vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: model.url, WINDOW_TOKENS: "300" } });
});
after(async () => { await stack?.close(); await model?.close(); });
const visitor = () => new Visitor(stack.url);

// The same suite against a local configuration and one as it is deployed: what a client sees is the same.
const CONFIGURATIONS = {
  "local: the bundled twin's Worker, persona put by hand": { file: "me.md", vars: { LLM_PROVIDER: "openai" } },
  "deployed: production, another vendor's door to the model": { file: "me.txt", vars: { ENVIRONMENT: "production", LLM_PROVIDER: "openrouter", LLM_API_KEY: "key-of-the-test" } },
};
for (const [name, { file, vars }] of Object.entries(CONFIGURATIONS)) {
  describe(`test plan, ${name}`, () => {
    let own, ownModel;
    before(async () => {
      ownModel = await twinModel();
      own = await startStack({ vars: { ...vars, LLM_BASE_URL: ownModel.url } });
      await (await own.chat.getEnv()).BUCKET.put(`twin/${file}`, "# Ada\nI build engines. My mark is MARKER-plan.");
    });
    after(async () => { await own?.close(); await ownModel?.close(); });

    test("memory persistence: what was said is there for the person later, in order", async () => {
      const ada = new Visitor(own.url);
      const { session_id, response, timestamp } = await ada.say("remember the harbour");
      assert.equal(response, "I hear you.");
      assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000);
      await ada.say("and the lighthouse", { session_id });
      const { messages } = await ada.json("GET", `/chat/history/${session_id}`);
      assert.deepEqual(messages.map(({ role, content }) => [role, content]), [
        ["user", "remember the harbour"], ["assistant", "I hear you."], ["user", "and the lighthouse"], ["assistant", "I hear you."]]);
      assert.ok(messages.every((message) => !Number.isNaN(Date.parse(message.timestamp))));
    });

    test("persona loading: the persona's marker reaches the model", async () => {
      assert.equal((await new Visitor(own.url).say("what is your marker?")).response, "My marker is MARKER-plan.");
      assert.ok(ownModel.prompts.at(-1)[0].content.includes("# Ada\nI build engines. My mark is MARKER-plan."));
    });

    test("conversation continuity: \"My name is Alice\"", async () => {
      const alice = new Visitor(own.url);
      const { session_id } = await alice.say("My name is Alice");
      assert.equal((await alice.say("What is my name?", { session_id })).response, "Your name is Alice.");
    });

    test("equivalence: errors and health look the same", async () => {
      const someone = new Visitor(own.url);
      assert.deepEqual(Object.keys(await someone.json("GET", "/health")), ["status", "version"]);
      const wrong = await someone.ask("POST", "/chat", { body: { message: "" } });
      assert.deepEqual([wrong.status, (await wrong.json()).detail], [400, "message: must have 1 to 8000 characters"]);
      const failed = await someone.ask("POST", "/chat", { body: { message: "status=500" } });
      assert.deepEqual([failed.status, failed.headers.get("retry-after"), (await failed.json()).type], [503, "5", "https://silent-infinity.dev/problems/unavailable"]);
    });
  });
}

test("an answer streams as turns of /v1 do", async () => {
  const guest = visitor();
  const response = await guest.ask("POST", "/chat", { body: { message: "hello", stream: true } });
  assert.equal(response.headers.get("x-vercel-ai-ui-message-stream"), "v1");
  assert.match(response.headers.get("x-session-id"), /^ses_/);
  assert.equal(textOf(await all(response)), "I hear you.");
});

test("a crisis gets the fixed text, and the model is not asked", async () => {
  const asked = model.prompts.length;
  const { response, safety } = await visitor().say("I want to kill myself tonight");
  assert.ok(safety.level >= 3 && safety.resources.length > 0 && response.length > 40);
  assert.equal(model.prompts.length, asked);
});

test("a twin's turn is an event of the product twin", async () => {
  const guest = visitor();
  const { session_id } = await guest.say("count me");
  const [row] = await until("the event", async () => { const rows = await stack.rows("SELECT * FROM turn_events WHERE session_id = ?", session_id); return rows.length > 0 && rows; });
  const event = JSON.parse(row.event);
  assert.deepEqual([row.product, event.status, event.prompt_version.split("@")[0]], ["twin", "done", "twin"]);
  assert.equal(Object.keys(event.variants).length, 12);
});

test("a session belongs to its person, whatever they know", async () => {
  const owner = visitor();
  const { session_id } = await owner.say("mine");
  const other = visitor();
  await other.say("someone else");
  assert.equal((await other.ask("GET", `/chat/history/${session_id}`)).status, 404);
  assert.equal((await other.ask("POST", "/chat", { body: { message: "x", session_id } })).status, 404);
  assert.equal((await visitor().ask("GET", `/chat/history/${session_id}`)).status, 401);
  const { twin_id } = await owner.upload("I am secret. MARKER-mine");
  for (const [method, path, body] of [["GET", `/twins/${twin_id}`], ["GET", `/twins/${twin_id}/export`], ["PUT", `/twins/${twin_id}`, "x y"], ["DELETE", `/twins/${twin_id}`], ["POST", `/twins/${twin_id}/shares`, "{}"]]) {
    const type = path.endsWith("shares") ? "application/json" : "text/plain";
    assert.equal((await other.ask(method, path, { body, type })).status, 404, `${method} ${path}`);
  }
  assert.equal((await other.ask("POST", "/chat", { body: { message: "x", twin: twin_id } })).status, 404);
});

test("a persona is stored sealed, used, and reloaded when it changes", async () => {
  const owner = visitor();
  const { twin_id, version } = await owner.upload("I am Bo. MARKER-one");
  assert.equal(version, 1);
  const { BUCKET } = await stack.chat.getEnv();
  const { objects } = await BUCKET.list({ prefix: `twins/${personOf(owner)}/` });
  assert.equal(objects.length, 1);
  assert.ok(!Buffer.from(await (await BUCKET.get(objects[0].key)).arrayBuffer()).includes("MARKER"));
  const { session_id, response } = await owner.say("marker?", { twin: twin_id });
  assert.equal(response, "My marker is MARKER-one.");
  assert.equal((await owner.json("PUT", `/twins/${twin_id}`, { body: "I am Bo. MARKER-two", type: "text/markdown" })).version, 2);
  assert.equal((await owner.say("marker?", { session_id })).response, "My marker is MARKER-two.");
  assert.equal((await BUCKET.list({ prefix: `twins/${personOf(owner)}/` })).objects.length, 1, "the old version is gone");
  assert.equal((await owner.json("GET", `/twins/${twin_id}`)).source, "I am Bo. MARKER-two");
});

test("the deployment's own persona is cached, and reloaded when it changes", async () => {
  const { BUCKET } = await stack.chat.getEnv();
  await BUCKET.put("twin/me.txt", "MARKER-first");
  await until("the first persona", async () => (await visitor().say("marker?")).response.includes("MARKER-first"));
  await BUCKET.put("twin/me.txt", "MARKER-second");
  await until("the second persona", async () => (await visitor().say("marker?")).response.includes("MARKER-second"), { every: 500 });
  await BUCKET.put("twin/me.txt", new Uint8Array([0xff, 0xfe, 0x00]));
  const broken = await until("the broken one", async () => { const answer = await visitor().ask("POST", "/chat", { body: { message: "hi" } }); return answer.status === 500 && answer; }, { every: 500 });
  assert.match((await broken.json()).type, /\/persona-malformed$/);
  await BUCKET.delete("twin/me.txt");
  await until("the bundled one", async () => (await visitor().ask("POST", "/chat", { body: { message: "hi" } })).status === 200, { every: 500 });
});

test("what is wrong with an upload is said; nothing is cut", async () => {
  const owner = visitor();
  const check = async (body, type, status, detail) => {
    const response = await owner.ask("POST", "/twins", { body, type });
    assert.equal(response.status, status);
    assert.match((await response.json()).detail, detail);
  };
  await check("long words ".repeat(4_000), "text/plain", 413, /too long: \d+ of at most 6000 tokens/);
  await check("x".repeat(300_000), "text/plain", 413, /bytes/);
  await check(" \n", "text/plain", 400, /empty/);
  await check("{", "application/json", 400, /not a JSON object \(line 1/);
  await check("{\"spec\":\"chara_card_v9\"}", "application/json", 400, /spec is unknown/);
  await check("GIF89a", "image/png", 400, /not a PNG/);
  await check("x", "application/pdf", 400, /content-type/);
});

test("storage that fails is tried again, later and later; what stays away is 503", async () => {
  const owner = visitor();
  const { twin_id } = await owner.upload("I am Bo. MARKER-retry");
  await failR2(stack, owner, 2);
  const began = performance.now();
  assert.equal((await owner.say("marker?", { twin: twin_id })).response, "My marker is MARKER-retry.");
  assert.ok(performance.now() - began >= 250);
  const { twin_id: other } = await owner.upload("I am Bo too.");
  await failR2(stack, owner, 1_000);
  const response = await owner.ask("POST", "/chat", { body: { message: "hi", twin: other } });
  assert.deepEqual([response.status, response.headers.has("retry-after")], [503, true]);
  await failR2(stack, owner, 0);
});

test("a persona that is gone from storage, or damaged there, has an error of its own", async () => {
  const owner = visitor();
  const { BUCKET } = await stack.chat.getEnv();
  for (const [damage, slug] of [[(key) => BUCKET.delete(key), "persona-missing"], [(key) => BUCKET.put(key, "nonsense"), "persona-malformed"]]) {
    const { twin_id } = await owner.upload(`I am ${slug}.`);
    const { objects } = await BUCKET.list({ prefix: `twins/${personOf(owner)}/${twin_id}/` });
    await damage(objects[0].key);
    const response = await owner.ask("POST", "/chat", { body: { message: "hi", twin: twin_id } });
    const problem = await response.json();
    assert.deepEqual([response.status, problem.type], [500, `https://silent-infinity.dev/problems/${slug}`]);
    assert.equal(problem.correlation_id, response.headers.get("x-correlation-id"));
  }
});

test("a link lets a visitor talk and nothing else; taken back, it ends at once", async () => {
  const owner = visitor();
  const { twin_id } = await owner.upload(JSON.stringify(CARD), "application/json");
  const { share, share_id, url } = await owner.json("POST", `/twins/${twin_id}/shares`, { body: { days: 2 } });
  assert.ok(url.endsWith(`/twin/#${share}`));
  const guest = visitor();
  assert.deepEqual(await guest.json("GET", `/shared/${share}`), { twin_id, name: "Ada", greeting: "Hello User." });
  const { response, session_id } = await guest.say("marker?", { share });
  assert.equal(response, "My marker is MARKER-card.");
  assert.ok(!JSON.stringify(model.prompts).includes("MARKER-never"), "notes never enter a prompt");
  assert.equal((await guest.ask("GET", `/twins/${twin_id}`)).status, 404);
  assert.equal((await guest.ask("GET", `/shared/${share.replace(/\.[^.]+$/, ".AAAA")}`)).status, 404);
  assert.equal((await owner.json("GET", `/twins/${twin_id}/shares`)).shares[0].active, true);
  assert.equal((await owner.ask("DELETE", `/twins/${twin_id}/shares/${share_id}`)).status, 204);
  assert.equal((await guest.ask("POST", "/chat", { body: { message: "more", session_id } })).status, 404);
  assert.equal((await guest.ask("GET", `/shared/${share}`)).status, 404);
});

test("facts are remembered with their source across sessions, can be seen and deleted, and go with their session", async () => {
  const alice = visitor();
  const { session_id } = await alice.say("Hi. My name is Alice and I live in New York.");
  const { facts } = await until("the facts", async () => { const found = await alice.json("GET", "/memory"); return found.facts.length === 2 && found; });
  assert.deepEqual(facts.map(({ kind, value }) => [kind, value]), [["name", "Alice"], ["home", "New York"]]);
  assert.deepEqual([facts[0].twin, facts[0].source.event_id, facts[0].source.session_id], ["site", `${session_id}:1`, session_id]);
  const elsewhere = await alice.say("What is my name?");
  assert.notEqual(elsewhere.session_id, session_id);
  assert.equal(elsewhere.response, "Your name is Alice.");
  assert.equal((await visitor().say("What is my name?")).response, "I do not know your name yet.");
  assert.equal((await alice.ask("DELETE", `/memory/${facts[0].fact_id}`)).status, 204);
  assert.equal((await alice.say("What is my name?")).response, "I do not know your name yet.");
  assert.equal((await alice.ask("DELETE", `/memory/${facts[0].fact_id}`)).status, 404);
  await fetch(`${stack.url}/v1/sessions/${session_id}`, { method: "DELETE", headers: { authorization: `Bearer ${alice.token}` } });
  assert.deepEqual((await alice.json("GET", "/memory")).facts, []);
});

test("a long conversation is summary and verbatim: nothing between them, nothing twice", async () => {
  const guest = visitor();
  let session_id;
  const said = Array.from({ length: 14 }, (_, n) => `Message number-${n}-here ${"of some length ".repeat(6)}`);
  for (const message of said) ({ session_id } = await guest.say(message, session_id ? { session_id } : {}));
  const [system, ...messages] = model.about("number-13-here").at(-1);
  const summary = system.content.split("## What was said earlier")[1];
  const first = said.findIndex((message) => message.trim() === messages[0].content.trim());
  assert.ok(first > 0 && first < 13, `verbatim from ${first}`);
  assert.deepEqual(messages.filter(({ role }) => role === "user").map(({ content }) => content.trim()), said.slice(first).map((message) => message.trim()));
  assert.match(summary, new RegExp(`\\(${first * 2} messages\\)`));
  for (const [n] of said.entries()) assert.equal(summary.includes(`number-${n}-here`), n < first, `message ${n}`);
});

test("erasing a person deletes personas, links and memory", async () => {
  const owner = visitor();
  const { twin_id } = await owner.upload("I am to be forgotten.");
  const { share } = await owner.json("POST", `/twins/${twin_id}/shares`, { body: {} });
  await owner.say("My name is Alice", { twin: twin_id });
  const kept = await (await fetch(`${stack.url}/v1/me/export`, { headers: { authorization: `Bearer ${owner.token}` } })).json();
  assert.ok(kept.twins[0].stored.includes("to be forgotten"));
  const erased = await fetch(`${stack.url}/v1/me`, { method: "DELETE", headers: { authorization: `Bearer ${owner.token}` } });
  assert.equal(erased.status, 202);
  assert.equal((await owner.ask("GET", `/twins/${twin_id}`)).status, 404);
  assert.deepEqual((await owner.json("GET", "/memory")).facts, []);
  assert.equal((await visitor().ask("GET", `/shared/${share}`)).status, 404);
  const { BUCKET } = await stack.chat.getEnv();
  await until("the objects to go", async () => (await BUCKET.list({ prefix: `twins/${personOf(owner)}/` })).objects.length === 0);
});

test("another reader of cards (PyPI tavern-card) reads what we export, and we read what it writes", async () => {
  const owner = visitor();
  const { twin_id } = await owner.upload(JSON.stringify(CARD), "application/json");
  const folder = mkdtempSync(join(tmpdir(), "cards-"));
  const export_ = async (format) => Buffer.from(await (await owner.ask("GET", `/twins/${twin_id}/export?format=${format}`)).arrayBuffer());
  for (const [format, file] of [["png", "twin.png"], ["v2", "v2.json"], ["v3", "v3.json"]]) writeFileSync(join(folder, file), await export_(format));
  assert.equal((await export_("source")).toString(), JSON.stringify(CARD), "byte for byte");
  const child = spawn(await python(), [join(root, "tests/python/cards.py"), folder], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => { text += chunk; });
  assert.equal(await new Promise((resolve) => child.once("close", resolve)), 0);
  const { png, v2, v3 } = JSON.parse(text);
  assert.deepEqual([png.spec, v2.spec, v3.spec], ["chara_card_v3", "chara_card_v2", "chara_card_v3"]);
  for (const { data } of [png, v2, v3]) {
    for (const field of ["name", "description", "personality", "first_mes", "tags", "extensions", "creator_notes"]) assert.deepEqual(data[field], CARD.data[field], field);
  }
  const back = await owner.upload(readFileSync(join(folder, "theirs.png")), "image/png");
  assert.deepEqual([back.name, back.format, back.greeting], ["Ada", "card", "Hello User."]);
  // An image keeps its own picture when it is exported again.
  const again = await owner.json("POST", "/twins", { body: await export_("png"), type: "image/png" });
  assert.equal(again.name, "Ada");
});

test("the openai SDK talks with the twin as a model", async () => {
  const { secret } = (await stack.admin().post("/api-keys", { name: "twin", scopes: ["chat"], reason: "talk with the twin" })).body;
  const client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: secret, maxRetries: 0 });
  assert.ok((await client.models.list()).data.some(({ id }) => id === "twin"));
  const ask = (model_, content = "marker?", options) => client.chat.completions.create({ model: model_, messages: [{ role: "user", content }] }, options);
  assert.match((await ask("twin")).choices[0].message.content, /My marker is/);
  const owner = visitor();
  const { twin_id } = await owner.upload("I am Bo. MARKER-sdk");
  const { share } = await owner.json("POST", `/twins/${twin_id}/shares`, { body: {} });
  assert.equal((await ask(`twin/${share}`)).choices[0].message.content, "My marker is MARKER-sdk.");
  assert.equal((await ask(`twin/${twin_id}`, "marker?", { headers: { "x-twin-share": share } })).choices[0].message.content, "My marker is MARKER-sdk.");
  await assert.rejects(ask(`twin/${twin_id}`), (error) => error.status === 404 && error.code === "model_not_found");
  const chunks = await Array.fromAsync(await client.chat.completions.create({ model: `twin/${share}`, stream: true, messages: [{ role: "user", content: "My name is Ann" }, { role: "assistant", content: "Hi." }, { role: "user", content: "What is my name?" }] }));
  assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join(""), "Your name is Ann.");
  await assert.rejects(ask("twin", "status=500"), (error) => error.status === 503);
});
