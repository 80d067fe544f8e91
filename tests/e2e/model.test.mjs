// A real language model behind a real server, through the whole path. It is small: what it says is never asserted.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Guest, all, eventsOf, freePort, root, startStack, textOf, until } from "../stack.mjs";

let model, stack;

before(async () => {
  const port = await freePort();
  model = spawn(process.execPath, [join(root, "scripts/models.mjs")], { env: { ...process.env, MODEL_PORT: String(port) }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [model.stdout, model.stderr]) stream.on("data", (chunk) => { output += chunk; });
  await until("the model's server", () => {
    if (model.exitCode !== null) throw new Error(`npm run models ended:\n${output.slice(-3000)}`);
    return output.includes("In another terminal");
  }, { timeout: 600_000 });
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: `http://127.0.0.1:${port}/v1`, LLM_MODEL: "smollm2", LLM_IDLE_TIMEOUT_MS: "120000" } });
});
after(async () => {
  await stack?.close();
  if (model?.exitCode === null) {
    const ended = new Promise((resolve) => model.once("exit", resolve));
    model.kill("SIGTERM");
    await ended;
  }
});

test("a real model answers, in pieces, with real usage, and remembers the conversation", async () => {
  const guest = await Guest.begin(stack.url);
  const first = await guest.say("I had a long day at work and I am tired. Answer in one short sentence.");
  assert.ok(textOf(first).length > 0);
  assert.deepEqual(first.at(-1).data, "[DONE]");
  const second = await guest.say("Say that again in other words, in one short sentence.");
  assert.ok(textOf(second).length > 0);
  const events = await until("both events in D1", async () => {
    const rows = await stack.rows("SELECT event FROM turn_events WHERE session_id = ? ORDER BY seq", guest.id);
    return rows.length === 2 && rows;
  });
  const [before, then] = events.map(({ event }) => JSON.parse(event));
  assert.deepEqual([before.provider, then.provider], ["openai", "openai"]);
  for (const { usage } of [before, then]) assert.ok(usage.input_tokens > 0 && usage.output_tokens > 0, JSON.stringify(usage));
  // The second prompt carries the first exchange.
  assert.ok(then.usage.input_tokens > before.usage.input_tokens);
});

test("a real generation stops when the person stops it", async () => {
  const guest = await Guest.begin(stack.url);
  const response = await guest.post({ message: "Tell me a very long story about a river, with many chapters and every detail that you can think of." });
  const seen = [];
  let asked;
  for await (const event of eventsOf(response)) {
    seen.push(event);
    if (event.data.type === "text-delta" && !asked) asked = guest.json("POST", `${guest.path}/turns/${response.headers.get("x-turn-id")}/stop`);
  }
  await asked;
  assert.ok(textOf(seen).length > 0);
  const answer = (await guest.history()).messages.at(-1);
  assert.equal(answer.metadata.status, "stopped");
  assert.equal(answer.parts[0].text, textOf(seen));
  // The server is free again: the next turn is answered.
  assert.ok(textOf(await guest.say("Answer with one word: yes or no?")).length > 0);
});
