// `npm run bench:pipeline [-- --turns 1000000 --days 20]`: synthetic turns through the admin Worker's own queue and cron, then the
// dashboard's questions on 90 days of 60 variants. Writes docs/pipeline.md's measurements; a run of fewer turns than the default only prints.
import childProcess from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claimsOf, newIssuer, publicKeys, signed } from "../../scripts/issuer.mjs";
import { main, whenAskedToEnd } from "../../scripts/lib.mjs";
import { DAY_MS, dayOf, people } from "../events.mjs";
import { freePort, root } from "../stack.mjs";
import { cpuMs, describe, rssKib, watchOthers } from "./machine.mjs";
import { memoryFolder, workerdVersion, workers } from "./stack.mjs";

const require = createRequire(import.meta.url);
const { Log, LogLevel, Miniflare, convertV4MiniflareOptions } = createRequire(require.resolve("wrangler"))("miniflare");
const { unstable_getMiniflareWorkerOptions: fromConfig, unstable_splitSqlQuery: statements } = require("wrangler");

const FULL = 1_000_000;
const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const BATCH = 100;
/** Batches that are on their way at a time, as a queue with some concurrency has it. */
const AT_ONCE = 4;
const NAME = "silent-infinity-admin";
// Price list of the paid plan, US dollars for a million (reference: Cloudflare's pricing pages).
const PRICES = { d1_rows_written: 1.0, d1_rows_read: 0.001, r2_writes: 4.5, r2_reads: 0.36, queue: 1.2 };

