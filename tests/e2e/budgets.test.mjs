// Budgets on workerd: never overrun by calls at once, alerts told once, and what answers when nothing is left.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { mockLlm } from "../mock-llm.mjs";
import { all, startStack, until } from "../stack.mjs";

// gpt-4o-mini: 0.15 and 0.60 US dollars a million tokens.
const WORDS = 300;
const LIMIT_USD = 0.01;
let stack, llm, client;
before(async () => {
  llm = await mockLlm({ defaults: `words=${WORDS} delay=0 first=300 model=gpt-4o-mini` });
  stack = await startStack({ vars: {
    LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url, LLM_MODEL: "gpt-4o-mini", BUDGET_FEATURES_MONTH_USD: `api=${LIMIT_USD}`, BUDGET_PERSON_DAY_USD: "0.0012",
  } });
  const key = (await stack.admin().post("/api-keys", { name: "budgets", scopes: ["chat"], reason: "spend it all" })).body.secret;
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 });
});
after(async () => { await stack.close(); await llm.close(); });

const events = (product) => stack.rows("SELECT event FROM turn_events WHERE product = ?", product).then((rows) => rows.map(({ event }) => JSON.parse(event)));

test("100 turns at once spend no more than there is; whoever comes late is answered by the listener", async () => {
  const asked = await Promise.all(Array.from({ length: 100 }, (_, n) => client.chat.completions.create({
    model: "companion", user: `person-${n}`, max_completion_tokens: WORDS * 2, messages: [{ role: "user", content: "Tell me something." }] })));
  const paid = asked.filter(({ silent_infinity }) => silent_infinity.provider === "openai");
  const free = asked.filter(({ silent_infinity }) => silent_infinity.provider === "offline");
  assert.equal(paid.length + free.length, 100);
  assert.ok(paid.length > 5 && free.length > 5, `${paid.length} paid, ${free.length} free`);
  assert.equal(llm.requests.length, paid.length, "the model was asked for what was paid, and for nothing else");
  const found = await until("all events", async () => { const list = await events("api"); return list.length === 100 && list; });
  const spent = found.reduce((sum, { cost_micros }) => sum + cost_micros, 0);
  assert.ok(spent > 0 && spent <= LIMIT_USD * 1e6, `${spent} micros of ${LIMIT_USD * 1e6}`);
  // What a budget changed says nothing about the variant that was assigned.
  const degraded = found.filter(({ reasons }) => reasons.LLM_MODEL === "degraded");
  assert.ok(degraded.length >= free.length && degraded.length < found.length, `${degraded.length} are marked`);
  assert.ok(found.every(({ provider, reasons }) => provider !== "offline" || reasons.LLM_MODEL === "degraded"));
});

test("a budget that has plenty is lent to many calls at once, and knows in the end what they cost", async () => {
  const rich = await startStack({ vars: {
    LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url, LLM_MODEL: "gpt-4o-mini", BUDGET_MONTH_USD: "50", BUDGET_FEATURES_MONTH_USD: "api=100",
  } });
  try {
    const key = (await rich.admin().post("/api-keys", { name: "rich", scopes: ["chat"], reason: "spend a little" })).body.secret;
    const program = new OpenAI({ baseURL: `${rich.url}/v1`, apiKey: key, maxRetries: 0 });
    const { BUDGETS } = await rich.chat.getEnv();
    const accounts = async () => (await BUDGETS.get(BUDGETS.idFromName("shared")).fetch("https://object/accounts")).json();
    const asked = [];
    for (let n = 0; n < 6; n++) {
      asked.push(await program.chat.completions.create({ model: "companion", max_completion_tokens: WORDS * 2, messages: [{ role: "user", content: "Tell me something." }] }));
    }
    assert.ok(asked.every(({ silent_infinity }) => silent_infinity.provider === "openai"));
    const lent = await accounts();
    assert.deepEqual(lent.map(({ name }) => name), ["feature:api", "month"]);
    // One lease for all six: nothing of it is settled yet, and it is as large as sixteen calls may be.
    assert.ok(lent.every(({ spent_micros, reserved_micros }) => spent_micros === 0 && reserved_micros > 16 * 300), JSON.stringify(lent));
    const settled = await until("the lease to be given back", async () => { const list = await accounts(); return list.every(({ reserved_micros }) => reserved_micros === 0) && list; });
    const found = await until("all events", async () => { const rows = await rich.rows("SELECT event FROM turn_events"); return rows.length === 6 && rows.map(({ event }) => JSON.parse(event)); });
    const cost = found.reduce((sum, { cost_micros }) => sum + cost_micros, 0);
    assert.ok(cost > 0);
    assert.deepEqual(settled.map(({ spent_micros }) => spent_micros), [cost, cost]);
  } finally {
    await rich.close();
  }
});

test("alerts at 50, 80 and 95 % are told once", async () => {
  const alerts = await stack.rows("SELECT id, detail FROM alerts WHERE subject = 'feature:api' ORDER BY id");
  const shares = alerts.map(({ detail }) => JSON.parse(detail).percent).toSorted((a, b) => a - b);
  assert.deepEqual(shares, [50, 80, 95]);
});

test("a person's day ends with the listener, who says so, and a crisis is answered as ever", async () => {
  const guest = await stack.guest();
  const providers = [];
  for (let n = 0; n < 12 && providers.at(-1) !== "offline"; n++) {
    const events = await all(await guest.post({ message: `Turn ${n}.` }));
    providers.push(events.find(({ data }) => data.type === "message-metadata").data.messageMetadata.provider);
  }
  assert.deepEqual([providers[0], providers.at(-1)], ["openai", "offline"]);
  const before = llm.requests.length;
  const crisis = await all(await guest.post({ message: "I want to kill myself tonight." }));
  assert.ok(crisis.some(({ data }) => data.type === "data-safety"));
  assert.equal(llm.requests.length, before);
});

test("what an erased person spent goes with them", async () => {
  const guest = await stack.guest();
  await all(await guest.post({ message: "Hello." }));
  const { person_id } = JSON.parse((await until("the event", async () => {
    const [row] = await stack.rows("SELECT event FROM turn_events WHERE session_id = ?", guest.id);
    return row;
  })).event);
  const { BUDGETS } = await stack.chat.getEnv();
  const accounts = async () => (await BUDGETS.get(BUDGETS.idFromName(`person:${person_id}`)).fetch("https://object/accounts")).json();
  assert.ok((await accounts())[0].spent_micros > 0);
  assert.equal((await guest.ask("DELETE", "/v1/me")).status, 202);
  await until("the account to go", async () => (await accounts()).length === 0);
});
