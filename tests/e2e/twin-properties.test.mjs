// Properties 1 and 4 to 7 of a twin on workerd: at least 100 random runs each, or a lint where it is one. Properties 1 to 3
// of the pure part: shared/core/src/persona/tests/properties.rs; 4 of the rule itself: workers/chat/src/transport.rs.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { unstable_readConfig as readConfig } from "wrangler";
import { files } from "../../scripts/lib.mjs";
import { mockLlm } from "../mock-llm.mjs";
import { root, startStack } from "../stack.mjs";
import { Visitor, failR2, faultyBucket, personOf, random } from "./twin-kit.mjs";

const RUNS = 100;
const CANARY = "canary-of-what-was-said";

let llm, stack;
before(async () => {
  llm = await mockLlm({ defaults: "delay=0 words=1" });
  stack = await startStack({ chatConfig: await faultyBucket(), vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url, LLM_IDLE_TIMEOUT_MS: "1000" } });
});
after(async () => { await stack?.close(); await llm?.close(); });

const logs = () => stack.server.getLogs().map((entry) => entry.message ?? entry.text ?? JSON.stringify(entry));

test(`property 1: what is stored is read byte for byte, ordered by seq (${RUNS} messages)`, async () => {
  const { text, below } = random(1);
  for (let session = 0; session < 5; session++) {
    const guest = new Visitor(stack.url);
    const said = Array.from({ length: RUNS / 5 }, () => `${text(1 + below(60))}.`);
    let session_id;
    for (const message of said) ({ session_id } = await guest.say(message, session_id ? { session_id } : {}));
    const { messages } = await guest.json("GET", `/chat/history/${session_id}`);
    assert.deepEqual(messages.filter(({ role }) => role === "user").map(({ content }) => content), said);
    assert.deepEqual(messages.map(({ role }) => role), said.flatMap(() => ["user", "assistant"]));
    assert.deepEqual(messages.map(({ timestamp }) => timestamp), messages.map(({ timestamp }) => timestamp).toSorted());
  }
});

test(`property 4: in plain from elsewhere, a GET is sent on to HTTPS and all else refused; HTTPS says HSTS (${RUNS} requests)`, async () => {
  const { pick, below } = random(4);
  for (let run = 0; run < RUNS; run++) {
    const host = pick(["twin.example", "a.b.example.org", "203.0.113.7", "localhost.example", `x${below(1000)}.example:8080`]);
    const path = pick(["/api/health", "/v1/health", "/v1/sessions?limit=3", "/api/chat", "/api/twins/x"]);
    const method = pick(["GET", "HEAD", "POST", "PUT", "DELETE"]);
    const secure = below(2) === 0;
    const response = await stack.chat.fetch(`${secure ? "https" : "http"}://${host}${path}`, { method, redirect: "manual", ...(["POST", "PUT"].includes(method) ? { body: "{}", headers: { "content-type": "application/json" } } : {}) });
    const seen = `${method} ${secure} ${host}${path}: ${response.status}`;
    if (secure) {
      assert.match(response.headers.get("strict-transport-security") ?? "", /^max-age=31536000/, seen);
      assert.notEqual(response.status, 308, seen);
    } else if (["GET", "HEAD"].includes(method)) {
      assert.deepEqual([response.status, response.headers.get("location")], [308, `https://${host.replace(":8080", "")}${path}`], seen);
    } else {
      assert.equal(response.status, 403, seen);
      assert.equal(response.headers.get("strict-transport-security"), null, seen);
    }
    await response.body?.cancel();
  }
});

// What each Worker may reach, and why it needs it. Another binding is another capability: it is declared here first.
const CAPABILITIES = {
  chat: ["ASSETS", "DB", "REGISTRY", "BUCKET", "EVENTS", "VOICE", "ADMIN", "SAFETY", "SESSIONS", "PERSONS", "REGISTRY_OBJECT", "BUDGETS", "RATE_PERSON", "RATE_ADDRESS"],
  safety: [],
};
const CONFIGS = { chat: "wrangler.toml", safety: "workers/safety/wrangler.toml", voice: "workers/voice/wrangler.toml", admin: "workers/admin/wrangler.toml" };

