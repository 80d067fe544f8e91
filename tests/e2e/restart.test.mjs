// A promotion whose server is killed before and after every effect ends as one that was left in peace: once.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { newIssuer } from "../../scripts/issuer.mjs";
import { adminOf, until } from "../stack.mjs";
import { experiment, ok, receiver } from "./experiment-kit.mjs";
import { restartable } from "./restart-kit.mjs";

const FACE = ["MANDALA_FACE", "simple-orb"];
const issuer = newIssuer();
let hooks, points, server, ada, grace;
/** What was told; a point that is held gets no answer, and is killed. */
const told = [];
let holding = null, hold = false;

before(async () => {
  hooks = await receiver();
  points = createServer((request, response) => {
    const label = request.url.slice(1);
    if (hold) told.push(label);
    // Every other time: whoever comes back gets past the point, and the next effect meets it again.
    const nth = told.filter((one) => one === label).length;
    if (hold && nth % 2 === 1) {
      holding = `${label}#${nth}`;
      return;
    }
    response.end();
  });
  await new Promise((resolve) => points.listen(0, "127.0.0.1", resolve));
  server = await restartable({
    issuer, testUrl: `http://127.0.0.1:${points.address().port}`, secrets: hooks.secrets,
    vars: { WORKFLOW_COLLECT_S: "4", WORKFLOW_APPROVAL_S: "600", COOL_DOWN_MS: "500" },
  });
  [ada, grace] = ["ada", "grace"].map((name) => adminOf(server.url, issuer)(name));
});
after(async () => { await server?.close(); points.closeAllConnections(); points.close(); hooks.close(); });

test("killed in the middle of every step, it ends, and each effect was had once", { timeout: 400_000 }, async () => {
  ok(await ada.change(...FACE, "rollout", { percent: 50, confirm: true }));
  ok(await ada.post(`/variants/${FACE.join("/")}/replays`, { cases: 2_000, new_misses: 0, reason: "the replay" }));
  const messages = experiment(41, "MANDALA_FACE", ["on", "simple-orb"], { count: 540, change: () => ({ satisfaction: 800, cost_micros: 900 }) });
  const [turns, ratings] = ["turn", "feedback"].map((kind) => messages.filter(({ type }) => type === kind));
  for (let at = 0; at < turns.length; at += 100) {
    await server.sql(
      `INSERT INTO turn_events(event_id, session_id, person_id, turn_id, seq, product, status, accepted_at_ms, total_ms, provider, model, crisis_level, cost_micros, event, sealed_input, sealed_output)
       SELECT value ->> 'event_id', value ->> 'session_id', value ->> 'person_id', value ->> 'turn_id', value ->> 'seq', value ->> 'product', value ->> 'status',
         value ->> 'accepted_at_ms', value ->> 'total_ms', value ->> 'provider', value ->> 'model', 0, value ->> 'cost_micros', value, '', '' FROM json_each(?1)`,
      JSON.stringify(turns.slice(at, at + 100).map(({ event }) => event)));
  }
  await server.sql(
    `INSERT INTO feedback(event_id, session_id, person_id, satisfaction_milli, at_ms)
     SELECT value ->> 'event_id', value ->> 'session_id', value ->> 'person_id', value ->> 'satisfaction_milli', value ->> 'at_ms' FROM json_each(?1)`,
    JSON.stringify(ratings));
  await server.tick();

  const { id } = ok(await ada.post("/workflows", { category: FACE[0], id: FACE[1], reason: "calmer" }), 202);
  const run = async () => ok(await ada.get(`/workflows/${id}`));
  const crashes = [];
  const began = Date.now();
  const again = async (why) => {
    await server.kill();
    holding = null;
    crashes.push(`${why} (${((Date.now() - began) / 1000).toFixed(0)} s)`);
    await server.start();
  };
  hold = true;
  await again("collecting");
  let state, approved = false;
  await until("the end", async () => {
    if (holding !== null) {
      await again(holding);
      return false;
    }
    state = await run().catch(() => null);
    if (state?.state === "waiting" && !approved) {
      hold = false;
      await again("waiting");
      await until("the link", () => hooks.taken("approval").length > 0, { timeout: 30_000 });
      const link = new URL(hooks.taken("approval").at(-1).body.data.detail.link);
      ok(await grace.post("/approvals", { token: link.searchParams.get("token"), reason: "the figures hold" }));
      approved = true;
      hold = true;
      return false;
    }
    return state?.state === "ended";
  }, { timeout: 380_000, every: 100 });
  hold = false;
  console.log(`  killed at: ${crashes.join(", ")}`);
  assert.ok(crashes.length >= 8, crashes.join());
  assert.deepEqual(state.ending, { ending: "promoted" });
  assert.equal((await ada.variant(...FACE)).status, "production");
  const entries = ok(await ada.get(`/audit?subject=${FACE.join("/")}`)).entries.map(({ action, actor }) => `${action} ${actor}`);
  assert.deepEqual(entries.slice(0, 3), ["promote grace@example.org", "promote.requested ada@example.org", "workflow.start ada@example.org"]);
  assert.equal(entries.filter((entry) => entry.startsWith("promote")).length, 2);
  assert.equal((await server.sql("SELECT count(*) AS n FROM pending_changes"))[0].n, 1);
  await until("the word", () => hooks.taken("workflow").length > 0, { timeout: 30_000 });
  for (const kind of ["approval", "workflow"]) assert.equal(new Set(hooks.taken(kind).map(({ headers }) => headers["webhook-id"])).size, 1, kind);
  assert.equal(ok(await ada.get("/audit/verify")).holds, true);
});
