// Nothing is lost: the database away, the queue away, a crash between any two steps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { all, sleep, startStack, until } from "../stack.mjs";
import { faultyChat } from "./faulty.mjs";

let stack, sessions;
before(async () => {
  stack = await startStack({ chatConfig: await faultyChat(), vars: { OFFLINE_TOKEN_DELAY_MS: "0" } });
  sessions = (await stack.chat.getEnv()).SESSIONS;
});
after(() => stack?.close());

const fault = (guest, set) => sessions.get(sessions.idFromName(guest.id))
  .fetch("https://object/test/faults", set ? { method: "POST", body: JSON.stringify(set) } : {}).then((response) => response.json());
const events = (guest) => stack.rows("SELECT * FROM turn_events WHERE session_id = ? ORDER BY seq", guest.id);
const arrived = (guest, count) => until(`${count} events`, async () => {
  const rows = await events(guest);
  return rows.length >= count && rows;
}, { timeout: 60_000, every: 200 });

test("the queue is away: turns go on, and every event arrives once it is back", async () => {
  const guest = await stack.guest();
  await arrived(guest, 0);
  await fault(guest, { queueAway: true });
  for (let n = 0; n < 3; n++) assert.equal((await guest.say(`away ${n}`)).at(-1).data, "[DONE]");
  await sleep(1_500);
  assert.equal((await events(guest)).length, 0);
  await fault(guest, { queueAway: false });
  const rows = await arrived(guest, 3);
  assert.deepEqual(rows.map(({ seq }) => seq), [1, 2, 3]);
});

test("the database is away: turns go on, and every event arrives once it is back", async () => {
  const guest = await stack.guest();
  await until("the session's row", async () => (await stack.rows("SELECT 1 FROM sessions WHERE session_id = ?", guest.id)).length === 1);
  await stack.db.exec("ALTER TABLE turn_events RENAME TO turn_events_away");
  for (let n = 0; n < 3; n++) assert.equal((await guest.say(`away ${n}`)).at(-1).data, "[DONE]");
  assert.equal((await guest.history()).messages.length, 6);
  await sleep(1_500);
  await stack.db.exec("ALTER TABLE turn_events_away RENAME TO turn_events");
  const rows = await arrived(guest, 3);
  assert.deepEqual(rows.map(({ seq }) => seq), [1, 2, 3]);
});

test("a message that comes twice has the effect of once", async () => {
  const guest = await stack.guest();
  await guest.say("twice");
  const [row] = await arrived(guest, 1);
  const { EVENTS } = await stack.chat.getEnv();
  const message = { type: "turn", event: JSON.parse(row.event), sealed_input: row.sealed_input, sealed_output: row.sealed_output };
  await EVENTS.send(JSON.stringify(message));
  await EVENTS.send(JSON.stringify({ ...message, event: { ...message.event, event_id: `${guest.id}:2`, seq: 2 } }));
  assert.equal((await arrived(guest, 2)).length, 2);
});

test("events can be added and never changed", async () => {
  const guest = await stack.guest();
  await guest.say("fixed");
  await arrived(guest, 1);
  await assert.rejects(stack.db.exec("UPDATE turn_events SET model = 'x'"), /append-only/);
  await assert.rejects(stack.db.exec(`DELETE FROM turn_events WHERE session_id = '${guest.id}'`), /append-only/);
});

test("a crash between any two steps loses nothing and doubles nothing", async () => {
  const points = [];
  for (let crashAt = 1; ; crashAt++) {
    const guest = await stack.guest();
    await until("the session's own steps to end", async () => (await stack.rows("SELECT 1 FROM sessions WHERE session_id = ?", guest.id)).length === 1);
    await sleep(30);
    await fault(guest, { crashAt, count: 0 });
    const headers = { "idempotency-key": "once" };
    let isDone = false;
    try {
      const response = await guest.post({ message: "remember this" }, { headers });
      // A turn that could not be stored ends with an error, which promises nothing.
      isDone = response.ok && (await all(response)).some(({ data }) => data.type === "finish");
    } catch { /* the connection broke with the object */ }
    // The client does what it should: it tries again under the same key until it is told an end.
    if (!isDone) {
      await until("an end", async () => {
        const again = await guest.post({ message: "remember this" }, { headers }).catch(() => null);
        return again?.ok && (await all(again).catch(() => [])).at(-1)?.data === "[DONE]";
      }, { timeout: 40_000, every: 150 });
    }
    const rows = await arrived(guest, 1).catch(async (error) => { throw new Error(`${error.message} after a crash at ${(await fault(guest)).log}`); });
    await sleep(100);
    const { crashed, log } = await fault(guest, { crashAt: 0 });
    const { messages } = await guest.history();
    assert.equal(messages.length, 2, `${log}: one exchange`);
    assert.equal(messages[0].parts[0].text, "remember this");
    assert.equal((await events(guest)).length, 1, `${log}: one event`);
    assert.equal(JSON.parse(rows[0].event).status, messages[1].metadata.status, `${log}: event and message agree`);
    assert.ok(["done", "interrupted"].includes(messages[1].metadata.status), messages[1].metadata.status);
    if (isDone) assert.equal(messages[1].metadata.status, "done", `${log}: what was told as done is done`);
    assert.equal((await guest.say("and on")).at(-1).data, "[DONE]");
    if (!crashed) break;
    points.push(`${log}→${messages[1].metadata.status}`);
  }
  console.log(`  crashed at: ${points.join(", ")}`);
  assert.ok(points.length >= 8, points.join());
});
