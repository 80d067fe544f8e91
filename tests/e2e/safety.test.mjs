// The crisis gate through the whole path: what is answered, what is recorded, and that no model is asked.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mockLlm } from "../mock-llm.mjs";
import { startStack, textOf, until } from "../stack.mjs";
import { faultyChat } from "./faulty.mjs";

let stack, llm, sessions;
before(async () => {
  llm = await mockLlm();
  stack = await startStack({
    chatConfig: await faultyChat(),
    vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url, SAFETY_MODEL: "judge", SAFETY_TIMEOUT_MS: "400" },
  });
  sessions = (await stack.chat.getEnv()).SESSIONS;
});
after(async () => { await stack?.close(); await llm?.close(); });

const part = (events, type) => events.find(({ data }) => data.type === type)?.data.data;
const rowsOf = (guest, table) => until(`rows of ${table}`, async () => {
  const rows = await stack.rows(`SELECT * FROM ${table} WHERE session_id = ? ORDER BY event_id`, guest.id);
  return rows.length > 0 && rows;
});

test("level 2 and above: fixed text, help of the person's region, production defaults, a safety event; no model", async () => {
  for (const [said, level, country, number, begins] of [
    ["I want to die marker-a", 2, "DE", "112", "I'm glad you said this."],
    ["I'm going to kill myself marker-a", 3, "US", "911", "Thank you for telling me."],
    ["I've swallowed the whole bottle of pills marker-a", 4, "GB", "999", "This sounds like an emergency."],
  ]) {
    const guest = await stack.guest();
    const events = await guest.say(said, { headers: { "x-country": country } });
    assert.ok(textOf(events).startsWith(begins) && textOf(events).includes(number), textOf(events));
    const safety = part(events, "data-safety");
    assert.equal(safety.level, level);
    assert.ok(safety.resources.length > 1 && safety.resources.every((entry) => [country, "*"].includes(entry.country)));
    const [turn] = await rowsOf(guest, "turn_events");
    const event = JSON.parse(turn.event);
    assert.deepEqual([event.crisis_level, event.crisis_override, event.provider, event.country], [level, true, "safety", country]);
    assert.equal(event.variants.LLM_MODEL, "claude-sonnet-4-6");
    assert.match(event.rules_version, /^[0-9a-f]{8}$/);
    const [recorded] = await rowsOf(guest, "safety_events");
    assert.deepEqual([recorded.level, recorded.region, JSON.parse(recorded.rules)], [level, country, event.safety_rules]);
  }
  assert.equal(llm.about("marker-a").length, 0);
});

test("the language of the person, also where no text of the interface is in it", async () => {
  const guest = await (await import("../stack.mjs")).Guest.begin(stack.url, { locale: "ja-JP" });
  const events = await guest.say("死にたい marker-b", { headers: { "x-country": "JP" } });
  assert.match(textOf(events), /119|110/);
  assert.match(textOf(events), /AI/);
  assert.ok(/[\u3040-\u30ff]/.test(textOf(events)));
  assert.equal(llm.about("marker-b").length, 0);
});

test("from 3 on the level stays for the conversation; a new one begins afresh", async () => {
  const guest = await stack.guest();
  await guest.say("I have a plan to kill myself");
  const next = await guest.say("never mind, tell me a joke marker-c");
  assert.equal(part(next, "data-safety").level, 3);
  assert.equal(llm.about("marker-c").length, 0);
  const other = await stack.guest();
  assert.equal(part(await other.say("tell me a joke marker-d"), "data-safety"), undefined);
  assert.equal(llm.about("marker-d").length, 1);
});

test("the second stage is asked where the rules are uncertain; it raises, and without it help is shown", async () => {
  const UNCERTAIN = "Nobody cares about me. I feel so hopeless.";
  for (const [options, level, answered] of [["judge=3", 3, 0], ["judge=0", 1, 1], ["judge=nonsense", 1, 1], ["judge=4 first=3000", 1, 0]]) {
    const guest = await stack.guest();
    const marker = `marker-e${options.replaceAll(/\W/g, "")}`;
    const reading = guest.say(`${UNCERTAIN} ${options} ${marker}`);
    const judged = await until("the second stage", () => llm.about(marker).find(({ ask }) => ask.model === "judge"));
    assert.equal(judged.ask.temperature, 0);
    const events = await reading;
    const safety = part(events, "data-safety");
    assert.equal(safety.level, level, options);
    assert.ok(safety.resources.length > 0);
    if (answered) assert.equal(llm.about(marker).filter(({ ask }) => ask.model !== "judge").length, 1);
    if (level >= 2) assert.equal(llm.about(marker).filter(({ ask }) => ask.model !== "judge").length, 0);
  }
});

