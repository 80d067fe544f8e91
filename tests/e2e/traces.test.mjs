// Traces: into a real collector in both encodings and into the log, sampled, and without any turn that waits for them.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { startCollector } from "../collector.mjs";
import { mockLlm } from "../mock-llm.mjs";
import { Guest, all, freePort, sleep, startStack, textOf, until } from "../stack.mjs";
import { LiveClient, providers, recording } from "../voice.mjs";

const CALLER = { trace: "4bf92f3577b34da6a3ce929d0e0e4736", span: "00f067aa0ba902b7" };
const [INTERNAL, SERVER, CLIENT] = [1, 2, 3];
const ERROR = 2;

let llm, collector;
before(async () => { [llm, collector] = await Promise.all([mockLlm(), startCollector()]); });
after(async () => { await collector.close(); await llm.close(); });

async function withStack(vars, work) {
  const stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url, LLM_MODEL: "mock", ...vars } });
  try {
    await work(stack);
  } finally {
    await stack.close();
  }
}

const otlp = (url, more = {}) => ({ TRACE_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_ENDPOINT: url, ...more });

/** Says something and reads to the end; what was heard, and which trace it was. */
async function turn(guest, message, headers) {
  const response = await guest.post({ message }, { headers });
  const trace = response.headers.get("x-trace-id");
  assert.match(response.headers.get("traceparent"), new RegExp(`^00-${trace}-[0-9a-f]{16}-0[01]$`));
  const events = await all(response);
  return { response, trace, events, text: textOf(events), turnId: response.headers.get("x-turn-id") };
}

const eventOf = (stack, guest) => until("the event", async () => {
  const [row] = await stack.rows("SELECT event FROM turn_events WHERE session_id = ?", guest.id);
  return row && JSON.parse(row.event);
});

const lines = (stack, event) => stack.server.getLogs()
  .flatMap(({ message }) => { try { return [JSON.parse(message)]; } catch { return []; } })
  .filter((line) => line.event === event);

/** A turn as the collector has it: every span in its place, with the names that the conventions and the design give. */
async function checkTurn(stack, message, headers = {}) {
  const guest = await stack.guest();
  const { trace, response, turnId } = await turn(guest, message, headers);
  const spans = await collector.trace(trace);
  const named = Object.groupBy(spans, ({ name }) => name);
  const event = await eventOf(stack, guest);
  assert.deepEqual(Object.keys(named).toSorted(), ["chat mock", "turn", "turn.db_read", "turn.db_write", "turn.guardrails", "turn.llm", "turn.variant_assignment"]);
  assert.ok(Object.values(named).every((same) => same.length === 1));
  const root = named.turn[0];
  const call = spans.find(({ kind }) => kind === CLIENT);
  for (const span of spans) {
    assert.equal(span.parent, span === root ? (headers.traceparent ? CALLER.span : "") : span === call ? named["turn.llm"][0].id : root.id, span.name);
    assert.equal(span.kind, span === root ? SERVER : span === call ? CLIENT : INTERNAL, span.name);
    assert.ok(span.start >= root.start && span.end >= span.start && span.end <= root.end, span.name);
    assert.equal(span.status, 0);
  }
  assert.equal(response.headers.get("traceparent"), `00-${trace}-${root.id}-01`);
  // The provider's request carries the span that stands for it.
  const [asked] = llm.about(message);
  assert.equal(asked.headers.traceparent, `00-${trace}-${call.id}-01`);
  assert.equal(asked.headers.tracestate, headers.tracestate);
  assert.equal(event.trace_id, trace);
  assert.deepEqual(root.resource, {
    "service.name": "silent-infinity-chat", "service.version": "0.1.0", "deployment.environment.name": "test",
    "telemetry.sdk.language": "rust", "telemetry.sdk.name": "silent-infinity", "telemetry.sdk.version": "0.1.0",
  });
  for (const [name, value] of Object.entries({
    "gen_ai.conversation.id": guest.id, "turn.id": turnId, "turn.seq": 1, "turn.status": "done", "turn.product": "companion",
    "turn.prompt_version": event.prompt_version, "crisis.level": 0, "crisis.override": false,
    ...Object.fromEntries(Object.entries(event.variants).map(([category, id]) => [`variant.${category.toLowerCase()}`, id])),
  })) assert.deepEqual(root.attributes[name], value, name);
  for (const [name, value] of Object.entries({
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "mock",
    "gen_ai.response.model": "mock-1", "gen_ai.response.finish_reasons": ["stop"], "gen_ai.conversation.id": guest.id,
    "gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 3,
  })) assert.deepEqual(call.attributes[name], value, name);
  const { "llm.ttft": ttft, "llm.stream_complete": complete } = named["turn.llm"][0].events;
  assert.ok(call.start <= ttft && ttft <= complete && complete <= named["turn.llm"][0].end);
  assert.equal(named["turn.variant_assignment"][0].attributes["variant.llm_model"], event.variants.LLM_MODEL);
  assert.equal(named["turn.guardrails"][0].attributes["crisis.level"], 0);
  // No word of the conversation, and nobody's id.
  const everything = JSON.stringify(spans);
  assert.ok(!everything.includes(message) && !everything.includes("word0") && !everything.includes(guest.personId()));
  return { guest, root };
}

