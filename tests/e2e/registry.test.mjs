// The registry and its admin API, on workerd: what changes, who may, what waits, what is remembered, and who notices.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { Guest, sleep, startStack, until } from "../stack.mjs";

const COOL_DOWN_MS = 1_200;
let stack, ada, grace;
before(async () => {
  stack = await startStack({ adminVars: { COOL_DOWN_MS: String(COOL_DOWN_MS) } });
  [ada, grace] = [stack.admin("ada"), stack.admin("grace")];
});
after(() => stack.close());

const ok = (answer, status = 200) => {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
};
const refused = (answer, status, slug) => {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.match(answer.body.type, new RegExp(`/${slug}$`));
  return answer.body;
};
const version = async () => (await ada.get("/snapshot")).body.version;
/** Waits until isolates no longer trust the snapshot that they hold. */
const noticed = () => sleep(2_100);

test("the registry seeds itself from the release, into D1 and KV", async () => {
  const { categories, max_experiments } = ok(await ada.get("/categories"));
  assert.equal(categories.length, 12);
  assert.equal(max_experiments, 5);
  assert.deepEqual(categories.find(({ category }) => category === "LLM_MODEL").defaults, ["claude-sonnet-4-6"]);
  assert.equal(categories.find(({ category }) => category === "RATING_VARIANT").defaults.length, 40);
  assert.equal((await stack.rows("SELECT count(*) AS n FROM variants"))[0].n, 77);
  const pointer = await stack.kv.get("registry:current", "json");
  assert.equal(pointer.version, await version());
  assert.equal((await stack.kv.get(pointer.key, "json")).variants.length, 77);
});

test("variants are listed, filtered, paged and read with their version as ETag", async () => {
  const ids = (body) => body.variants.map(({ id }) => id);
  assert.deepEqual(ids(ok(await ada.get("/variants?category=SYSTEM_PROMPT"))), ["v1-sha-baseline", "v2-sha-current", "v3-sha-empathy-rewrite"]);
  assert.deepEqual(ids(ok(await ada.get("/variants?category=SYSTEM_PROMPT&status=retired"))), ["v1-sha-baseline"]);
  assert.deepEqual(ids(ok(await ada.get("/variants?q=claude%20FASTER"))), ["claude-haiku-4-5"]);
  const pages = [];
  for (let cursor = ""; cursor !== null;) {
    const page = ok(await ada.get(`/variants?limit=30${cursor && `&cursor=${cursor}`}`));
    pages.push(...page.variants.map(({ category, id }) => `${category}/${id}`));
    cursor = page.next;
  }
  assert.equal(new Set(pages).size, 77);
  assert.equal(pages.length, 77);
  const read = await ada.get("/variants/MANDALA_FACE/none");
  assert.equal(read.headers.get("etag"), `"${read.body.version}"`);
  for (const path of ["/variants/MANDALA_FACE/nobody", "/variants/NOTHING/none", "/changes/chg_0", "/nothing"]) refused(await ada.get(path), 404, "not-found");
  for (const path of ["/variants?limit=0", "/variants?limit=x", "/variants?colour=red", "/audit?before=-1"]) refused(await ada.get(path), 400, "invalid-request");
  const other = await ada.ask("PUT", "/variants");
  refused(other, 405, "method-not-allowed");
  assert.equal(other.headers.get("allow"), "GET, POST");
});