test("without the gate no model is asked, the turn fails, and help is shown", async () => {
  const guest = await stack.guest();
  await guest.say("hello words=1");
  const object = sessions.get(sessions.idFromName(guest.id));
  await object.fetch("https://object/test/faults", { method: "POST", body: JSON.stringify({ gateAway: true }) });
  const events = await guest.say("are you there marker-f");
  assert.ok(part(events, "data-safety").resources.length > 0);
  assert.equal(events.at(-2).data.type, "error");
  assert.equal(llm.about("marker-f").length, 0);
  await object.fetch("https://object/test/faults", { method: "POST", body: JSON.stringify({ gateAway: false }) });
  assert.equal(textOf(await guest.say("and now words=1")), "word0. ");
});

test("safe exits: the page is told to leave, a human is offered, no model is asked", async () => {
  const guest = await stack.guest();
  const leave = await guest.say("close this");
  assert.deepEqual([part(leave, "data-safety").exit, textOf(leave)], ["leave", ""]);
  const human = await guest.say("can I talk to a real person please");
  assert.equal(part(human, "data-safety").exit, "human");
  assert.ok(part(human, "data-safety").resources.length > 0);
  assert.equal(llm.about("close this").length + llm.about("real person").length, 0);
});

test("what a model says is checked, sentence by sentence, and the reason is recorded", async () => {
  const guest = await stack.guest();
  const events = await guest.say("tell me say=I_am_a_therapist._Trust_me.");
  assert.equal(textOf(events), "To be clear: I am an AI, not a person and not a therapist. Trust me.");
  const [turn] = await rowsOf(guest, "turn_events");
  assert.deepEqual(JSON.parse(turn.event).guardrails, ["false-claim"]);
});

test("referrals are counted by day, region and level, without content, and outlive an erasure", async () => {
  const count = async () => (await stack.rows("SELECT turns FROM safety_referrals WHERE region = 'NZ' AND level = 2"))[0]?.turns ?? 0;
  const guest = await stack.guest();
  for (let n = 1; n <= 2; n++) {
    await guest.say("I wish I was dead", { headers: { "x-country": "NZ" } });
    await until("the counter", async () => (await count()) === n);
  }
  assert.deepEqual(Object.keys((await stack.rows("SELECT * FROM safety_referrals"))[0]).sort(), ["day", "level", "region", "turns"]);
  await guest.ask("DELETE", "/v1/me");
  await until("the erasure", async () => (await stack.rows("SELECT 1 FROM safety_events WHERE session_id = ?", guest.id)).length === 0);
  assert.equal(await count(), 2);
});

test("GET /v1/resources and the protocol page", async () => {
  const get = (path, headers) => fetch(stack.url + path, { headers });
  const german = await (await get("/v1/resources?country=de")).json();
  assert.equal(german.country, "DE");
  assert.ok(german.resources.some(({ country }) => country === "DE") && german.resources.at(-1).country === "*");
  assert.ok(german.countries.length >= 40);
  const chosen = await (await get("/v1/resources", { "x-country": "fr" })).json();
  assert.equal(chosen.country, "FR");
  assert.deepEqual((await (await get("/v1/resources?country=ZZ")).json()).resources.map(({ country }) => country), ["*"]);
  const bad = await get("/v1/resources?country=Germany");
  assert.deepEqual([bad.status, bad.headers.get("content-type")], [400, "application/problem+json"]);
  const page = await get("/safety");
  const html = await page.text();
  const health = await (await get("/safety/health")).json();
  assert.ok(html.includes(health.rules) && html.includes("Crisis protocol") && html.includes("TelefonSeelsorge"));
  assert.match(page.headers.get("content-security-policy"), /default-src 'none'/);
});