test("a turn is a trace in the collector, over protocol buffers", async () => {
  await withStack(otlp(collector.url, { OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b" }), async (stack) => {
    await checkTurn(stack, "binary plain words=3");

    // The caller's trace goes on, with what others put into it.
    const { root } = await checkTurn(stack, "binary called words=3", { traceparent: `00-${CALLER.trace}-${CALLER.span}-01`, tracestate: "rojo=1,congo=t61" });
    assert.equal(root.trace, CALLER.trace);
    assert.equal(root.state, "rojo=1,congo=t61");
    assert.equal(root.flags, 0x301, "sampled, and the parent is known to be remote");

    // What is no context begins a trace of its own; what the caller does not want is not kept.
    const guest = await stack.guest();
    const broken = await turn(guest, "binary broken words=1", { traceparent: `00-${CALLER.trace}-${CALLER.span}-01-`, tracestate: "foo=1" });
    assert.notEqual(broken.trace, CALLER.trace);
    const [asked] = llm.about("binary broken");
    assert.equal(asked.headers.tracestate, undefined);
    assert.equal((await collector.trace(broken.trace)).find(({ name }) => name === "turn").parent, "");
    const unwanted = "0af7651916cd43dd8448eb211c80319c";
    await turn(guest, "binary unwanted words=1", { traceparent: `00-${unwanted}-${CALLER.span}-00` });
    assert.match(llm.about("binary unwanted")[0].headers.traceparent, new RegExp(`^00-${unwanted}-[0-9a-f]{16}-00$`));
    // Whoever comes back to a turn hears of the same trace.
    const again = await guest.ask("GET", `${guest.path}/turns/${broken.turnId}/stream`);
    assert.equal(again.headers.get("x-trace-id"), broken.trace);
    await again.text();
    await collector.trace((await turn(guest, "binary last words=1")).trace);
    assert.ok(collector.spans.every(({ trace }) => trace !== unwanted));
  });
});

test("a completion of the OpenAI-compatible door is one too", async () => {
  await withStack(otlp(collector.url), async (stack) => {
    const { secret } = (await stack.admin().post("/api-keys", { name: "traces", scopes: ["chat"], reason: "talk through the door" })).body;
    for (const stream of [false, true]) {
      const message = `door stream=${stream} words=2`;
      const response = await fetch(`${stack.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", traceparent: `00-${stream ? "a" : "b"}${CALLER.trace.slice(1)}-${CALLER.span}-01` },
        body: JSON.stringify({ model: "companion", stream, messages: [{ role: "user", content: message }] }),
      });
      assert.equal(response.status, 200, await response.text());
      const spans = await collector.trace(response.headers.get("x-trace-id"));
      const root = spans.find(({ name }) => name === "turn");
      assert.deepEqual([root.parent, root.attributes["turn.product"], root.attributes["turn.status"]], [CALLER.span, "api", "done"]);
      const call = spans.find(({ kind }) => kind === CLIENT);
      assert.equal(llm.about(message)[0].headers.traceparent, `00-${root.trace}-${call.id}-01`);
    }
  });
});

test("and over JSON", async () => {
  await withStack(otlp(collector.url, { OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }), async (stack) => {
    await checkTurn(stack, "json plain words=3");
  });
});

test("of what is not sampled, errors and crises are kept", async () => {
  await withStack(otlp(collector.url, { TRACE_SAMPLE_RATIO: "0" }), async (stack) => {
    const guest = await stack.guest();
    const plain = await turn(guest, "sampled not words=2");
    assert.match(plain.response.headers.get("traceparent"), /-00$/);
    const failed = await turn(guest, "sampled error status=400");
    const spans = await collector.trace(failed.trace);
    const of = (name) => spans.find((span) => span.name.startsWith(name));
    for (const name of ["turn", "turn.llm", "chat "]) {
      assert.deepEqual([of(name).status, of(name).attributes["error.type"]], [ERROR, "provider-status"], name);
    }
    // Each attempt is a span, whose id its request carried.
    const twice = await turn(guest, "sampled twice status=500");
    const calls = (await collector.trace(twice.trace)).filter(({ kind }) => kind === CLIENT);
    const sent = llm.about("sampled twice").map(({ headers }) => headers.traceparent);
    assert.ok(sent.length >= 2);
    assert.deepEqual(calls.map(({ id }) => `00-${twice.trace}-${id}-00`).toSorted(), sent.toSorted());
    assert.ok(calls.every(({ status }) => status === ERROR));
    const crisis = await turn(guest, "I want to die");
    const kept = await collector.trace(crisis.trace);
    const root = kept.find(({ name }) => name === "turn");
    assert.deepEqual([root.attributes["crisis.level"], root.attributes["crisis.override"], root.status], [2, true, 0]);
    assert.ok(kept.every(({ name }) => !name.startsWith("chat ")), "no model was asked");
    await sleep(300);
    assert.ok(collector.spans.every(({ trace }) => trace !== plain.trace));
  });
});

/** A collector's front that does what it is told: `[503, { "retry-after": "1" }]`, or nothing at all. */
async function front(answers) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request);
    seen.push({ path: request.url, headers: request.headers, at: performance.now() });
    const [status, headers] = answers.shift() ?? [200];
    if (status === 0) return undefined;
    if (status !== 200) return response.writeHead(status, headers).end("no");
    const passed = await fetch(`${collector.url}/v1/traces`, { method: "POST", headers: { "content-type": request.headers["content-type"] }, body: Buffer.concat(chunks) });
    return response.writeHead(passed.status, { "content-type": passed.headers.get("content-type") }).end(Buffer.from(await passed.arrayBuffer()));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, seen, close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

test("a collector that is busy is asked again, one that refuses is not, and one that is silent holds nobody up", async (t) => {
  const busy = await front([[503, { "retry-after": "2" }], [429], [200], [400], [0]]);
  t.after(busy.close);
  await withStack(otlp(`${busy.url}/base/`, { OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b,Authorization=Basic%20eA==", OTEL_EXPORTER_OTLP_TIMEOUT: "1500" }), async (stack) => {
    const guest = await stack.guest();
    const first = await turn(guest, "busy one words=2");
    await collector.trace(first.trace);
    const [one, two, three] = busy.seen;
    assert.ok(two.at - one.at >= 1_950 && three.at - two.at >= 950, "Retry-After, then the back-off");
    assert.equal(one.path, "/base/v1/traces");
    assert.deepEqual([one.headers["content-type"], one.headers["x-key"], one.headers.authorization], ["application/x-protobuf", "a b", "Basic eA=="]);

    const refused = await turn(guest, "busy two words=2");
    const lost = await until("the loss in the log", () => lines(stack, "traces-lost").at(-1));
    assert.deepEqual([lost.level, lost.cause], ["warn", "collector-refused"]);
    assert.ok(lost.spans >= 7);
    assert.equal(busy.seen.length, 4);
    assert.ok(collector.spans.every(({ trace }) => trace !== refused.trace));

    // The third is not answered at all: turns go on meanwhile, and what they leave goes along with it later.
    const began = performance.now();
    const silent = await turn(guest, "busy three words=2");
    const next = await turn(guest, "busy four words=2");
    assert.ok(performance.now() - began < 1_400, "two turns within the time-out of one export");
    assert.equal(busy.seen.length, 5);
    await Promise.all([collector.trace(silent.trace), collector.trace(next.trace)]);
    assert.equal(busy.seen.length, 7);
  });
});

test("with the collector away every turn is answered and recorded, and the log counts what was lost", async () => {
  const away = `http://127.0.0.1:${await freePort()}`;
  await withStack(otlp(away), async (stack) => {
    const guest = await stack.guest();
    for (const n of [1, 2, 3]) {
      const { events, text } = await turn(guest, `away n=${n} words=2 delay=0`);
      assert.equal(text, "word0. word1. ");
      assert.equal(events.at(-2).data.type, "finish");
    }
    const rows = await until("three events", async () => {
      const found = await stack.rows("SELECT event FROM turn_events WHERE session_id = ?", guest.id);
      return found.length === 3 && found;
    });
    assert.ok(rows.every(({ event }) => JSON.parse(event).status === "done"));
    const lost = await until("the count", () => { const all = lines(stack, "traces-lost"); return all.length >= 2 && all.at(-1); }, { timeout: 40_000 });
    // The local runtime says that nobody is there by a status of its own.
    assert.match(lost.cause, /^collector-(away|refused)$/);
    assert.ok(lost.spans_in_all >= 21, `${lost.spans_in_all}`);
  });
});

test("into the log: one line for each span, without a word of the conversation", async () => {
  await withStack({ TRACE_EXPORTER: "stdout", OTEL_SERVICE_NAME: "companion" }, async (stack) => {
    const guest = await stack.guest();
    const { trace } = await turn(guest, "logged zebra words=3");
    const spans = await until("the lines", () => {
      const found = lines(stack, "span").filter(({ traceId }) => traceId === trace);
      return found.some(({ name }) => name === "turn") && found;
    });
    assert.equal(spans.length, 7);
    for (const span of spans) {
      assert.match(span.spanId, /^[0-9a-f]{16}$/);
      assert.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
      assert.deepEqual([span.level, span.correlation_id, span.service], ["info", trace, "companion"]);
    }
    const everything = JSON.stringify(stack.server.getLogs());
    assert.ok(!everything.includes("zebra") && !everything.includes("word0"));
  });
});

test("hearing and speaking are spans of a spoken turn, over HTTP and live", async () => {
  const vendors = await providers();
  const stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url, LLM_MODEL: "mock", ...otlp(collector.url) }, voiceVars: vendors.vars, voiceSecrets: vendors.secrets });
  /** The spans of a person's only turn, once its voice is over. */
  const spoken = async (guest) => {
    const { trace_id } = await eventOf(stack, guest);
    return until("the voice's spans", async () => {
      const spans = await collector.trace(trace_id);
      return spans.some(({ name }) => name === "turn.tts") && spans;
    });
  };
  const check = (spans) => {
    const root = spans.find(({ name }) => name === "turn");
    const [stt, tts] = ["turn.stt", "turn.tts"].map((wanted) => spans.filter(({ name }) => name === wanted));
    assert.equal(stt.length, 1);
    assert.ok(tts.length >= 1);
    for (const span of [...stt, ...tts]) {
      assert.deepEqual([span.parent, span.kind, span.attributes["speech.provider"]], [root.id, CLIENT, "first"]);
      assert.ok(span.end >= span.start);
    }
    assert.ok(stt[0].start <= root.start, "it is heard before it is answered");
  };
  try {
    const guest = await Guest.begin(stack.url);
    await all(await fetch(`${stack.url}${guest.path}/voice-turns`, { method: "POST", body: recording("traced words=6"), headers: { authorization: `Bearer ${guest.token}`, "content-type": "audio/wav" } }));
    check(await spoken(guest));
    const caller = await Guest.begin(stack.url);
    const client = await LiveClient.open(stack.url, `${caller.path}/live`, { token: caller.token });
    await client.say("traced live words=4");
    await client.finish(0);
    check(await spoken(caller));
    await client.close();
  } finally {
    await stack.close();
    await vendors.close();
  }
});