async function start(folder) {
  const issuer = newIssuer();
  const port = await freePort();
  const { workerOptions: options } = fromConfig(join(root, "workers/admin/wrangler.toml"));
  const cost = { messages: 0, d1_rows_read: 0, d1_rows_written: 0, d1_calls: 0, r2_writes: 0, r2_bytes: 0, batches: 0 };
  let pid;
  const { spawn } = childProcess;
  childProcess.spawn = (...args) => {
    const child = spawn(...args);
    pid = child.pid;
    return child;
  };
  const wrong = [];
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    cf: false, log: new Log(LogLevel.ERROR), logRequests: false, host: "127.0.0.1", port: 0,
    resourcePersistencePath: folder, isolatedResourcePersistencePath: folder,
    // The Worker says itself what each batch cost: D1's own counts of rows.
    handleStructuredLogs: ({ message }) => {
      const line = message.startsWith("{") ? JSON.parse(message) : {};
      if (line.event === "consumed") {
        cost.batches += 1;
        cost.messages += line.messages;
        for (const [name, value] of Object.entries(line.cost)) cost[name] += value;
      } else if (line.level === "error" && line.event !== "consumer-retries") wrong.push(message);
    },
    workers: [{
      ...options, name: NAME, rootPath: root, modulesRules: undefined, queueConsumers: undefined, unsafeDirectSockets: [{ host: "127.0.0.1", port }],
      modules: [
        { type: "ESModule", path: join(root, "index.js"), contents: workers.admin.script.toString() },
        { type: "CompiledWasm", path: join(root, "index_bg.wasm"), contents: workers.admin.wasm },
      ],
      bindings: { ...options.bindings, ENVIRONMENT: "test", TOKEN_SECRET: Buffer.alloc(32).toString("base64"), ACCESS_DEV_JWKS: JSON.stringify(publicKeys(issuer)) },
    }],
  }));
  await miniflare.ready;
  childProcess.spawn = spawn;
  const db = await miniflare.getD1Database("DB", NAME);
  for (const file of readdirSync(join(root, "d1-migrations")).filter((name) => name.endsWith(".sql")).sort()) {
    for (const sql of statements(readFileSync(join(root, "d1-migrations", file), "utf8"))) await db.prepare(sql).run();
  }
  const token = signed(issuer, claimsOf({ email: "bench@example.org" }));
  return {
    miniflare, db, pid, cost, wrong,
    bucket: await miniflare.getR2Bucket("BUCKET", NAME),
    worker: await miniflare.getWorker(NAME),
    ask: async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}/admin/v1${path}`, { headers: { "cf-access-jwt-assertion": token } });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
      return text;
    },
  };
}

/** A day's turns through the queue's entry, in batches; only turns count. */
async function ingest(stack, crowd, start, wanted) {
  let turns = 0, serial = 0;
  const waiting = new Set();
  let held = [];
  const began = performance.now();
  let returned = 0;
  const flush = async () => {
    const messages = held.splice(0, BATCH);
    const body = messages.map((message) => ({ id: `m${start}-${serial++}`, timestamp: new Date(), attempts: 1, body: JSON.stringify(message) }));
    const sent = stack.worker.queue("turn-events", body).then((result) => {
      waiting.delete(sent);
      if (result.retryBatch?.retry) throw new Error("a batch came back");
      // A rating that overtook its turn waits in the queue, as it does live.
      const back = new Set(result.retryMessages?.map(({ msgId }) => msgId));
      held.push(...messages.filter((_, n) => back.has(body[n].id)));
      returned += back.size;
      if (returned > wanted / 100) throw new Error(`${returned} messages came back`);
    });
    waiting.add(sent);
    if (waiting.size >= AT_ONCE) await Promise.race(waiting);
  };
  // Sessions begin evenly over the day, so that a batch is of one hour or two, as it is live.
  const sessions = Math.ceil(wanted / 4.5);
  for (let n = 0; turns < wanted; n++) {
    const messages = crowd.next(start + Math.floor((n / (sessions * 1.2)) * (DAY_MS - 3_600_000)) % (DAY_MS - 900_000));
    turns += messages.filter(({ type }) => type === "turn").length;
    held.push(...messages);
    while (held.length >= BATCH) await flush();
  }
  while (held.length > 0 || waiting.size > 0) {
    if (held.length > 0) await flush();
    else await Promise.race(waiting);
  }
  return { turns, seconds: (performance.now() - began) / 1_000 };
}

async function timed(work) {
  const began = performance.now();
  const result = await work();
  return [(performance.now() - began) / 1_000, result];
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** 90 days of 60 variants, made of the days that were rolled up; then each question, again and again. */
async function questions(stack) {
  const { db } = stack;
  const [{ day }] = (await db.prepare("SELECT max(day) AS day FROM gold_daily").all()).results;
  for (const table of ["gold_daily", "gold_sums"]) {
    const { results: [first] } = await db.prepare(`SELECT * FROM ${table} LIMIT 1`).all();
    const columns = Object.keys(first).filter((name) => !["day", "category", "variant"].includes(name)).join(", ");
    await db.prepare(`CREATE TABLE one AS SELECT row_number() OVER (ORDER BY category, variant) AS n, category, variant, ${columns} FROM ${table} WHERE day = ? AND category <> 'PRODUCT'`).bind(day).run();
    await db.prepare(`DELETE FROM ${table} WHERE category <> 'PRODUCT'`).run();
    await db.prepare(`INSERT INTO ${table}(day, category, variant, ${columns}) WITH RECURSIVE days(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM days WHERE n < 89)
      SELECT date('now', -days.n || ' days'), category, variant, ${columns} FROM days, one WHERE one.n <= 60`).run();
    await db.prepare("DROP TABLE one").run();
  }
  const [{ rows }] = (await db.prepare("SELECT count(*) AS rows FROM gold_daily WHERE category <> 'PRODUCT'").all()).results;
  const pair = (await db.prepare("SELECT DISTINCT variant FROM gold_daily WHERE category = 'LLM_MODEL' LIMIT 2").all()).results.map(({ variant }) => variant);
  const range = `from=${dayOf(Date.now() - 89 * DAY_MS)}&to=${dayOf(Date.now())}`;
  const asked = {
    "`/metrics/overview?days=90`": "/metrics/overview?days=90",
    "`/metrics/overview?days=7`": "/metrics/overview?days=7",
    "`/metrics/series?…&days=90`": `/metrics/series?category=LLM_MODEL&id=${pair[0]}&days=90`,
    "`/metrics/compare?…`, 90 days": `/metrics/compare?category=LLM_MODEL&control=${pair[0]}&treatment=${pair[1]}&${range}`,
    "`/metrics/live`": "/metrics/live",
    "`/metrics/costs?days=90`": "/metrics/costs?days=90",
  };
  const answers = [];
  for (const [name, path] of Object.entries(asked)) {
    const times = [];
    let size;
    for (let n = 0; n < 60; n++) {
      const [seconds, text] = await timed(() => stack.ask(path));
      size = text.length;
      if (n >= 10) times.push(seconds * 1_000);
    }
    times.sort((a, b) => a - b);
    answers.push({ name, p50: at(times, 0.5), p95: at(times, 0.95), size });
  }
  return { rows, answers };
}

const whole = (value) => Math.round(value).toLocaleString("en-US");

function report({ machine, wanted, rows, cost, bytes, objects, dbBytes, asked, turns }) {
  const million = (value) => (value / turns) * 1e6;
  const prices = [
    ["D1 rows written", million(cost.d1_rows_written), PRICES.d1_rows_written],
    ["D1 rows read", million(cost.d1_rows_read), PRICES.d1_rows_read],
    ["R2 writes, full batches", million(cost.r2_writes), PRICES.r2_writes],
    ["queue (a message's three operations)", million(cost.messages), PRICES.queue],
  ];
  const total = prices.reduce((sum, [, count, price]) => sum + (count / 1e6) * price, 0);
  const disturbed = machine.others === null ? "" : ` Other processes took ${(100 * machine.others).toFixed(0)} % of the processors meanwhile.`;
  return `${whole(turns)} turns over ${rows.length} days${turns < wanted ? ` of ${whole(wanted)} that were asked for` : ""}, in batches of ${BATCH}, ${AT_ONCE} at a time; ${machine.date}, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node},
workerd ${machine.workerd}, storage in ${machine.inMemory ? "memory" : "the temporary folder"}.${disturbed}