/** The names of everything that a configuration binds beside plain variables. */
function bindingsOf(config) {
  const named = (list, key = "binding") => (list ?? []).map((entry) => entry[key]);
  return [
    ...(config.assets?.binding ? [config.assets.binding] : []), ...named(config.d1_databases), ...named(config.kv_namespaces), ...named(config.r2_buckets),
    ...named(config.queues?.producers), ...named(config.services), ...named(config.durable_objects?.bindings, "name"), ...named(config.ratelimits, "name"),
    ...named(config.hyperdrive), ...named(config.vectorize), ...(config.ai ? [config.ai.binding] : []), ...(config.browser ? [config.browser.binding] : []),
    ...named(config.send_email, "name"), ...named(config.analytics_engine_datasets), ...named(config.dispatch_namespaces), ...named(config.workflows),
  ];
}

test("property 5 (lint): each Worker's bindings equal its declared capabilities, in every environment, and the code uses them", () => {
  for (const [name, declared] of Object.entries(CAPABILITIES)) {
    for (const env of [undefined, "production"]) {
      const config = readConfig({ config: join(root, CONFIGS[name]), env }, { hideWarnings: true });
      const wanted = config.assets || name !== "chat" ? declared : declared.filter((binding) => binding !== "ASSETS");
      assert.deepEqual(bindingsOf(config).toSorted(), wanted.toSorted(), `${name} ${env ?? "local"}`);
    }
    const source = files([`workers/${name}/src`, "shared/edge/src"], (path) => path.endsWith(".rs")).map((path) => readFileSync(join(root, path), "utf8")).join("\n");
    for (const binding of declared) assert.ok(source.includes(`"${binding}"`), `${name} never uses ${binding}`);
  }
  // For the Workers whose capabilities are declared by their own tests: the two environments agree.
  for (const name of ["voice", "admin"]) {
    const [local, production] = [undefined, "production"].map((env) => bindingsOf(readConfig({ config: join(root, CONFIGS[name]), env }, { hideWarnings: true })).toSorted());
    assert.deepEqual(production, local, name);
  }
});

