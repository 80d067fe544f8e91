// `npm run demo [-- --days 60 --persons 1800 --until 2026-11-21T12:00:00Z --fill-only]`: 60 days of events that look like a real service's,
// through the real pipeline, into the local instance; then it is served as by `npm start`. Again, it adds what happened since.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, root, whenAskedToEnd } from "./lib.mjs";

const port = process.env.PORT ?? "8787";
const USAGE = "Usage: npm run demo -- [--days 60] [--persons 1800] [--until 2026-11-21T12:00:00Z] [--fill-only] [--release]";

function options() {
  let values;
  try {
    ({ values } = parseArgs({ options: {
      days: { type: "string", default: "60" }, persons: { type: "string", default: "1800" }, until: { type: "string" }, "fill-only": { type: "boolean" }, release: { type: "boolean" },
    } }));
  } catch (error) {
    throw new Failure(`${error.message}\n${USAGE}`);
  }
  const [days, persons, until] = [Number(values.days), Number(values.persons), values.until ? Date.parse(values.until) : Date.now()];
  if (!(days >= 2 && days <= 365 && persons >= 1 && persons <= 20_000 && until > 0)) throw new Failure(USAGE);
  return { days: Math.floor(days), persons: Math.floor(persons), until, isFillOnly: values["fill-only"] === true, release: values.release === true };
}

const isServed = () => new Promise((resolve) => {
  const socket = connect({ host: "127.0.0.1", port: Number(port) }, () => { socket.destroy(); resolve(true); });
  socket.once("error", () => resolve(false));
});

/** One line that moves on where there is a terminal, some lines where there is none. */
function progress() {
  const began = Date.now();
  let last = 0;
  return (text, share) => {
    const line = `  ${share === undefined ? "▸" : `${String(Math.round(share * 100)).padStart(3)} %`} ${text}`;
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[2K${line}${share === undefined || share === 1 ? "\n" : ""}`);
    else if (share === undefined || share === 1 || Date.now() - last > 10_000) { last = Date.now(); console.log(`${line} (${Math.round((last - began) / 1_000)} s)`); }
  };
}

await onPinnedNode(async () => {
  const { days, persons, until, isFillOnly, release } = options();
  if (await isServed()) throw new Failure(`Something serves on port ${port} already. Where that is 'npm start', stop it first: two servers cannot share one state, and this one goes on serving.`);
  const { setup } = await import("./setup.mjs");
  await setup({ release });
  const { STATE } = await import("./local.mjs");
  const { fill, newStory } = await import("../tools/demo/fill.mjs");
  const { openInstance } = await import("../tools/demo/instance.mjs");
  const file = join(STATE, "demo.json");
  const known = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
  const story = known ?? newStory({ days, persons, now: until });
  const began = Date.now();
  console.log(known ? "▸ Demo: the story goes on where it ended …" : `▸ Demo: ${days} days of ${persons} people …`);
  mkdirSync(STATE, { recursive: true });
  const instance = await openInstance();
  let end = () => process.exit(130);
  whenAskedToEnd((signal) => end(signal));
  const count = async () => (await instance.rows("SELECT count(*) AS n FROM turn_events"))[0].n;
  try {
    const before = await count();
    const sent = await fill(instance, story, { until, say: progress(), keep: () => writeFileSync(file, JSON.stringify(story)) });
    const turns = sent.filter(({ type }) => type === "turn").length;
    console.log(`✓ Demo: ${turns.toLocaleString("en")} turns of ${Object.keys(story.people).length} people, ${(await count() - before).toLocaleString("en")} of them new: ${((Date.now() - began) / 1_000).toFixed(1)} s`);
  } finally {
    await instance.close();
  }
  if (isFillOnly) return process.exit(0);
  await serve(story, release, (stop) => { end = stop; });
});

/** `npm start`, with the budgets that the story has spent from. */
async function serve({ limits: { month, chat, api }, people }, release, whenEnded) {
  const { claimsOf, signed } = await import("./issuer.mjs");
  const { ISSUER } = await import("./local.mjs");
  const token = signed(JSON.parse(readFileSync(ISSUER, "utf8")), claimsOf());
  const server = spawn(process.execPath, [join(root, "scripts/start.mjs"), ...(release ? ["--release"] : [])], {
    cwd: root, stdio: ["ignore", "pipe", "inherit"],
    env: { BUDGET_MONTH_USD: String(month), BUDGET_FEATURES_MONTH_USD: `chat=${chat},api=${api}`, ...process.env },
  });
  server.stdout.on("data", (chunk) => {
    process.stdout.write(chunk);
    if (chunk.includes("Ctrl-C stops")) console.log(`  The dashboard, signed in: http://localhost:${port}/admin/sign-in#${token}\n  Why has ${Object.keys(people).at(-1)} what they have? Ask under "Why this variant". Another link: npm run admin\n`);
  });
  whenEnded((signal) => server.kill(signal));
  await new Promise((resolve) => server.once("exit", (code) => { process.exitCode = code ?? 0; resolve(); }));
}