| turns so far | turns a second, queue → D1 and bronze | night: gold and silver of the day, s | workerd's memory, MiB | D1, MiB |
|---|---|---|---|---|
${rows.map((row) => `| ${whole(row.turns)} | ${whole(row.rate)} | ${row.night.toFixed(1)} | ${whole(row.rssKib / 1024)} | ${whole(row.dbBytes / 1024 ** 2)} |`).join("\n")}

For each million turns, with what comes beside them (${(cost.messages / turns).toFixed(2)} messages a turn):

| | count | US dollars |
|---|---|---|
${prices.map(([name, count, price]) => `| ${name} | ${whole(count)} | ${((count / 1e6) * price).toFixed(2)} |`).join("\n")}
| all | | ${total.toFixed(2)} |

Bronze: ${whole(objects.bronze)} objects, ${whole(bytes.bronze / turns)} bytes a turn; silver: ${whole(objects.silver)} files, ${whole(bytes.silver / turns)} bytes a turn; D1: ${whole(dbBytes / turns)} bytes a turn.

| question, ${whole(asked.rows)} rows of gold | p50 ms | p95 ms | answer, KiB |
|---|---|---|---|
${asked.answers.map(({ name, p50, p95, size }) => `| ${name} | ${p50.toFixed(1)} | ${p95.toFixed(1)} | ${(size / 1024).toFixed(0)} |`).join("\n")}
`;
}

async function sizes(bucket, prefix) {
  let bytes = 0, count = 0;
  for (let cursor; ;) {
    const page = await bucket.list({ prefix, cursor });
    for (const { size } of page.objects) bytes += size;
    count += page.objects.length;
    if (!page.truncated) return { bytes, count };
    cursor = page.cursor;
  }
}

await main(async () => {
  const wanted = option("turns", FULL);
  const days = option("days", Math.max(1, Math.round(wanted / 50_000)));
  const limitSeconds = option("seconds", Infinity);
  const inMemory = memoryFolder() !== null && wanted * 6_000 < 12 * 1024 ** 3;
  const folder = mkdtempSync(join(inMemory ? memoryFolder() : tmpdir(), "silent-bench-pipeline-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  whenAskedToEnd(() => process.exit(130));
  const others = watchOthers();
  const stack = await start(folder);
  try {
    const crowd = people(1);
    const rows = [];
    let turns = 0;
    const began = performance.now();
    const first = Math.floor(Date.now() / DAY_MS) * DAY_MS - days * DAY_MS;
    const size = async () => (await stack.db.prepare("SELECT 1").all()).meta.size_after;
    for (let n = 0; n < days && (performance.now() - began) / 1_000 < limitSeconds; n++) {
      const day = first + n * DAY_MS;
      const done = await ingest(stack, crowd, day, Math.round(wanted / days));
      turns += done.turns;
      const cpuBefore = cpuMs(stack.pid);
      const [night] = await timed(() => stack.worker.scheduled({ cron: "0 3 * * *", scheduledTime: new Date(day + DAY_MS + 3 * 3_600_000) }));
      rows.push({ turns, rate: done.turns / done.seconds, night, nightCpuMs: cpuMs(stack.pid) - cpuBefore, rssKib: rssKib(stack.pid), dbBytes: await size() });
      console.log(`▸ ${dayOf(day)} ${turns} turns, ${Math.round(done.turns / done.seconds)} a second, night ${night.toFixed(1)} s, ${Math.round(rows.at(-1).rssKib / 1024)} MiB`);
      if (stack.wrong.length > 0) throw new Error(stack.wrong[0]);
    }
    const [{ n }] = (await stack.db.prepare("SELECT count(*) AS n FROM turn_events").all()).results;
    const [{ counted }] = (await stack.db.prepare("SELECT sum(turns) AS counted FROM gold_daily WHERE category = 'PRODUCT'").all()).results;
    if (n !== turns || counted !== turns) throw new Error(`${turns} turns were sent, D1 has ${n} and gold ${counted}`);
    const [bronze, silver, dbBytes] = [await sizes(stack.bucket, "bronze/"), await sizes(stack.bucket, "silver/"), await size()];
    const asked = await questions(stack);
    const machine = { ...describe(), workerd: workerdVersion, inMemory, others: others() };
    const text = report({ machine, wanted, rows, cost: stack.cost, turns, dbBytes, asked, bytes: { bronze: bronze.bytes, silver: silver.bytes }, objects: { bronze: bronze.count, silver: silver.count } });
    console.log(`\n${text}`);
    if (turns >= FULL || process.argv.includes("--write")) {
      const path = join(root, "docs/pipeline.md");
      const [head] = readFileSync(path, "utf8").split("## Measured\n");
      writeFileSync(path, `${head}## Measured\nBy \`npm run bench:pipeline\`: one run on one machine. Do not compare it with figures of another one.\n\n${text}`);
      console.log("✓ docs/pipeline.md");
    }
  } finally {
    await stack.miniflare.dispose();
  }
});
