// Winners and promotions: each condition that is not met is told, another admin approves by a link that holds once, and nothing
// that breaks in between changes the end.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { newIssuer, publicKeys } from "../../scripts/issuer.mjs";
import { adminOf, sleep, startStack, until } from "../stack.mjs";
import { experiment, ok, post, receiver, refused } from "./experiment-kit.mjs";

const FACE = ["MANDALA_FACE", "simple-orb"];
const path = (category, id, what) => `/variants/${category}/${id}/${what}`;
let hooks, stack, ada, grace, ci, queue;

before(async () => {
  hooks = await receiver();
  const issuer = newIssuer();
  stack = await startStack({
    adminVars: { WORKFLOW_COLLECT_S: "3", WORKFLOW_APPROVAL_S: "20", COOL_DOWN_MS: "1000" },
    adminSecrets: { ACCESS_DEV_JWKS: JSON.stringify(publicKeys(issuer)), ...hooks.secrets },
  });
  [ada, grace] = ["ada", "grace"].map((name) => adminOf(stack.url, issuer)(name));
  ci = adminOf(stack.url, issuer)("ci", { service: true });
  queue = (await stack.chat.getEnv()).EVENTS;
});
after(async () => { await stack?.close(); hooks.close(); });

const tick = () => stack.adminWorker.scheduled({ cron: "*/5 * * * *", scheduledTime: new Date() });
const count = async (table) => (await stack.rows(`SELECT count(*) AS n FROM ${table}`))[0].n;
const arrived = async (messages) => {
  const known = [await count("turn_events"), await count("feedback")];
  await post(queue, messages);
  const n = messages.length / 3;
  await until("the events", async () => await count("turn_events") >= known[0] + n && await count("feedback") >= known[1] + n, { timeout: 90_000, every: 300 });
  await tick();
};
const winner = (category, id, headers) => ada.change(category, id, "promote-winner", {}, headers);
const unmet = (answer) => refused(answer, 409, "conditions-unmet").unmet.map(({ reason, gate }) => (gate ? `${reason} ${gate}` : reason)).toSorted();
const run = async (id) => ok(await ada.get(`/workflows/${id}`));
const ended = (id, timeout = 40_000) => until("the end", async () => { const now = await run(id); return now.state === "ended" && now; }, { timeout, every: 200 });
const approvalOf = async (id) => {
  await until("the link", () => hooks.taken("approval").some(({ body }) => body.data.detail.run === id), { timeout: 30_000 });
  const { link } = hooks.taken("approval").findLast(({ body }) => body.data.detail.run === id).body.data.detail;
  return new URL(link).searchParams.get("token");
};
const better = () => ({ satisfaction: 800, cost_micros: 900 });

test("promote winner tells every condition that is not met, and promotes where all are", async () => {
  // Without traffic, sessions and a replay nothing is met.
  assert.deepEqual(unmet(await winner(...FACE)), [
    "gate_undecided cost_per_turn", "gate_undecided crisis_detection", "gate_undecided latency_p95", "gate_undecided satisfaction",
    "not_significant", "sample_ratio_unknown", "takes_no_traffic", "too_few_sessions",
  ]);
  refused(await ada.post(path(...FACE, "promote-winner"), { reason: "no version" }), 428, "version-required");
  refused(await winner("MANDALA_FACE", "on"), 409, "conflict");
  refused(await winner("RATING_VARIANT", "rating-01"), 409, "conflict");

  ok(await ada.change(...FACE, "rollout", { percent: 50, confirm: true }));
  // Significant, and too few sessions; not replayed.
  await arrived(experiment(11, "MANDALA_FACE", ["on", "simple-orb"], { count: 320, change: better }));
  assert.deepEqual(unmet(await winner(...FACE)), ["gate_undecided crisis_detection", "too_few_sessions"]);
  ok(await ci.post(path(...FACE, "replays"), { cases: 2_000, new_misses: 0, reason: "the replay of the corpus" }));
  assert.deepEqual(unmet(await winner(...FACE)), ["too_few_sessions"]);
  await arrived(experiment(12, "MANDALA_FACE", ["on", "simple-orb"], { count: 320, change: better }));
  const key = { "idempotency-key": "the-winner" };
  const { version } = await ada.variant(...FACE);
  const headers = { ...key, "if-match": `"${version}"` };
  const asked = ok(await winner(...FACE, headers), 202);
  assert.deepEqual([asked.change.state, asked.change.needs.sign, asked.change.command.action], ["waiting", "another", "promote"]);
  refused(await ada.post(`/changes/${asked.change.id}/confirm`, { reason: "my own" }), 403, "forbidden");
  const repeated = await winner(...FACE, headers);
  assert.deepEqual([ok(repeated, 202), repeated.headers.get("idempotency-replayed")], [asked, "true"]);
  ok(await grace.post(`/changes/${asked.change.id}/cancel`, { reason: "the workflow shall do it" }));
});

