// Sessions and turns, sentence by sentence of what they promise, on workerd against a model server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mockLlm } from "../mock-llm.mjs";
import { Guest, all, eventsOf, sleep, startStack, textOf, until } from "../stack.mjs";

let stack, llm;
before(async () => {
  llm = await mockLlm();
  // Its model fails again and again, on purpose.
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url } });
});
after(async () => { await stack.close(); await llm.close(); });

const types = (events) => events.map(({ data }) => data.type ?? data);

test("a session begins with everything a client needs", async () => {
  const response = await fetch(`${stack.url}/v1/sessions`, { method: "POST" });
  assert.equal(response.status, 201);
  assert.match(response.headers.get("set-cookie"), /^si_token=[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/);
  const body = await response.json();
  assert.deepEqual(Object.keys(body).toSorted(), ["assignment", "created_at", "disclosure", "session_id", "starters", "token"]);
  assert.equal(Object.keys(body.assignment.variants).length, 12);
  assert.ok([5, 7, 10].includes(body.starters.length));
  assert.match(body.disclosure.text, /AI, not a person/);
  // The cookie alone opens it, as a browser would.
  const cookie = response.headers.get("set-cookie").split(";")[0];
  const read = await fetch(`${stack.url}/v1/sessions/${body.session_id}`, { headers: { cookie } });
  const session = await read.json();
  assert.deepEqual(session.assignment, body.assignment);
  assert.deepEqual(session.starters, body.starters);
});

test("everything answers on one origin", async () => {
  const health = await (await fetch(`${stack.url}/v1/health`)).json();
  assert.deepEqual(health.workers, { chat: "ok", voice: "ok", admin: "ok", safety: "ok" });
  assert.deepEqual(health.voice, { hears: false, speaks: false });
  for (const path of ["/admin/health", "/voice/health"]) assert.equal((await fetch(stack.url + path)).status, 200, path);
  assert.match(await (await fetch(`${stack.url}/c/whatever`)).text(), /<title>Silent Infinity<\/title>/);
});

test("a turn streams, is kept, and lists under its first words", async () => {
  const guest = await stack.guest();
  const response = await guest.post({ message: "The rain kept me awake. words=4" });
  assert.equal(response.headers.get("x-vercel-ai-ui-message-stream"), "v1");
  const events = await all(response);
  assert.deepEqual(types(events), ["start", "start-step", "text-start", ...Array(4).fill("text-delta"), "text-end", "finish-step", "message-metadata", "finish", "[DONE]"]);
  assert.deepEqual(events.map(({ id }) => id), events.map((_, index) => index));
  assert.equal(textOf(events), "word0. word1. word2. word3. ");
  const { messages } = await guest.history();
  assert.deepEqual(messages.map(({ role, parts }) => [role, parts[0].text]), [["user", "The rain kept me awake. words=4"], ["assistant", "word0. word1. word2. word3. "]]);
  assert.equal(messages[1].metadata.model, "mock-1");
  const listed = await until("the title", async () => (await guest.json("GET", "/v1/sessions")).sessions.find(({ title }) => title));
  assert.deepEqual([listed.title, listed.turns, listed.session_id], ["The rain kept me awake", 1, guest.id]);
});

test("turns run strictly one after another, in order of arrival, while a model streams", async () => {
  const guest = await stack.guest();
  const streams = [];
  for (const n of [1, 2, 3]) {
    streams.push(guest.post({ message: `order-${guest.id} n=${n} words=8 delay=25` }).then(all));
    await sleep(30);
  }
  const done = await Promise.all(streams);
  assert.equal(types(done[2]).at(-1), "[DONE]");
  assert.deepEqual(done[2][0].data.data.position, 2);
  const asked = llm.about(`order-${guest.id}`);
  assert.deepEqual(asked.map(({ said }) => Number(/n=(\d)/.exec(said)[1])), [1, 2, 3]);
  for (const [one, next] of [[asked[0], asked[1]], [asked[1], asked[2]]]) assert.ok(next.began >= one.ended - 5, "overlap");
  // Each sees what was said before it.
  assert.equal(asked[2].ask.messages.length, 1 + 5);
});

test("a full queue answers 429 with Retry-After and loses nothing", async () => {
  const guest = await stack.guest();
  const answers = [];
  for (let n = 0; n < 10; n++) answers.push(await guest.post({ message: `full n=${n} words=2 delay=0 first=${n === 0 ? 2500 : 0}` }));
  assert.deepEqual(answers.map(({ status }) => status), [...Array(9).fill(200), 429]);
  assert.equal(answers[9].headers.get("retry-after"), "5");
  assert.match((await answers[9].json()).type, /\/queue-full$/);
  const done = await Promise.all(answers.slice(0, 9).map(all));
  assert.ok(done.every((events) => textOf(events) === "word0. word1. "));
});

test("an Idempotency-Key returns the first result, while it runs and afterwards", async () => {
  const guest = await stack.guest();
  const headers = { "idempotency-key": "key-1" };
  const body = { message: `again-${guest.id} words=6 delay=30` };
  const first = await guest.post(body, { headers });
  await sleep(60);
  const second = await guest.post(body, { headers });
  assert.equal(second.headers.get("x-turn-id"), first.headers.get("x-turn-id"));
  const [one, two] = await Promise.all([all(first), all(second)]);
  assert.deepEqual(two, one);
  assert.deepEqual(await all(await guest.post(body, { headers })), one);
  assert.equal(llm.about(`again-${guest.id}`).length, 1);
  const other = await guest.post({ message: "something else" }, { headers });
  assert.equal(other.status, 422);
  assert.match((await other.json()).type, /\/idempotency-key-reused$/);
});

test("a dropped connection does not stop the turn; Last-Event-ID loses and doubles nothing", async () => {
  const guest = await stack.guest();
  const marker = `drop-${guest.id}`;
  const gone = new AbortController();
  const response = await guest.post({ message: `${marker} words=20 delay=25` }, { signal: gone.signal });
  const turn = response.headers.get("x-turn-id");
  const seen = [];
  for await (const event of eventsOf(response)) {
    seen.push(event);
    if (seen.length === 6) break;
  }
  gone.abort();
  await sleep(120);
  const rest = await all(await guest.ask("GET", `${guest.path}/turns/${turn}/stream`, { headers: { "last-event-id": String(seen.at(-1).id) } }));
  assert.deepEqual([...seen, ...rest].map(({ id }) => id), Array.from({ length: seen.length + rest.length }, (_, n) => n));
  assert.equal(textOf([...seen, ...rest]), Array.from({ length: 20 }, (_, n) => `word${n}. `).join(""));
  assert.equal(llm.about(marker)[0].aborted, false);
  const stored = await all(await guest.ask("GET", `${guest.path}/turns/${turn}/stream`, { headers: { "last-event-id": "4" } }));
  assert.deepEqual(stored, [...seen, ...rest].slice(5));
});

test("a connection that is lost before the first token gets everything later", async () => {
  const guest = await stack.guest();
  const gone = new AbortController();
  const response = await guest.post({ message: "early words=3 first=400" }, { signal: gone.signal });
  const turn = response.headers.get("x-turn-id");
  gone.abort();
  const resumed = await guest.ask("GET", `${guest.path}/stream`);
  assert.equal(resumed.status, 200);
  assert.equal(resumed.headers.get("x-turn-id"), turn);
  assert.equal(textOf(await all(resumed)), "word0. word1. word2. ");
  assert.equal((await guest.ask("GET", `${guest.path}/stream`)).status, 204);
});

test("stop ends the turn with what was said so far; a late stop changes nothing", async () => {
  const guest = await stack.guest();
  const marker = `stop-${guest.id}`;
  const response = await guest.post({ message: `${marker} words=200 delay=25` });
  const turn = response.headers.get("x-turn-id");
  const reading = all(response);
  await until("some words", () => llm.about(marker)[0]?.words > 3);
  assert.equal((await guest.json("POST", `${guest.path}/turns/${turn}/stop`)).status, "stopped");
  const events = await reading;
  assert.deepEqual(types(events).slice(-4), ["finish-step", "message-metadata", "abort", "[DONE]"]);
  const { messages } = await guest.history();
  assert.equal(messages[1].metadata.status, "stopped");
  assert.equal(messages[1].parts[0].text, textOf(events));
  assert.ok(textOf(events).startsWith("word0. "));
  assert.equal((await guest.json("POST", `${guest.path}/turns/${turn}/stop`)).status, "stopped");
  assert.equal(textOf(await guest.say("next words=1")), "word0. ");
});

test("a turn that waits can be stopped before it runs", async () => {
  const guest = await stack.guest();
  const first = guest.post({ message: "busy words=10 delay=30" }).then(all);
  await sleep(50);
  const waiting = await guest.post({ message: `never-${guest.id}` });
  await guest.json("POST", `${guest.path}/turns/${waiting.headers.get("x-turn-id")}/stop`);
  assert.deepEqual(types(await all(waiting)).slice(-2), ["abort", "[DONE]"]);
  await first;
  assert.equal(llm.about(`never-${guest.id}`).length, 0);
});

test("regenerate and edit-last append and never overwrite", async () => {
  const guest = await stack.guest();
  await guest.say("one words=1");
  const second = await guest.post({ message: "two words=2" });
  const turn = second.headers.get("x-turn-id");
  await all(second);
  const again = await guest.post({ regenerate: turn });
  const newer = again.headers.get("x-turn-id");
  assert.equal(textOf(await all(again)), "word0. word1. ");
  await all(await guest.post({ message: "zwei words=3", replaces: newer }));
  const visible = (await guest.history()).messages;
  assert.deepEqual(visible.filter(({ role }) => role === "user").map(({ parts }) => parts[0].text), ["one words=1", "zwei words=3"]);
  const everything = (await guest.history("?replaced=include")).messages;
  assert.equal(everything.length, 8);
  assert.equal(everything.find(({ metadata }) => metadata.turn_id === turn).metadata.replaced_by, newer);
  // What was replaced is not said to the model again.
  assert.deepEqual(llm.about("zwei").at(-1).ask.messages.map(({ role }) => role), ["system", "user", "assistant", "user"]);
  const stale = await guest.post({ regenerate: turn });
  assert.equal(stale.status, 409);
  assert.match((await stale.json()).type, /\/not-last-turn$/);
});

test("a model that fails is told as a failure, never as a whole answer", async () => {
  const guest = await stack.guest();
  for (const [fault, error, text] of [
    ["status=500", "provider-status", ""],
    ["status=429", "provider-busy", ""],
    ["fault=cut@2", "provider-truncated", "word0. word1. "],
    ["fault=unfinished", "provider-truncated", "word0. word1. word2. word3. "],
    ["fault=garbage@1", "provider-protocol", "word0. "],
    ["fault=error@1", "provider-in-stream", "word0. "],
  ]) {
    const events = await guest.say(`${fault} words=4`);
    assert.deepEqual(types(events).slice(-2), ["error", "[DONE]"], fault);
    assert.equal(textOf(events), text, fault);
    const { messages } = await guest.history();
    const event = await until(`the event of ${fault}`, async () => (await stack.rows("SELECT event FROM turn_events WHERE turn_id = ?", messages.at(-1).metadata.turn_id))[0]);
    assert.equal(JSON.parse(event.event).error, error, fault);
    assert.equal(messages.at(-1).metadata.status, "failed");
  }
});

test("a crisis never reaches the model", async () => {
  const guest = await Guest.begin(stack.url, { locale: "de-DE" });
  const events = await guest.say(`ich will sterben. crisis-${guest.id}`);
  assert.ok(textOf(events).includes("Ich bin eine KI"));
  const safety = events.find(({ data }) => data.type === "data-safety").data.data;
  assert.equal(safety.level, 2);
  assert.ok(safety.resources.length > 0);
  assert.equal(llm.about(`crisis-${guest.id}`).length, 0);
  const [row] = await until("its event", async () => {
    const rows = await stack.rows("SELECT event FROM turn_events WHERE session_id = ?", guest.id);
    return rows.length > 0 && rows;
  });
  const event = JSON.parse(row.event);
  assert.equal(event.crisis_override, true);
  assert.equal(event.variants.SYSTEM_PROMPT, "v2-sha-current");
  assert.equal(event.provider, "safety");
  // From level 3 on the session stays there.
  await guest.say("I'm going to kill myself");
  await guest.say(`tell me a joke. crisis-${guest.id}`);
  assert.equal(llm.about(`crisis-${guest.id}`).length, 0);
});

test("the message, the event and its trace agree", async () => {
  const guest = await stack.guest();
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  await guest.say("count words=3", { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } });
  const [row] = await until("the event", async () => {
    const rows = await stack.rows("SELECT * FROM turn_events WHERE session_id = ?", guest.id);
    return rows.length > 0 && rows;
  });
  const event = JSON.parse(row.event);
  assert.deepEqual(event.usage, { input_tokens: 11, output_tokens: 3 });
  assert.equal(event.trace_id, trace);
  assert.equal(event.model, "mock-1");
  assert.equal(event.status, "done");
  assert.match(event.prompt_version, /^companion@\d-[0-9a-f]{8}$/);
  assert.deepEqual(event.variants, guest.created.assignment.variants);
  assert.equal(llm.about("count words=3").at(-1).headers.traceparent, `00-${trace}-${event.attempts[0].span_id}-01`);
});
