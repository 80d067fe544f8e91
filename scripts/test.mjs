// `npm test`: set-up, checks and every test; stops at the first section that fails. Sections can be named:
// `node scripts/test.mjs check native statistics bench speech build web e2e browser`.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, bin, probe, root, run, step, tee } from "./lib.mjs";
import { ensureHost, install } from "./toolchain.mjs";

const total = { passed: 0, failed: 0, skipped: 0 };

/** Adds what a runner's closing lines say: node's, cargo's and vitest's. */
function count(output) {
  const plain = output.replace(/\u001b\[[0-9;]*m/g, "");
  const sum = (pattern) => [...plain.matchAll(pattern)].reduce((all, match) => all + Number(match[1]), 0);
  total.passed += sum(/^test result: \w+\. (\d+) passed/gm) + sum(/^(?:#|ℹ) pass (\d+)$/gm) + sum(/^\s+Tests .*?(\d+) passed/gm);
  total.failed += sum(/^test result: .*? (\d+) failed/gm) + sum(/^(?:#|ℹ) fail (\d+)$/gm) + sum(/^\s+Tests .*?(\d+) failed/gm);
  total.skipped += sum(/^test result: .*? (\d+) ignored/gm) + sum(/^(?:#|ℹ) skipped (\d+)$/gm) + sum(/^\s+Tests .*?(\d+) skipped/gm);
}

async function counted(command, args, options) {
  try {
    count(await tee(command, args, options));
  } catch (error) {
    count(error.output ?? "");
    throw error;
  }
}

const suite = (folder) => (existsSync(join(root, folder)) ? readdirSync(join(root, folder)).filter((name) => name.endsWith(".test.mjs")).map((name) => join(folder, name)) : []);

async function nodeTests(folder) {
  const found = suite(folder);
  if (found.length === 0) return console.log(`  no tests in ${folder}`);
  // One file at a time: each starts a whole stack, and a machine may have two cores.
  await counted(process.execPath, ["--test", "--test-concurrency=1", "--test-reporter=spec", ...found], { env: { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" } });
}

function chromium() {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  if (process.env.CHROMIUM_PATH || names.some((name) => probe("which", [name]) !== null)) return;
  if (process.platform !== "linux") throw new Failure("No Chromium found: install one, or set CHROMIUM_PATH.");
  install("chromium");
}

const SECTIONS = {
  check: ["Checks", async () => (await import("./check.mjs")).check()],
  native: ["Native tests", async () => {
    ensureHost();
    await counted("cargo", ["test", "--workspace", "--locked", "--quiet"]);
  }],
  statistics: ["Statistics, against other libraries", () => nodeTests("tests/statistics")],
  bench: ["Benchmarks' own arithmetic", async () => {
    for (const folder of ["tests/bench", "tests/bench/peers"]) await nodeTests(folder);
  }],
  speech: ["Speech services that the tests speak to", () => nodeTests("tests/speech")],
  build: ["Release build, local state and size", async () => {
    await (await import("./setup.mjs")).setup({ release: true });
    (await import("./size.mjs")).sizes();
  }],
  web: ["Page: types and unit tests", async () => {
    if (!existsSync(join(root, "web/vite.config.ts"))) return console.log("  no page yet");
    run(bin("tsc"), ["--noEmit", "-p", "web"]);
    await counted(bin("vitest"), ["run", "--root", "web"]);
  }],
  e2e: ["End to end, on workerd", () => nodeTests("tests/e2e")],
  browser: ["In a browser", async () => {
    if (suite("tests/browser").length > 0) chromium();
    await nodeTests("tests/browser");
  }],
};
// What must have run before a section, when it is asked for alone.
const BEFORE = { e2e: "build", browser: "build" };

await onPinnedNode(async () => {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !(name in SECTIONS));
  if (unknown.length > 0) throw new Failure(`no section ${unknown.join(", ")}; there are ${Object.keys(SECTIONS).join(", ")}`);
  const needed = new Set(asked.flatMap((name) => [BEFORE[name], name]).filter(Boolean));
  const chosen = Object.keys(SECTIONS).filter((name) => asked.length === 0 || needed.has(name));
  let failure;
  for (const name of chosen) {
    const [title, work] = SECTIONS[name];
    console.log(`\n━━ ${title}`);
    try {
      await step(title, {}, work);
    } catch (error) {
      failure = error;
      // A section without test cases of its own (a build, a lint) counts as one.
      if (total.failed === 0) total.failed = 1;
      console.error(`\n✗ ${title}: ${error instanceof Failure ? error.message : error.stack}`);
      break;
    }
  }
  if (!failure && asked.length === 0) console.log("\nEverything passed.");
  console.log(`\n${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
  process.exitCode = failure ? 1 : 0;
});