test(`property 6: every injected fault gives one JSON log with its correlation id and nothing that was said (${RUNS} faults)`, async () => {
  const { pick, text } = random(6);
  const { BUCKET } = await stack.chat.getEnv();
  const owner = new Visitor(stack.url);
  const twins = {};
  for (const kind of ["missing", "malformed", "sound"]) {
    const { twin_id } = await owner.upload(`I am ${kind}. ${CANARY}-persona`);
    const { objects } = await BUCKET.list({ prefix: `twins/${personOf(owner)}/${twin_id}/` });
    if (kind === "missing") await BUCKET.delete(objects[0].key);
    if (kind === "malformed") await BUCKET.put(objects[0].key, `${CANARY}-damage`);
    twins[kind] = twin_id;
  }
  const FAULTS = {
    missing: { status: 500, slug: "persona-missing", body: () => ({ twin: twins.missing }) },
    malformed: { status: 500, slug: "persona-malformed", body: () => ({ twin: twins.malformed }) },
    "model refuses": { status: 503, slug: "unavailable", say: "status=500" },
    "model is busy": { status: 503, slug: "unavailable", say: "status=429" },
    "model breaks off": { status: 503, slug: "unavailable", say: "words=4 fault=cut@2" },
    "model talks nonsense": { status: 503, slug: "unavailable", say: "words=4 fault=garbage@1" },
    "model never ends": { status: 503, slug: "unavailable", say: "words=2 fault=unfinished" },
    "storage is away": { status: 503, slug: "unavailable", body: () => ({ twin: twins.away }), before: async () => {
      twins.away = (await owner.upload("I am away.")).twin_id;
      await failR2(stack, owner, 4);
    } },
  };
  const told = [];
  for (let run = 0; run < RUNS; run++) {
    // The waits of storage are long: now and then is often enough.
    const kind = run % 25 === 0 ? "storage is away" : pick(Object.keys(FAULTS).slice(0, -1));
    const fault = FAULTS[kind];
    await fault.before?.();
    // Faults of storage are the owner's; each model fault meets somebody new.
    const guest = fault.body ? owner : new Visitor(stack.url);
    if (fault.body) guest.address = `10.9.0.${run}`;
    const response = await guest.ask("POST", "/chat", { body: { message: `${CANARY} ${text(8).replaceAll("data:", "")} ${fault.say ?? ""}`, ...fault.body?.() } });
    const problem = await response.json();
    assert.deepEqual([response.status, problem.type], [fault.status, `https://silent-infinity.dev/problems/${fault.slug}`], `${kind}: ${JSON.stringify(problem)}`);
    if (fault.status === 503) assert.match(response.headers.get("retry-after"), /^\d+$/);
    const correlation = response.headers.get("x-correlation-id");
    assert.equal(problem.correlation_id, correlation);
    let lines = [];
    for (let wait = 0; wait < 40 && lines.length === 0; wait++) {
      lines = logs().filter((line) => line.includes(correlation));
      if (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assert.equal(lines.length, 1, `${kind}: ${lines.join("\n")}`);
    const line = JSON.parse(lines[0]);
    assert.deepEqual([line.level, line.event, line.correlation_id], ["error", fault.slug, correlation], kind);
    told.push(correlation);
  }
  const written = logs().join("\n");
  for (const correlation of told) assert.equal(written.split(correlation).length, 2, "one line, also a while later");
  assert.ok(!JSON.stringify(stack.server.getLogs()).includes(CANARY), "a log holds what was said");
});

const SECRET_NAMES = /SECRET|KEK|PASSWORD|API_KEY|PRIVATE|CREDENTIAL/;

test("property 7 (lint): secrets come from secret bindings only: no configuration has a value for one, no code reads one as a variable", () => {
  for (const path of Object.values(CONFIGS)) {
    for (const env of [undefined, "production"]) {
      const { vars } = readConfig({ config: join(root, path), env }, { hideWarnings: true });
      for (const name of Object.keys(vars ?? {})) assert.doesNotMatch(name, SECRET_NAMES, `${path}: ${name} is a variable`);
    }
  }
  for (const path of files(["workers", "shared/edge/src"], (name) => name.endsWith(".rs"))) {
    for (const [, name] of readFileSync(join(root, path), "utf8").matchAll(/(?:\.var|text\(\s*env\s*,|list\(\s*env\s*,)\(?\s*"([A-Z_]+)"/g)) assert.doesNotMatch(name, SECRET_NAMES, `${path} reads ${name} as a variable`);
  }
});

test(`property 7: canary secrets are never in a log, an answer or the bundle (${RUNS} requests)`, async () => {
  const env = await stack.chat.getEnv();
  const secrets = [env.TOKEN_SECRET, env.KEK, env.KEK.split(":")[1]];
  assert.ok(secrets.every((secret) => typeof secret === "string" && secret.length >= 40));
  const { pick, text, below } = random(7);
  const guest = new Visitor(stack.url);
  // Not by a turn: after so many faults the model's breaker is open.
  await guest.upload("I am somebody.");
  const forged = [undefined, "Bearer x", `Bearer ${guest.token}x`, `Bearer ${guest.token}`];
  for (let run = 0; run < RUNS; run++) {
    const [method, path] = pick([["GET", "/health"], ["POST", "/chat"], ["GET", "/memory"], ["GET", "/twins"], ["POST", "/twins"], ["GET", "/shared/x.y.z"], ["GET", "/chat/history/ses_x"], ["PUT", "/chat"], ["GET", "/nothing"]]);
    const authorization = pick(forged);
    const body = ["POST", "PUT"].includes(method) ? pick(["{", "{}", JSON.stringify({ message: `${text(6)} status=${pick([200, 500])}` }), text(40)]) : undefined;
    const response = await fetch(`${stack.url}/api${path}`, { method, body, headers: { "cf-connecting-ip": `10.8.${below(200)}.${run}`, "content-type": pick(["application/json", "text/plain"]), ...(authorization ? { authorization } : {}) } });
    const seen = `${JSON.stringify([...response.headers])}${await response.text()}`;
    for (const secret of secrets) assert.ok(!seen.includes(secret), `${method} ${path}`);
  }
  const logged = JSON.stringify(stack.server.getLogs());
  const own = join(root, ".dev.vars");
  const kept = existsSync(own) ? [...readFileSync(own, "utf8").matchAll(/^\w+\s*=\s*"?([^"\n]{16,})"?$/gm)].map(([, value]) => value) : [];
  const bundle = ["build/chat", "build/admin", "build/voice", "build/safety", "web/dist", "web/dist/assets"].filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder)).filter((name) => /\.(js|wasm|html|css|map)$/.test(name)).map((name) => readFileSync(join(root, folder, name), "latin1")));
  assert.ok(bundle.length >= 8);
  for (const secret of [...secrets, ...kept]) {
    assert.ok(!logged.includes(secret), "a log holds a secret");
    assert.ok(bundle.every((file) => !file.includes(secret)), "the bundle holds a secret");
  }
});