test("every change wants a reason, a key, and the version that was seen", async () => {
  const path = "/variants/VOICE_LLM/haiku/cohorts";
  const body = { cohorts: ["paid"], reason: "paying people first" };
  const { version: seen } = await ada.variant("VOICE_LLM", "haiku");
  refused(await ada.post(path, body, { "if-match": `"${seen}"`, "idempotency-key": "" }), 400, "invalid-request");
  refused(await ada.post(path, body), 428, "version-required");
  refused(await ada.post(path, { cohorts: ["paid"] }, { "if-match": `"${seen}"` }), 400, "invalid-request");
  refused(await ada.post(path, { ...body, reason: "x" }, { "if-match": `"${seen}"` }), 400, "invalid-request");
  refused(await ada.post(path, { ...body, colour: 1 }, { "if-match": `"${seen}"` }), 400, "invalid-request");
  assert.equal(refused(await ada.post(path, body, { "if-match": '"99"' }), 412, "stale").current_version, seen);

  const key = { "if-match": `"${seen}"`, "idempotency-key": "once" };
  const first = await ada.post(path, body, key);
  assert.deepEqual(ok(first).variant.cohorts, ["paid"]);
  const again = await ada.post(path, body, key);
  assert.deepEqual(ok(again), first.body);
  assert.equal(again.headers.get("idempotency-replayed"), "true");
  refused(await ada.post(path, { ...body, reason: "another one" }, key), 422, "idempotency-key-reused");
  // A key is its owner's: another admin's is another one.
  refused(await grace.post(path, body, key), 412, "stale");
});

test("a configuration is held against its category's schema", async () => {
  const bad = (config) => ada.post("/variants", { category: "STARTER_POOL_SIZE", id: "bad", description: "bad", config, reason: "a test" });
  for (const config of [{ size: 0 }, { size: "5" }, {}, { size: 5, more: 1 }, []]) refused(await bad(config), 400, "invalid-request");
  const made = ok(await ada.post("/variants", { category: "STARTER_POOL_SIZE", id: "size-3", description: "Three", config: { size: 3 }, reason: "fewer choices" }), 201);
  assert.deepEqual([made.variant.status, made.variant.rollout_percent, made.variant.created_by], ["experimental", 0, "ada@example.org"]);
  refused(await ada.post("/variants", { category: "STARTER_POOL_SIZE", id: "size-3", description: "Three", config: { size: 3 }, reason: "again" }), 409, "conflict");
  ok(await ada.change("STARTER_POOL_SIZE", "size-3", "edit", { config: { size: 4 }, description: "Four" }));
  assert.deepEqual((await ada.variant("STARTER_POOL_SIZE", "size-3")).config, { size: 4 });
  refused(await ada.change("STARTER_POOL_SIZE", "size-3", "edit"), 400, "invalid-request");
});

test("a step above 25 points is confirmed", async () => {
  ok(await ada.change("MANDALA_FACE", "simple-orb", "rollout", { percent: 25 }));
  refused(await ada.change("MANDALA_FACE", "simple-orb", "rollout", { percent: 51 }), 409, "confirmation-required");
  ok(await ada.change("MANDALA_FACE", "simple-orb", "rollout", { percent: 51, confirm: true }));
  assert.equal((await ada.variant("MANDALA_FACE", "simple-orb")).rollout_percent, 51);
  ok(await ada.change("MANDALA_FACE", "simple-orb", "pause"));
  assert.equal((await ada.variant("MANDALA_FACE", "simple-orb")).rollout_percent, 0);
  refused(await ada.change("MANDALA_FACE", "on", "rollout", { percent: 10 }), 409, "conflict");
});

test("the author of a promotion cannot approve it, a program cannot either, and a rollback undoes it", async () => {
  const { change } = ok(await ada.change("TOPIC_HIERARCHY", "drill-down", "promote"), 202);
  assert.equal(change.state, "waiting");
  const confirm = (admin) => admin.post(`/changes/${change.id}/confirm`, { reason: "looks good" });
  refused(await confirm(ada), 403, "forbidden");
  refused(await confirm(stack.admin("ci", { service: true })), 403, "forbidden");
  assert.equal((await ada.variant("TOPIC_HIERARCHY", "drill-down")).status, "staged");
  const approved = ok(await confirm(grace));
  assert.deepEqual([approved.change.state, approved.change.signed_by, approved.variant.status], ["applied", "grace@example.org", "production"]);
  assert.equal((await ada.variant("TOPIC_HIERARCHY", "flat")).status, "staged");
  ok(await ada.change("TOPIC_HIERARCHY", "drill-down", "rollback"));
  const after = await Promise.all(["drill-down", "flat"].map((id) => ada.variant("TOPIC_HIERARCHY", id)));
  assert.deepEqual(after.map(({ status }) => status), ["experimental", "production"]);
  refused(await ada.change("TOPIC_HIERARCHY", "flat", "demote"), 409, "conflict");
  refused(await ada.change("TOPIC_HIERARCHY", "flat", "retire"), 409, "conflict");
});

