// `npm run bench:peers`: our door and our turn path beside bare workerd and other gateways, in one run, against one model's server.
// `--quick` tries it out in less than two minutes and writes nothing, `--write` has it written all the same.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, main, run, whenAskedToEnd } from "../../../scripts/lib.mjs";
import { installPeers } from "../../../scripts/peers.mjs";
import { root, sleep } from "../../stack.mjs";
import { BESIDE, withSection } from "../figures.mjs";
import { describe, treeMemoryKib, watchOthers } from "../machine.mjs";
import { closeAll, memoryFolder, startPlain, startPlatform, startUpstream, workerdVersion } from "../stack.mjs";
import { completions, turns } from "./client.mjs";
import { startGateway } from "./gateways.mjs";
import { latency, load, warm } from "./phases.mjs";
import { report } from "./report.mjs";

const FULL = { rounds: 9, requests: 60, warm: 15, clients: 16, loadRounds: 3, seconds: 4 };
const QUICK = { rounds: 3, requests: 12, warm: 2, clients: 16, loadRounds: 1, seconds: 1 };

const SHORT = { first: 0, words: 20, stream: true };
const LONG = { first: 0, words: 200, stream: true };
const LATE = { first: 20, words: 20, stream: true };
const WHOLE = { first: 0, words: 20, stream: false };

/** More than is ever spent here: a budget that grants is asked as one that does not. */
const BUDGETS = { BUDGET_PERSON_DAY_USD: "1000000", BUDGET_MONTH_USD: "1000000", BUDGET_FEATURES_MONTH_USD: "api=1000000,chat=1000000" };
/** A model of the price table, so that there is a cost to reserve and to settle. */
const PRICED = "gpt-4o-mini";
/** Longest wait for the queue's consumer. */
const DRAIN_MS = 60_000;
const say = (text) => console.log(`▸ ${text} …`);

/** Our own, each on a workerd of its own: gate, assignment, budgets, events and every trace sent. */
async function platforms(model, folder) {
  const vars = { ...BUDGETS, LLM_MODEL: PRICED, TRACE_EXPORTER: "otlp", OTEL_EXPORTER_OTLP_ENDPOINT: model };
  const [forward, first, second] = [
    await startPlain(model, "forward-worker.mjs"),
    await startPlatform(`${model}/v1`, { folder, vars }), await startPlatform(`${model}/v1`, { folder, vars }),
  ];
  const key = (await first.admin().post("/api-keys", { name: "bench", scopes: ["chat"], reason: "beside peers" })).body.secret;
  return [
    { title: "bare workerd, forwarding", target: completions("workerd", `${forward.url}/v1`), pid: forward.pid },
    {
      title: "Silent Infinity, OpenAI's door", pid: first.pid, stack: first,
      target: completions("door", `${first.url}/v1`, { model: "companion", headers: { authorization: `Bearer ${key}` }, extra: (at) => ({ user: `person-${at}` }) }),
    },
    { title: "Silent Infinity, a session's turns", target: turns("turns", second.url), pid: second.pid, stack: second },
  ];
}

async function gateways(installed, model) {
  const all = [];
  for (const [name, { title, program, missing }] of Object.entries(installed)) {
    if (!missing) say(title);
    all.push({ name, title, ...(missing ? { missing } : await startGateway(name, program, model)) });
  }
  return all;
}

/** How many answers a target of ours gave, and how many events they left. */
async function stored({ title, target, stack }) {
  const end = performance.now() + DRAIN_MS;
  let events = await stack.events();
  while (events < target.answers && performance.now() < end) {
    await sleep(200);
    events = await stack.events();
  }
  return { title, asked: target.answers, events };
}

async function measure(plan, installed) {
  const folder = memoryFolder();
  const machine = { ...describe(), workerd: workerdVersion, inMemory: folder !== null };
  const model = await startUpstream("peers/model.mjs");
  const peers = await gateways(installed, model.url);
  for (const { title, missing } of peers.filter((peer) => peer.missing)) console.error(`✗ ${title} ${missing}`);
  const direct = { title: "the model's server itself", target: completions("direct", `${model.url}/v1`), pid: model.pid };
  const targets = [direct, ...await platforms(model.url, folder), ...peers.filter((peer) => !peer.missing)];
  const whole = targets.filter(({ target }) => !target.streamsOnly);
  const result = { plan, machine, missing: peers.filter((peer) => peer.missing), titles: Object.fromEntries(targets.map(({ target, title }) => [target.name, title])) };

  say("warming up");
  await warm(targets, { requests: plan.warm, clients: 4, specs: [SHORT, LONG, WHOLE] });
  result.latency = {};
  for (const [name, spec] of Object.entries({ short: SHORT, late: LATE, whole: WHOLE })) {
    say(`latency, ${name}`);
    result.latency[name] = await latency(spec.stream ? targets : whole, { ...plan, spec });
  }
  result.load = {};
  for (const [name, spec] of Object.entries({ short: SHORT, long: LONG, whole: WHOLE })) {
    say(`load, ${name}`);
    result.load[name] = await load(spec.stream ? targets : whole, { ...plan, rounds: plan.loadRounds, spec });
  }
  result.memory = Object.fromEntries(targets.map(({ target, pid }) => [target.name, treeMemoryKib(pid)]));
  result.stored = await Promise.all(targets.filter(({ stack }) => stack).map(stored));
  for (const { target } of targets) target.close();
  return result;
}

await main(async () => {
  const quick = process.argv.includes("--quick");
  // What judges answers and samples is tried out before anything is measured.
  run(process.execPath, ["--test", ...["figures", "peers/client", "peers/report"].map((name) => join(root, `tests/bench/${name}.test.mjs`))], { quiet: true });
  whenAskedToEnd(() => closeAll().finally(() => process.exit(130)));
  try {
    const installed = await installPeers();
    const others = watchOthers();
    const result = { quick, ...await measure(quick ? QUICK : FULL, installed) };
    await closeAll();
    result.machine.others = others();
    const text = report(result);
    console.log(`\n${text}`);
    if (quick && !process.argv.includes("--write")) return console.log("A quick run: nothing is written.");
    const page = join(root, "docs/benchmark.md");
    writeFileSync(page, withSection(readFileSync(page, "utf8"), BESIDE, text));
    console.log("✓ docs/benchmark.md");
  } catch (error) {
    throw error.message?.includes("a wrong answer") ? new Failure(error.message) : error;
  } finally {
    await closeAll();
  }
});
