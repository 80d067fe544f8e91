// What only the real dev server can show: restarts, a kill in the middle of a turn, and stops that reach the model.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { mockLlm } from "../mock-llm.mjs";
import { Guest, all, eventsOf, freePort, root, sleep, textOf, until } from "../stack.mjs";

const state = mkdtempSync(join(tmpdir(), "silent-"));
let llm, server, port, url;

/** `npm start`, with storage of its own. */
async function start() {
  server = spawn(process.execPath, ["scripts/start.mjs", "--release"], {
    cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PORT: String(port), SILENT_STATE: state, LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url },
  });
  let output = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => { output += chunk; });
  server.ended = new Promise((resolve) => server.once("exit", resolve));
  await until("the printed address", () => {
    if (server.exitCode !== null) throw new Error(`npm start ended:\n${output.slice(-3000)}`);
    return output.includes(`Open http://localhost:${port}`);
  }, { timeout: 600_000 });
  await until("an answer", () => fetch(`${url}/v1/health`).then((response) => response.ok, () => false));
}

/** Every process of the dev server, at once and without a word. */
async function kill() {
  const table = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const tree = [server.pid];
  for (const pid of tree) tree.push(...table.filter(([, parent]) => parent === pid).map(([child]) => child));
  for (const pid of tree) try { process.kill(pid, "SIGKILL"); } catch { /* it ended by itself */ }
  await until("the port to close", () => fetch(`${url}/v1/health`).then(() => false, () => true));
}

before(async () => {
  llm = await mockLlm();
  port = await freePort();
  url = `http://localhost:${port}`;
  await start();
});
after(async () => {
  await kill();
  await llm.close();
  rmSync(state, { recursive: true, force: true });
});

test("stop ends the generation upstream too", async () => {
  const guest = await Guest.begin(url);
  const response = await guest.post({ message: "upstream words=400 delay=25" });
  const reading = all(response);
  await until("some words", () => llm.about("upstream")[0]?.words > 3);
  await guest.json("POST", `${guest.path}/turns/${response.headers.get("x-turn-id")}/stop`);
  assert.ok(textOf(await reading).startsWith("word0. "));
  const asked = await until("the model's server to hear of it", () => llm.about("upstream")[0].aborted && llm.about("upstream")[0], { timeout: 3_000 });
  assert.ok(asked.words < 200, `${asked.words} words`);
});

test("a token and a key made by hand open this instance's admin API and its door for programs", async () => {
  const npm = (...args) => execFileSync("npm", ["run", "-s", ...args], { cwd: root, encoding: "utf8", env: { ...process.env, PORT: String(port) }, stdio: ["ignore", "pipe", "pipe"] }).trim();
  const token = npm("admin-token", "--", "--email", "grace@example.org");
  const me = await fetch(`${url}/admin/v1/me`, { headers: { "cf-access-jwt-assertion": token } });
  assert.deepEqual([me.status, (await me.json()).id], [200, "grace@example.org"]);
  assert.match(npm("admin"), new RegExp(`^${url}/admin/sign-in#[\\w-]+\\.[\\w-]+\\.[\\w-]+$`));
  const key = npm("api-key", "--", "--scope", "chat");
  const models = (scope) => fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${scope}` } });
  assert.deepEqual([(await models(key)).status, (await models(`${key}x`)).status], [200, 401]);
  // It opens what it was made for, and nothing else.
  const flags = await fetch(`${url}/ofrep/v1/evaluate/flags`, { method: "POST", headers: { "x-api-key": key, "content-type": "application/json" }, body: '{"context":{"targetingKey":"p"}}' });
  assert.equal(flags.status, 403);
});

test("a turn survives its reader's connection", async () => {
  const guest = await Guest.begin(url);
  const gone = new AbortController();
  const response = await guest.post({ message: "reader words=20 delay=25" }, { signal: gone.signal });
  for await (const event of eventsOf(response)) if (event.id > 4) break;
  gone.abort();
  const message = await until("the whole answer", async () => (await guest.history()).messages.find(({ role }) => role === "assistant"));
  assert.equal(message.metadata.status, "done");
  assert.ok(message.parts[0].text.endsWith("word19. "));
  assert.equal(llm.about("reader")[0].aborted, false);
});

test("killed in the middle of a turn: it is marked interrupted, the next ones work, and nothing that was said is lost", async () => {
  const guest = await Guest.begin(url);
  await guest.say("before words=2");
  const lost = await guest.post({ message: "lost words=600 delay=25" });
  const reading = all(lost).catch(() => "cut");
  const waiting = await guest.post({ message: "waiting words=3" });
  const alsoReading = all(waiting).catch(() => "cut");
  await until("some words", () => llm.about("lost")[0]?.words > 3);
  await kill();
  assert.deepEqual(await Promise.all([reading, alsoReading]), ["cut", "cut"]);
  await start();
  const { messages } = await until("both turns to end", async () => {
    const history = await guest.history();
    return history.messages.length === 6 && history.messages.every(({ metadata }) => !["queued", "running"].includes(metadata.status)) && history;
  });
  assert.deepEqual(messages.map(({ role, metadata, parts }) => [role, metadata.status, parts[0]?.text ?? ""]), [
    ["user", "done", "before words=2"], ["assistant", "done", "word0. word1. "],
    ["user", "interrupted", "lost words=600 delay=25"], ["assistant", "interrupted", ""],
    ["user", "done", "waiting words=3"], ["assistant", "done", "word0. word1. word2. "],
  ]);
  assert.equal(textOf(await guest.say("after words=1")), "word0. ");
  // The interrupted turn's stream ends as an error, for whoever comes back to it.
  const stream = await all(await guest.ask("GET", `${guest.path}/turns/${lost.headers.get("x-turn-id")}/stream`));
  assert.deepEqual(stream.map(({ data }) => data.type ?? data), ["start", "start-step", "finish-step", "message-metadata", "error", "[DONE]"]);
});

test("Ctrl-C ends everything, and the talk is still there after a restart", async () => {
  const guest = await Guest.begin(url);
  await guest.say("keep this words=2");
  const { messages } = await guest.history();
  process.kill(server.pid, "SIGINT");
  assert.equal(await server.ended, 0);
  await assert.rejects(fetch(`${url}/v1/health`));
  const began = Date.now();
  await start();
  console.log(`  second start: ${((Date.now() - began) / 1000).toFixed(1)} s until it answers`);
  assert.deepEqual((await guest.history()).messages, messages);
});