test("a prompt is confirmed a second time, cools down, and can be cancelled until then", async () => {
  const v3 = ["SYSTEM_PROMPT", "v3-sha-empathy-rewrite"];
  const ask = async (percent) => ok(await ada.change(...v3, "rollout", { percent }), 202).change;
  const first = await ask(20);
  assert.deepEqual([first.needs.sign, first.needs.cool_down], ["again", true]);
  const cooling = ok(await ada.post(`/changes/${first.id}/confirm`, { reason: "yes, really" }), 202).change;
  assert.equal(cooling.state, "cooling");
  ok(await grace.post(`/changes/${first.id}/cancel`, { reason: "not today" }));
  await sleep(COOL_DOWN_MS + 300);
  assert.equal((await ada.variant(...v3)).rollout_percent, 10);
  assert.equal((await ada.get(`/changes/${first.id}`)).body.state, "cancelled");
  refused(await ada.post(`/changes/${first.id}/confirm`, { reason: "yes, really" }), 409, "conflict");

  const second = await ask(20);
  const began = Date.now();
  ok(await ada.post(`/changes/${second.id}/confirm`, { reason: "yes, really" }), 202);
  assert.equal((await ada.variant(...v3)).rollout_percent, 10);
  await until("the cool-down's end", async () => (await ada.variant(...v3)).rollout_percent === 20);
  assert.ok(Date.now() - began >= COOL_DOWN_MS - 50);
  // What falls due after the registry has moved on is refused, and says so.
  const third = await ask(30);
  ok(await ada.post(`/changes/${third.id}/confirm`, { reason: "yes, really" }), 202);
  ok(await grace.change(...v3, "pause"));
  await until("the refusal", async () => (await ada.get(`/changes/${third.id}`)).body.state === "refused");
  assert.equal((await ada.variant(...v3)).rollout_percent, 0);
  assert.ok((await ada.get("/changes?state=refused")).body.changes.some(({ id }) => id === third.id));
});

test("two admins at once lose nothing", async () => {
  const { version: seen } = await ada.variant("GHOST_CHAR_STYLE", "dots");
  const edits = await Promise.all(Array.from({ length: 12 }, (_, n) => (n % 2 ? ada : grace)
    .ask("PATCH", "/variants/GHOST_CHAR_STYLE/dots", { description: `edit ${n}`, reason: "at once" }, { "if-match": `"${seen}"` })));
  assert.deepEqual(edits.map(({ status }) => status).toSorted(), [200, ...Array(11).fill(412)]);
  const won = edits.find(({ status }) => status === 200).body.variant;
  assert.deepEqual(await ada.variant("GHOST_CHAR_STYLE", "dots"), won);

  const before = await version();
  const ids = ["rating-01", "rating-02", "rating-03", "rating-04", "rating-05", "rating-06"];
  await Promise.all(ids.map((id, n) => (n % 2 ? ada : grace).change("RATING_VARIANT", id, "edit", { description: `wording ${n}` }).then((answer) => ok(answer))));
  assert.equal(await version(), before + ids.length);
  for (const [n, id] of ids.entries()) assert.equal((await ada.variant("RATING_VARIANT", id)).description, `wording ${n}`);
  const { entries } = (await ada.get(`/audit?limit=${ids.length}`)).body;
  assert.deepEqual(new Set(entries.map(({ subject }) => subject)), new Set(ids.map((id) => `RATING_VARIANT/${id}`)));
});

