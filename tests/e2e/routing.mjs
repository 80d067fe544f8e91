// Variants of LLM_MODEL made for a test, and people who have one of them.
import assert from "node:assert/strict";
import { Guest, sleep, until } from "../stack.mjs";

/** How long an isolate trusts the snapshot that it holds. */
const NOTICED_MS = 2_100;

/** Makes the variants `{id: config}` and waits until they are known; `guestOf(id)` is a person who has that one. */
export async function variants(stack, configs) {
  const admin = stack.admin("ada");
  for (const [id, config] of Object.entries(configs)) {
    const made = await admin.post("/variants", {
      category: "LLM_MODEL", id, description: `for a test: ${id}`, reason: "a test", config: { max_output_tokens: 100, temperature: 0.7, ...config },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
  }
  await sleep(NOTICED_MS);
  return async (id) => {
    const link = await admin.post("/preview-links", { overrides: { LLM_MODEL: id }, reason: "a test" });
    assert.equal(link.status, 201, JSON.stringify(link.body));
    return Guest.begin(stack.url, { preview: link.body.token });
  };
}

/** The events of a session's turns, once there are so many. */
export async function turnEvents(stack, guest, count = 1) {
  const rows = await until(`${count} events`, async () => {
    const found = await stack.rows("SELECT event FROM turn_events WHERE session_id = ? ORDER BY seq", guest.id);
    return found.length >= count && found;
  });
  return rows.map(({ event }) => JSON.parse(event));
}

/** A plan for a mock server that can be changed: it stands after what the person says. */
export function changeable(plan = "") {
  const said = { plan, toString: () => (typeof said.plan === "function" ? said.plan() : said.plan) };
  return said;
}
