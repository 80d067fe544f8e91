// Who may see what: strangers, storage, export, deletion; and what bad input meets.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Guest, startStack, until } from "../stack.mjs";
import { faultyChat } from "./faulty.mjs";

let stack;
before(async () => { stack = await startStack({ chatConfig: await faultyChat() }); });
after(() => stack?.close());

const SECRET = "my-very-private-sentence";
const events = (guest) => stack.rows("SELECT * FROM turn_events WHERE session_id = ?", guest.id);
const stored = (guest) => until("the event", async () => { const rows = await events(guest); return rows.length > 0 && rows; });

test("another person's session does not exist for anyone else", async () => {
  const owner = await stack.guest();
  await owner.say("mine");
  const stranger = await stack.guest();
  for (const [method, path, body] of [
    ["GET", owner.path], ["DELETE", owner.path], ["GET", `${owner.path}/stream`], ["POST", `${owner.path}/turns`, { message: "x" }],
  ]) {
    const response = await stranger.ask(method, path, { body });
    assert.equal(response.status, 404, `${method} ${path}`);
    assert.match((await response.json()).type, /\/not-found$/);
  }
  assert.equal((await owner.history()).messages.length, 2);
  const nobody = await fetch(stack.url + owner.path);
  assert.equal(nobody.status, 401);
  const forged = owner.token.replace(/\.[^.]+$/, ".AAAA");
  assert.equal((await fetch(stack.url + owner.path, { headers: { authorization: `Bearer ${forged}` } })).status, 401);
});

test("a page of another origin cannot act for the person", async () => {
  const guest = await stack.guest();
  const response = await guest.ask("POST", `${guest.path}/turns`, { body: { message: "x" }, headers: { origin: "https://evil.example" } });
  assert.equal(response.status, 403);
  assert.match((await response.json()).type, /\/forbidden-origin$/);
});

test("what is stored in the object, sent through the queue and kept in D1 is sealed", async () => {
  const guest = await stack.guest();
  await guest.say(`${SECRET} and more`);
  const [row] = await stored(guest);
  for (const [place, value] of Object.entries(row)) assert.ok(!String(value).includes(SECRET), `D1 ${place}`);
  assert.equal(Buffer.from(row.sealed_input, "base64")[0], 1, "the format's version");
  assert.ok(Buffer.from(row.sealed_input, "base64").length > SECRET.length + 28);
  const sessions = (await stack.chat.getEnv()).SESSIONS;
  const dump = await (await sessions.get(sessions.idFromName(guest.id)).fetch("https://object/test/dump")).text();
  assert.ok(dump.includes(row.sealed_input), "the dump shows the object's rows");
  assert.ok(!dump.includes(SECRET) && !dump.includes("and more"));
  assert.ok(!JSON.stringify(stack.server.getLogs()).includes(SECRET), "logs");
});

test("a person's export holds everything they said, also what they replaced", async () => {
  const guest = await stack.guest();
  const first = await guest.post({ message: "first try" });
  await first.text();
  await (await guest.post({ message: "second try", replaces: first.headers.get("x-turn-id") })).text();
  const second = await Guest.begin(stack.url, {}, guest.token);
  await second.say("elsewhere");
  const response = await guest.ask("GET", "/v1/me/export");
  assert.match(response.headers.get("content-disposition"), /attachment/);
  const said = (await response.json()).sessions.flatMap(({ messages }) => messages.filter(({ role }) => role === "user").map(({ parts }) => parts[0].text));
  assert.deepEqual(said.toSorted(), ["elsewhere", "first try", "second try"]);
});

test("sessions list page by page, newest first", async () => {
  const guest = await stack.guest();
  for (let n = 0; n < 4; n++) await Guest.begin(stack.url, {}, guest.token);
  const one = await guest.json("GET", "/v1/sessions?limit=3");
  const two = await guest.json("GET", `/v1/sessions?limit=3&cursor=${one.next}`);
  assert.deepEqual([one.sessions.length, two.sessions.length, two.next], [3, 2, null]);
  assert.equal(new Set([...one.sessions, ...two.sessions].map(({ session_id }) => session_id)).size, 5);
});

test("history comes page by page", async () => {
  const guest = await stack.guest();
  for (const message of ["one", "two", "three"]) await guest.say(message);
  const newest = await guest.history("?limit=2");
  const older = await guest.history(`?limit=2&cursor=${newest.next}`);
  const said = [...older.messages, ...newest.messages].filter(({ role }) => role === "user").map(({ parts }) => parts[0].text);
  assert.deepEqual([said, older.next], [["one", "two", "three"], null]);
});

test("deleting a session deletes its rows everywhere, and only its", async () => {
  const guest = await stack.guest();
  await guest.say("short lived");
  const kept = await Guest.begin(stack.url, {}, guest.token);
  await kept.say("kept");
  await stored(guest);
  await stored(kept);
  assert.equal((await guest.ask("DELETE", guest.path)).status, 204);
  assert.equal((await guest.ask("GET", guest.path)).status, 404);
  await until("its events to go", async () => (await events(guest)).length === 0);
  assert.deepEqual((await guest.json("GET", "/v1/sessions")).sessions.map(({ session_id }) => session_id), [kept.id]);
  assert.equal((await events(kept)).length, 1);
});