test("of experiments that begin at once, five run", async () => {
  const wishes = [["CHAT_UI_LAYOUT", "simplified"], ["COMPOSE_POSITION", "top-fixed"], ["GHOST_CHAR_STYLE", "dots"], ["MANDALA_FACE", "none"],
    ["VOICE_LLM", "haiku"], ["STARTER_POOL_SIZE", "5"], ["PRICING_TIER_STRUCTURE", "v2-claude-aligned"]];
  const answers = await Promise.all(wishes.map(([category, id], n) => (n % 2 ? ada : grace).change(category, id, "rollout", { percent: 5 })));
  const { experiments } = (await ada.get("/categories")).body;
  assert.equal(experiments, 5);
  for (const answer of answers) if (answer.status !== 200) refused(answer, 409, "conflict");
  for (const [category, id] of wishes) if ((await ada.variant(category, id)).rollout_percent > 0) ok(await ada.change(category, id, "pause"));
});

/** A person whose session is in the challenger of a category. */
async function enrolled(category, id) {
  for (let tries = 0; tries < 200; tries++) {
    const guest = await stack.guest();
    if (guest.created.assignment.variants[category] === id) return guest;
  }
  throw new Error(`nobody got ${category} ${id}`);
}
const eventsOfSession = (guest) => stack.rows("SELECT event FROM turn_events WHERE session_id = ? ORDER BY seq", guest.id).then((rows) => rows.map(({ event }) => JSON.parse(event)));

test("a demotion reaches a running session without waiting for KV", async () => {
  ok(await ada.change("LLM_MODEL", "claude-haiku-4-5", "rollout", { percent: 60, confirm: true }));
  await noticed();
  const guest = await enrolled("LLM_MODEL", "claude-haiku-4-5");
  await guest.say("Good morning.");
  // KV stays at what it was: only the registry's object knows.
  const pointer = await stack.kv.get("registry:current");
  ok(await ada.change("LLM_MODEL", "claude-haiku-4-5", "demote"));
  await stack.kv.put("registry:current", pointer);
  await noticed();
  await guest.say("And good evening.");
  const events = await until("both events", async () => { const found = await eventsOfSession(guest); return found.length === 2 && found; });
  assert.deepEqual(events.map(({ variants }) => variants.LLM_MODEL), ["claude-haiku-4-5", "claude-sonnet-4-6"]);
  assert.deepEqual(events.map(({ reasons }) => reasons.LLM_MODEL), ["split", "withdrawn"]);
  // Without a key for any vendor, the offline listener answers, and the event says so.
  assert.deepEqual([events[0].requested_model, events[0].provider], ["claude-haiku-4-5", "offline"]);
  assert.equal((await guest.history()).assignment.variants.LLM_MODEL, "claude-sonnet-4-6");
});

test("the kill switch reaches a running session, and lets go again", async () => {
  ok(await ada.change("CHAT_UI_LAYOUT", "simplified", "rollout", { percent: 90, confirm: true }));
  await noticed();
  const guest = await enrolled("CHAT_UI_LAYOUT", "simplified");
  assert.deepEqual(guest.created.assignment.configs.CHAT_UI_LAYOUT, { layout: "simplified" });
  const layout = async () => { await noticed(); return (await guest.history()).assignment.configs.CHAT_UI_LAYOUT.layout; };
  assert.equal(await layout(), "simplified");
  assert.deepEqual(ok(await ada.post("/kill-switch", { off: true, categories: ["CHAT_UI_LAYOUT"], reason: "something is odd" })).killed, ["CHAT_UI_LAYOUT"]);
  assert.equal(await layout(), "current");
  ok(await ada.post("/kill-switch", { off: false, reason: "it was nothing" }));
  assert.equal(await layout(), "simplified");
});

