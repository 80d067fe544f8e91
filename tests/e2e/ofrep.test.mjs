// The registry read by OpenFeature's own SDKs over OFREP, and the protocol's fine print.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { python } from "../../scripts/python.mjs";
import { Guest, root, sleep, startStack, until } from "../stack.mjs";

let stack, ada, key;
before(async () => {
  stack = await startStack();
  ada = stack.admin("ada");
  key = (await ada.post("/api-keys", { name: "the tests", scopes: ["flags:read"], reason: "flags for the tests" })).body.secret;
});
after(async () => { await OpenFeature.close(); await stack.close(); });

const evaluate = (path, context, headers = {}) => fetch(`${stack.url}/ofrep/v1/evaluate/flags${path}`, {
  method: "POST",
  headers: { "content-type": "application/json", "x-api-key": key, ...headers },
  body: typeof context === "string" ? context : JSON.stringify({ context }),
});

/** What the admin API says that a person gets. */
const explained = async (person, category) => (await ada.get(`/explain?person_id=${person}&category=${category}`)).body.explanations[0].explanation;

/** Runs a client of its own process; it prints one JSON object a line. */
function client(command, args) {
  const child = spawn(command, args, { env: { ...process.env, FLAGS_URL: stack.url, FLAGS_KEY: key }, stdio: ["ignore", "pipe", "pipe"] });
  const lines = [];
  let text = "", errors = "";
  child.stderr.on("data", (chunk) => { errors += chunk; });
  child.stdout.on("data", (chunk) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
      lines.push(JSON.parse(text.slice(0, end)));
      text = text.slice(end + 1);
    }
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  return { lines, child, ended, errors: () => errors };
}

test("the server SDK for Node reads every kind of value", async () => {
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: stack.url, headers: [["Authorization", `Bearer ${key}`]] }));
  const flags = OpenFeature.getClient();
  for (let n = 0; n < 20; n++) {
    const context = { targetingKey: `user-${n}` };
    const model = await flags.getObjectDetails("LLM_MODEL", {}, context);
    const why = await explained(`user-${n}`, "LLM_MODEL");
    assert.deepEqual([model.variant, model.reason], [why.variant, why.reason === "split" ? "SPLIT" : "DEFAULT"]);
    assert.equal(model.value.model.length > 3, true);
  }
  assert.equal(await flags.getNumberValue("STARTER_POOL_SIZE.size", 0, { targetingKey: "u" }), 7);
  assert.equal(await flags.getStringValue("CHAT_UI_LAYOUT.layout", "", { targetingKey: "u" }), "current");
  const crisis = await flags.getStringDetails("LLM_MODEL.model", "", { targetingKey: "user-1", crisisLevel: 3 });
  assert.deepEqual([crisis.value, crisis.reason, crisis.flagMetadata.crisisOverride], ["claude-sonnet-4-6", "STATIC", true]);
  const missing = await flags.getStringDetails("NOTHING", "kept", { targetingKey: "u" });
  assert.deepEqual([missing.value, missing.errorCode], ["kept", "FLAG_NOT_FOUND"]);
  assert.equal((await flags.getStringDetails("LLM_MODEL.model", "kept", {})).errorCode, "TARGETING_KEY_MISSING");
  assert.equal((await flags.getNumberDetails("CHAT_UI_LAYOUT.layout", 5, { targetingKey: "u" })).errorCode, "TYPE_MISMATCH");
});

test("the web SDK reads all flags at once and hears of changes", async () => {
  const web = client(process.execPath, ["--experimental-eventsource", join(root, "tests/e2e/ofrep-web.mjs")]);
  try {
    const first = await until("the first flags", () => web.lines.find(({ event }) => event === "ready")).catch((error) => { throw new Error(`${error.message}: ${web.errors()}`); });
    assert.deepEqual([first.layout, first.size], ["current", 7]);
    await sleep(500);
    // Everybody's default changes: a rollout to all would reach only half of a shared layer.
    assert.equal((await ada.change("STARTER_POOL_SIZE", "7", "edit", { config: { size: 8 } })).status, 200);
    const changed = await until("the change", () => web.lines.find(({ event, size }) => event === "changed" && size === 8), { timeout: 10_000 });
    assert.equal(changed.layout, "current");
  } finally {
    web.child.kill();
    await web.ended;
  }
});

test("the SDK for Python reads the same", async () => {
  const program = client(await python(), [join(root, "tests/python/flags.py")]);
  assert.equal(await program.ended, 0, program.errors());
  const [said] = program.lines;
  for (const [person, variant] of Object.entries(said.models)) assert.equal(variant, (await explained(person, "LLM_MODEL")).variant);
  assert.deepEqual([said.size, said.temperature, said.crisis, said.missing], [8, 0.7, ["claude-sonnet-4-6", "STATIC", true], ["kept", "FLAG_NOT_FOUND"]]);
});