test("an equal one, and shares that do not hold are told as such", async () => {
  const of = async (category, [control, treatment], seed, change, skew) => {
    ok(await ada.change(category, treatment, "rollout", { percent: 50, confirm: true }));
    ok(await ci.post(path(category, treatment, "replays"), { cases: 2_000, new_misses: 0, reason: "the replay" }));
    const messages = experiment(seed, category, [control, treatment], { count: 520, change });
    await arrived(skew ? messages.filter((_, n) => skew(Math.floor(n / 3))) : messages);
    return unmet(await winner(category, treatment));
  };
  assert.deepEqual(await of("TOPIC_HIERARCHY", ["flat", "drill-down"], 21, () => ({})), ["not_significant"]);
  // Four of five of the control's sessions are lost.
  const skewed = await of("COMPOSE_POSITION", ["bottom-pill", "top-fixed"], 22, better, (session) => session % 2 === 1 || session % 10 === 0);
  assert.ok(skewed.includes("sample_ratio_mismatch"), skewed.join());
  ok(await ada.change("TOPIC_HIERARCHY", "drill-down", "pause"));
  ok(await ada.change("COMPOSE_POSITION", "top-fixed", "pause"));
});

test("a promotion collects, tests, asks another admin once, promotes and tells", async () => {
  refused(await ada.post("/workflows", { category: "MANDALA_FACE", id: "none", reason: "it is not staged" }), 409, "conflict");
  refused(await ada.post("/workflows", { category: "MANDALA_FACE", id: "nobody", reason: "it is nobody" }), 404, "not-found");
  const body = { category: FACE[0], id: FACE[1], reason: "calmer <b>faces</b>" };
  const started = ok(await ada.post("/workflows", body, { "idempotency-key": "promote" }), 202);
  assert.deepEqual(ok(await ada.post("/workflows", body, { "idempotency-key": "promote" }), 202), started);
  refused(await grace.post("/workflows", body), 409, "conflict");
  assert.equal((await run(started.id)).state, "collecting");
  const token = await approvalOf(started.id);
  assert.equal((await run(started.id)).state, "waiting");

  // Opening the link shows what is asked, and changes nothing.
  const seen = ok(await grace.get(`/approvals?token=${token}`));
  assert.deepEqual([seen.open, seen.run.id], [true, started.id]);
  const page = await fetch(`${stack.url}/admin/v1/approvals?token=${token}`, { headers: { "cf-access-jwt-assertion": grace.token, accept: "text/html" } });
  const html = await page.text();
  assert.match(page.headers.get("content-security-policy"), /default-src 'none'/);
  assert.ok(html.includes("calmer &lt;b&gt;faces&lt;/b&gt;") && html.includes("<button>Approve"), html);
  assert.equal((await fetch(`${stack.url}/admin/v1/approvals?token=${token}`)).status, 401, "only through Access");

  const approve = (admin, link = token, headers) => admin.post("/approvals", { token: link, reason: "the figures hold" }, headers);
  const [head, claims, signature] = token.split(".");
  const forged = `${head}.${claims}.${createHmac("sha256", randomBytes(32)).update(`${head}.${claims}`).digest("base64url")}`;
  const changed = `${head}.${Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(claims, "base64url")), exp: 9_999_999_999 })).toString("base64url")}.${signature}`;
  for (const link of [forged, changed, "nonsense", ada.token]) refused(await approve(grace, link), 403, "forbidden");
  refused(await approve(ada), 403, "forbidden");
  refused(await approve(ci), 403, "forbidden");

  // The registry changes meanwhile: what was approved is not what there is, so that it is asked anew.
  ok(await ada.change("GHOST_CHAR_STYLE", "dots", "edit", { description: "Three dots that breathe" }));
  refused(await approve(grace), 409, "conflict");
  const fresh = await until("another link", async () => { const next = await approvalOf(started.id); return next !== token && next; });
  refused(await approve(grace, token), 410, "approval-gone");
  const once = { "idempotency-key": "approve" };
  ok(await approve(grace, fresh, once));
  ok(await approve(grace, fresh, once));
  refused(await approve(grace, fresh), 410, "approval-gone");
  const done = await ended(started.id);
  assert.deepEqual([done.ending.ending, done.approved_by, done.author], ["promoted", "grace@example.org", "ada@example.org"]);
  assert.deepEqual(done.steps.map(({ state }) => state), ["collecting", "testing", "asking", "waiting", "testing", "asking", "waiting", "requesting", "signing", "telling", "ended"]);
  assert.equal((await ada.variant(...FACE)).status, "production");
  assert.equal((await ada.variant("MANDALA_FACE", "on")).status, "staged");
  const entries = ok(await ada.get(`/audit?subject=${FACE.join("/")}&limit=10`)).entries.map(({ action, actor }) => [action, actor]);
  assert.deepEqual(entries.slice(0, 3), [["promote", "grace@example.org"], ["promote.requested", "ada@example.org"], ["workflow.start", "ada@example.org"]]);
  await until("the word", () => hooks.taken("workflow").some(({ body }) => body.data.text === "The promotion of MANDALA_FACE/simple-orb ended: it is in production"));
  assert.equal(ok(await ada.get("/audit/verify")).holds, true);
});