test("erasing a person destroys the key, the rows and the way back", async () => {
  const guest = await stack.guest();
  await guest.say(SECRET);
  const [row] = await stored(guest);
  const response = await guest.ask("DELETE", "/v1/me");
  assert.equal(response.status, 202);
  assert.match(response.headers.get("set-cookie"), /^si_token=; .*Max-Age=0/);
  assert.equal((await guest.ask("GET", guest.path)).status, 404);
  assert.deepEqual((await guest.json("GET", "/v1/sessions")).sessions, []);
  await until("the rows to go", async () => (await events(guest)).length === 0 && (await stack.rows("SELECT 1 FROM sessions WHERE person_id = ?", row.person_id)).length === 0);
  const { PERSONS, EVENTS } = await stack.chat.getEnv();
  const key = await PERSONS.get(PERSONS.idFromName(row.person_id)).fetch("https://object/key");
  assert.equal(key.status, 404, "without the key, a copy of what was sealed stays closed");
  // An event that was on its way when the person left is not let in.
  await EVENTS.send(JSON.stringify({ type: "turn", event: { ...JSON.parse(row.event), event_id: `${guest.id}:9` }, sealed_input: "", sealed_output: "" }));
  await EVENTS.send(JSON.stringify({ type: "session_created", session_id: guest.id, person_id: row.person_id, product: "companion", created_at_ms: 1 }));
  const other = await stack.guest();
  await other.say("after it");
  await stored(other);
  assert.equal((await events(guest)).length, 0);
  // The old token opens nothing: whoever shows it begins as somebody new.
  const again = await Guest.begin(stack.url, {}, guest.token);
  assert.notEqual(again.personId(), row.person_id);
});

test("bad input gets a clear answer and changes nothing", async () => {
  const guest = await stack.guest();
  const turns = `${guest.path}/turns`;
  const raw = (body, headers = { "content-type": "application/json" }) => fetch(stack.url + turns, { method: "POST", body, headers: { authorization: `Bearer ${guest.token}`, ...headers } });
  const cases = [
    [raw("{"), 400, "invalid-request"],
    [raw('{"message":5}'), 400, "invalid-request"],
    [raw('{"message":"x","mesage":"y"}'), 400, "invalid-request"],
    [raw("{}"), 400, "invalid-request"],
    [raw('{"message":"   "}'), 400, "invalid-request"],
    [raw('{"regenerate":"nope"}'), 400, "invalid-request"],
    [raw('{"message":"x"}', { "content-type": "text/plain" }), 415, "unsupported-media-type"],
    [raw(JSON.stringify({ message: "x".repeat(8_001) })), 413, "payload-too-large"],
    [raw(JSON.stringify({ message: "x".repeat(70_000) })), 413, "payload-too-large"],
    [raw('{"message":"x"}', { "content-type": "application/json", "idempotency-key": "x".repeat(256) }), 400, "invalid-request"],
    [raw(new Uint8Array([0x7b, 0xff, 0xfe])), 400, "invalid-request"],
    [guest.ask("PUT", turns), 405, "method-not-allowed"],
    [guest.ask("GET", "/v1/nothing"), 404, "not-found"],
    [guest.ask("GET", "/v1/sessions/ses_1"), 404, "not-found"],
    [guest.ask("GET", `${turns}/trn_00000000000000000000000000/stream`), 404, "not-found"],
    [guest.ask("GET", "/v1/sessions?limit=x"), 400, "invalid-request"],
    [guest.ask("POST", "/v1/sessions", { body: { product: "other" } }), 400, "invalid-request"],
    [guest.ask("POST", "/v1/sessions", { body: { locale: "<script>" } }), 400, "invalid-request"],
  ];
  for (const [pending, status, slug] of cases) {
    const response = await pending;
    const body = await response.json();
    assert.deepEqual([response.status, body.type, body.status], [status, `https://silent-infinity.dev/problems/${slug}`, status], JSON.stringify(body));
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    assert.equal(body.correlation_id, response.headers.get("x-correlation-id"));
  }
  assert.deepEqual((await guest.history()).messages, []);
  const feedback = (body) => guest.ask("POST", `${turns}/trn_00000000000000000000000000/feedback`, { body });
  assert.equal((await feedback({ rating: 9 })).status, 400);
});

test("what a person thinks of an answer arrives", async () => {
  const guest = await stack.guest();
  const response = await guest.post({ message: "rate me" });
  await response.text();
  const turn = response.headers.get("x-turn-id");
  assert.equal((await guest.ask("POST", `${guest.path}/turns/${turn}/feedback`, { body: { thumb: "up", comment: "It found the words that I lacked." } })).status, 204);
  const [row] = await until("the rating", async () => { const rows = await stack.rows("SELECT * FROM feedback WHERE session_id = ?", guest.id); return rows.length > 0 && rows; });
  // What they wrote is sealed like what they said, and is theirs to take along.
  assert.ok(!JSON.stringify(row).includes("found the words"));
  const mine = (await guest.json("GET", "/v1/me/export")).sessions.find(({ session_id }) => session_id === guest.id);
  assert.deepEqual(mine.comments, { [turn]: "It found the words that I lacked." });
  assert.equal((await guest.ask("POST", `${guest.path}/turns/${turn}/feedback`, { body: { score: 11 } })).status, 400);
  assert.equal((await guest.ask("POST", `${guest.path}/turns/${turn}/feedback`, { body: { score: 7 } })).status, 204);
  await until("the new rating", async () => (await stack.rows("SELECT satisfaction_milli AS s FROM feedback WHERE session_id = ?", guest.id))[0].s === 700);
  assert.deepEqual([row.event_id, row.satisfaction_milli], [`${guest.id}:1`, 1000]);
});

// Last: it uses up what an address may ask in a minute.
test("a person who asks too often is told to wait", async () => {
  const guest = await stack.guest();
  let limited;
  for (let n = 0; n < 150 && !limited; n++) {
    const response = await guest.ask("GET", guest.path);
    if (response.status === 429) limited = response;
    else await response.text();
  }
  assert.ok(limited, "never limited");
  assert.equal(limited.headers.get("retry-after"), "60");
  assert.match((await limited.json()).type, /\/rate-limited$/);
});