test("the bulk answer has an ETag, and 304 where nothing changed", async () => {
  const first = await evaluate("", { targetingKey: "u" });
  const etag = first.headers.get("etag");
  assert.match(etag, /^"[0-9a-f]{32}"$/);
  assert.equal(first.headers.get("access-control-expose-headers"), "ETag, Retry-After");
  const { flags, eventStreams } = await first.json();
  assert.equal(flags.filter(({ key }) => !key.includes(".")).length, 12);
  for (const flag of flags) assert.ok(flag.variant && flag.reason && flag.metadata && "value" in flag, flag.key);
  assert.equal(eventStreams[0].type, "sse");
  const again = await evaluate("", { targetingKey: "u" }, { "if-none-match": etag });
  assert.deepEqual([again.status, await again.text(), again.headers.get("etag")], [304, "", etag]);
  assert.equal((await evaluate("", { targetingKey: "another" }, { "if-none-match": etag })).status, 200);
  assert.equal((await ada.change("MANDALA_FACE", "none", "edit", { description: "Still none" })).status, 200);
  await sleep(2_100);
  assert.equal((await evaluate("", { targetingKey: "u" }, { "if-none-match": etag })).status, 200);
});

test("what is wrong is said in OFREP's words", async () => {
  const check = async (path, context, status, expected, headers) => {
    const response = await evaluate(path, context, headers);
    assert.equal(response.status, status, `${path} ${JSON.stringify(context)}`);
    const { errorDetails, ...rest } = await response.json();
    assert.deepEqual(rest, expected);
    assert.ok(errorDetails.length > 5);
  };
  await check("/LLM_MODEL", "{", 400, { key: "LLM_MODEL", errorCode: "PARSE_ERROR" });
  await check("/LLM_MODEL", {}, 400, { key: "LLM_MODEL", errorCode: "TARGETING_KEY_MISSING" });
  await check("/LLM_MODEL", { targetingKey: 7 }, 400, { key: "LLM_MODEL", errorCode: "INVALID_CONTEXT" });
  await check("/NOTHING", { targetingKey: "u" }, 404, { key: "NOTHING", errorCode: "FLAG_NOT_FOUND" });
  await check("", {}, 400, { errorCode: "TARGETING_KEY_MISSING" });
  await check("/LLM_MODEL", { targetingKey: "u" }, 401, { errorCode: "GENERAL" }, { "x-api-key": "" });
  await check("/LLM_MODEL", { targetingKey: "u" }, 401, { errorCode: "GENERAL" }, { "x-api-key": "si_made_up" });
  await check("/LLM_MODEL", "x".repeat(70_000), 413, { errorCode: "GENERAL" });
  assert.equal((await fetch(`${stack.url}/ofrep/v1/evaluate/flags/LLM_MODEL`)).status, 405);
  const preflight = await fetch(`${stack.url}/ofrep/v1/evaluate/flags`, { method: "OPTIONS", headers: { origin: "https://app.example", "access-control-request-method": "POST" } });
  assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-headers")], [204, "content-type, authorization, x-api-key, if-none-match"]);
});

test("keys open what their scope says, until they are revoked; a guest sees their own flags", async () => {
  const other = (await ada.post("/api-keys", { name: "talk only", scopes: ["chat"], reason: "another scope" })).body;
  assert.equal((await evaluate("/LLM_MODEL", { targetingKey: "u" }, { "x-api-key": other.secret })).status, 403);
  const short = (await ada.post("/api-keys", { name: "short", scopes: ["flags:read"], reason: "to be revoked" })).body;
  assert.equal((await evaluate("/LLM_MODEL", { targetingKey: "u" }, { "x-api-key": short.secret })).status, 200);
  await ada.ask("DELETE", `/api-keys/${short.id}`, { reason: "not needed" });
  await until("the revocation", async () => (await evaluate("/LLM_MODEL", { targetingKey: "u" }, { "x-api-key": short.secret })).status === 401, { timeout: 8_000, every: 500 });

  const guest = await Guest.begin(stack.url);
  const own = await evaluate("", { targetingKey: guest.personId(), newUser: true }, { "x-api-key": "", authorization: `Bearer ${guest.token}` });
  const flags = Object.fromEntries((await own.json()).flags.map(({ key, variant }) => [key, variant]));
  for (const [category, variant] of Object.entries(guest.created.assignment.variants)) assert.equal(flags[category], variant);
  assert.equal((await evaluate("", { targetingKey: "somebody-else" }, { "x-api-key": "", authorization: `Bearer ${guest.token}` })).status, 403);
});