test("KV away or behind: the last good snapshot stays, an older one is ignored", async () => {
  const now = await version();
  await stack.kv.put("registry:current", JSON.stringify({ version: 1, key: "snapshot:1" }));
  await noticed();
  assert.equal((await stack.guest()).created.assignment.snapshot_version, now);
  await stack.kv.put("registry:current", "not JSON");
  await noticed();
  assert.equal((await stack.guest()).created.assignment.snapshot_version, now);
  ok(await ada.change("MANDALA_FACE", "none", "edit", { description: "No face at all" }));
  assert.equal((await stack.kv.get("registry:current", "json")).version, now + 1);
});

test("a signed link shows a tester what they ask for, except in a crisis", async () => {
  const overrides = { LLM_MODEL: "claude-opus-4-7", MANDALA_FACE: "none" };
  const made = ok(await ada.post("/preview-links", { overrides, reason: "a look at opus" }, { "idempotency-key": "link" }), 201);
  assert.equal(ok(await ada.post("/preview-links", { overrides, reason: "a look at opus" }, { "idempotency-key": "link" }), 201).token, made.token);
  assert.equal(new URL(made.link).searchParams.get("preview"), made.token);
  const tester = await Guest.begin(stack.url, { preview: made.token });
  assert.deepEqual([tester.created.assignment.variants.LLM_MODEL, tester.created.assignment.configs.MANDALA_FACE], ["claude-opus-4-7", { face: "none" }]);
  await tester.say("Hello there.");
  await tester.say("I want to kill myself tonight.");
  const [usual, crisis] = await until("both events", async () => { const found = await eventsOfSession(tester); return found.length === 2 && found; });
  assert.deepEqual([usual.variants.LLM_MODEL, usual.reasons.LLM_MODEL], ["claude-opus-4-7", "override"]);
  assert.deepEqual([crisis.variants.LLM_MODEL, crisis.crisis_override, crisis.reasons], ["claude-sonnet-4-6", true, {}]);
  for (const preview of ["x", `${made.token}x`, tester.token]) {
    const response = await fetch(`${stack.url}/v1/sessions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ preview }) });
    assert.equal(response.status, 400, preview.slice(0, 8));
  }
  refused(await ada.post("/preview-links", { overrides: { SYSTEM_PROMPT: "v1-sha-baseline" }, reason: "an old one" }), 400, "invalid-request");
});

test("why a person has a variant, in figures and in words", async () => {
  const { explanations } = ok(await ada.get("/explain?person_id=user-1&category=CHAT_UI_LAYOUT"));
  assert.equal(explanations.length, 1);
  const { explanation, in_words } = explanations[0];
  assert.match(in_words, new RegExp(`^CHAT_UI_LAYOUT is ${explanation.variant}: bucket ${explanation.bucket}; simplified has 0\\.\\.9000: `));
  assert.equal(ok(await ada.get("/explain?person_id=user-1&new_user=true&paid=true")).explanations.length, 12);
  refused(await ada.get("/explain"), 400, "invalid-request");
});

test("API keys: a secret is shown once, stored nowhere, and revoked", async () => {
  const wish = { name: "the site", scopes: ["flags:read"], reason: "flags for the site" };
  const made = ok(await ada.post("/api-keys", wish, { "idempotency-key": "a-key" }), 201);
  assert.match(made.secret, /^si_[\w-]{43}$/);
  assert.equal(ok(await ada.post("/api-keys", wish, { "idempotency-key": "a-key" }), 201).secret, null);
  const everything = JSON.stringify(await Promise.all(["api_keys", "audit_log", "idempotency_keys"].map((table) => stack.rows(`SELECT * FROM ${table}`))));
  assert.ok(!everything.includes(made.secret) && everything.includes(made.id));
  const [listed] = ok(await ada.get("/api-keys")).api_keys;
  assert.deepEqual([listed.id, listed.name, listed.revoked_at, "secret" in listed], [made.id, "the site", null, false]);
  ok(await ada.ask("DELETE", `/api-keys/${made.id}`, { reason: "it leaked" }));
  assert.notEqual(ok(await ada.get("/api-keys")).api_keys[0].revoked_at, null);
  refused(await ada.ask("DELETE", "/api-keys/key_0", { reason: "it leaked" }), 404, "not-found");
  for (const scopes of [[], ["everything"], undefined]) refused(await ada.post("/api-keys", { ...wish, scopes }), 400, "invalid-request");
});

test("the audit log keeps who, what and why in a chain that nothing can alter unseen", async () => {
  const { entries } = ok(await ada.get("/audit?action=promote"));
  assert.equal(entries.length, 1);
  const [promotion] = entries;
  assert.deepEqual([promotion.actor, promotion.subject, promotion.reason], ["grace@example.org", "TOPIC_HIERARCHY/drill-down", "looks good"]);
  assert.deepEqual([promotion.detail.requested_by, promotion.detail.before.map(({ status }) => status).toSorted()], ["ada@example.org", ["production", "staged"]]);
  assert.equal(ok(await ada.get("/audit/verify")).holds, true);
  for (const sql of ["UPDATE audit_log SET reason = 'nothing' WHERE seq = 2", "DELETE FROM audit_log WHERE seq = 2",
    "INSERT OR REPLACE INTO audit_log SELECT seq, at, 'eve', action, subject, reason, detail, prev_hash, hash FROM audit_log WHERE seq = 2",
    "UPDATE OR REPLACE audit_log SET seq = 3 WHERE seq = 2",
    "INSERT INTO audit_log SELECT seq + 1000, at, actor, action, subject, reason, detail, prev_hash, hash FROM audit_log WHERE seq = 2"]) {
    await assert.rejects(() => stack.rows(sql), /audit_log/, sql);
  }
  // Whoever can drop the triggers can write; the chain and its remembered end tell.
  const triggers = await stack.rows("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_log'");
  for (const { name } of triggers) await stack.rows(`DROP TRIGGER ${name}`);
  const [{ reason }] = await stack.rows("SELECT reason FROM audit_log WHERE seq = 3");
  await stack.rows("UPDATE audit_log SET reason = 'nothing at all' WHERE seq = 3");
  assert.deepEqual(ok(await ada.get("/audit/verify")).broken, { seq: 3, why: "entry 3 was altered" });
  await stack.rows("UPDATE audit_log SET reason = ? WHERE seq = 3", reason);
  assert.equal(ok(await ada.get("/audit/verify")).holds, true);
  const [end] = await stack.rows("SELECT * FROM audit_log ORDER BY seq DESC LIMIT 1");
  await stack.rows("DELETE FROM audit_log WHERE seq = ?", end.seq);
  assert.equal(ok(await ada.get("/audit/verify")).holds, false);
  await stack.rows(`INSERT INTO audit_log VALUES (${Object.keys(end).map(() => "?").join()})`, ...Object.values(end));
  for (const { sql } of triggers) await stack.rows(sql);
  assert.equal(ok(await ada.get("/audit/verify")).holds, true);
});

test("a second writer in D1 makes a plan start over, and nothing is lost", async () => {
  // Somebody else appends to the log between the object's reading and its writing: as often as it happens, both stay.
  const [end] = await stack.rows("SELECT * FROM audit_log ORDER BY seq DESC LIMIT 1");
  const race = ada.change("MANDALA_FACE", "none", "edit", { description: `raced ${randomBytes(4).toString("hex")}` });
  await stack.rows("INSERT INTO audit_log VALUES (?, ?, 'outside', 'note', '', 'a second writer', '{}', ?, ?)", end.seq + 1, end.at, end.hash, "f".repeat(64)).catch((error) => assert.match(error.message, /moved on/));
  ok(await race);
  const seqs = (await stack.rows("SELECT seq FROM audit_log ORDER BY seq")).map(({ seq }) => seq);
  assert.deepEqual(seqs, seqs.map((_, index) => index + 1));
});