test("what has not won is not asked about; one can be taken back", async () => {
  ok(await ada.change("TOPIC_HIERARCHY", "drill-down", "rollout", { percent: 50, confirm: true }));
  const begin = async () => ok(await ada.post("/workflows", { category: "TOPIC_HIERARCHY", id: "drill-down", reason: "perhaps" }), 202).id;
  const one = await begin();
  const later = await until("another round", async () => { const now = await run(one); return now.round > 1 && now; }, { timeout: 20_000 });
  assert.match(later.steps.find(({ state }, n) => n > 1 && state === "collecting").what, /not significant/);
  ok(await grace.post(`/workflows/${one}/cancel`, { reason: "enough" }), 202);
  assert.deepEqual((await ended(one)).ending, { ending: "cancelled", by: "grace@example.org" });
  refused(await ada.post(`/workflows/${one}/cancel`, { reason: "again" }), 409, "conflict");
  ok(await ada.change("TOPIC_HIERARCHY", "drill-down", "pause"));
  const open = ok(await ada.get("/workflows?open=true")).workflows;
  assert.deepEqual(open, []);
  assert.equal(ok(await ada.get("/workflows")).workflows.length, 2);
});

test("a link expires, and with it the promotion", { timeout: 90_000 }, async () => {
  ok(await ada.change("GHOST_CHAR_STYLE", "dots", "rollout", { percent: 50, confirm: true }));
  ok(await ci.post(path("GHOST_CHAR_STYLE", "dots", "replays"), { cases: 2_000, new_misses: 0, reason: "the replay" }));
  await arrived(experiment(31, "GHOST_CHAR_STYLE", ["scramble", "dots"], { count: 540, change: better }));
  const { id } = ok(await ada.post("/workflows", { category: "GHOST_CHAR_STYLE", id: "dots", reason: "calmer" }), 202);
  const token = await approvalOf(id);
  const { ending } = await ended(id, 40_000);
  assert.deepEqual(ending, { ending: "expired" });
  await sleep(6_000);
  refused(await grace.post("/approvals", { token, reason: "too late" }), 410, "approval-gone");
  assert.equal((await ada.variant("GHOST_CHAR_STYLE", "dots")).status, "staged");
});
