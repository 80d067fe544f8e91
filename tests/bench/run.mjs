// The benchmark: a turn through the whole path, beside the same request to the model's server and to a plain Worker.
// `--quick` tries it out in less than a minute and writes nothing; otherwise the figures go to docs/benchmark.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { main, whenAskedToEnd } from "../../scripts/lib.mjs";
import { root } from "../stack.mjs";
import { pageArtifacts, workerArtifacts } from "./artifacts.mjs";
import { direct, plain, platform } from "./client.mjs";
import { BESIDE, sectionOf, withSection } from "./figures.mjs";
import { describe, watchOthers } from "./machine.mjs";
import { events, firstWords, load, memory } from "./phases.mjs";
import { report } from "./report.mjs";
import { closeAll, memoryFolder, startPlain, startPlatform, startUpstream, workerdVersion } from "./stack.mjs";

const FULL = {
  starts: 5, warm: 60, samples: 300, others: 100, levels: [1, 16, 64], warmSeconds: 3, seconds: 10,
  memory: { turns: 10_000, sessionTurns: 50, clients: 16, every: 1_000 }, alone: 3_000,
};
const QUICK = {
  starts: 2, warm: 10, samples: 40, others: 10, levels: [1, 16], warmSeconds: 1, seconds: 2,
  memory: { turns: 400, sessionTurns: 20, clients: 10, every: 50 }, alone: 200,
};

/** The model waits, then says everything at once: what is seen is our time and not the wait for a sentence's end. */
const AT_ONCE = { first: 20, words: 20, delay: 0 };
/** A word, which is a sentence in these answers, at a time. */
const SLOWLY = { first: 20, words: 4, delay: 10 };
const STREAMED = { first: 20, words: 20, delay: 2 };
const NO_WAIT = { first: 0, words: 20, delay: 0 };

const say = (text) => console.log(`▸ ${text} …`);

/** Starts, each of a new process with empty storage; the first turn is that of a Worker that has never run. */
async function starts(llm, folder, count) {
  const all = [];
  for (let n = 0; n < count; n++) {
    const stack = await startPlatform(llm.url, { folder });
    const target = platform(stack.url);
    const turn = await target.session();
    all.push({ startMs: stack.startMs, firstTurnMs: (await turn(AT_ONCE)).firstMs });
    target.close();
    await stack.close();
  }
  return all;
}

async function loads(targets, pids, { levels, warmSeconds, seconds }) {
  const rows = [];
  for (const clients of levels) {
    for (const target of targets) rows.push(await load(target, pids[target.name], { clients, warmSeconds, seconds, spec: STREAMED }));
  }
  return rows;
}

/** Memory in a process of its own. */
async function memoryOf(llm, folder, collect, options) {
  const stack = await startPlatform(llm.url, { folder, collect });
  const target = platform(stack.url);
  const measured = await memory(target, stack.pid, { ...options, spec: NO_WAIT });
  const stored = await events(target, stack);
  target.close();
  await stack.close();
  return { ...measured, stored };
}

async function measure(plan) {
  const folder = memoryFolder();
  const machine = { ...describe(), workerd: workerdVersion, inMemory: folder !== null };
  const result = { plan, machine, workers: workerArtifacts(), page: pageArtifacts() };
  const llm = await startUpstream();

  say("start-up");
  result.starts = await starts(llm, folder, plan.starts);

  say("first words");
  const stack = await startPlatform(llm.url, { folder });
  const javascript = await startPlain(llm.url);
  // The same once more on this machine's disk, where every turn waits for the disk as well.
  const onDisk = folder === null ? null : await startPlatform(llm.url);
  const [server, peer, ours] = [direct(llm.url), plain(javascript.url), platform(stack.url)];
  const disk = onDisk && platform(onDisk.url, "disk");
  result.first = await firstWords([server, peer, ours, disk].filter(Boolean), { warm: plan.warm, samples: plan.samples, spec: AT_ONCE });
  result.slowly = await firstWords([server, ours], { warm: 5, samples: plan.others, spec: SLOWLY });

  say("turns a second");
  const pids = { platform: stack.pid, plain: javascript.pid, disk: onDisk?.pid };
  result.load = await loads([server, peer, ours], pids, plan);
  if (disk) result.load.push(...await loads([disk], pids, { ...plan, levels: plan.levels.slice(-1) }));
  result.stored = await events(ours, stack);
  for (const target of [server, peer, ours, disk]) target?.close();
  await Promise.all([stack, javascript, onDisk].map((one) => one?.close()));

  say("memory");
  result.memory = await memoryOf(llm, folder, true, plan.memory);
  result.alone = await memoryOf(llm, folder, false, { ...plan.memory, turns: plan.alone });
  return result;
}

/** Why the run is no success. */
function failures({ load: rows, memory: kept, alone, stored }) {
  const errors = [...rows, kept, alone].flatMap((part) => part.errors);
  // A turn that failed leaves an event too: the comparison says something only without them.
  if (errors.length > 0) return [`${errors.length} turns failed, the first one with ${errors[0]}`];
  return [stored, kept.stored, alone.stored].filter(({ turns, stored: found }) => turns !== found)
    .map(({ turns, stored: found }) => `${turns} turns, but ${found} events in D1`);
}

await main(async () => {
  const quick = process.argv.includes("--quick");
  whenAskedToEnd(() => closeAll().finally(() => process.exit(130)));
  try {
    const others = watchOthers();
    const result = await measure(quick ? QUICK : FULL);
    await closeAll();
    result.machine.others = others();
    const text = report(result);
    console.log(`\n${text}`);
    const wrong = failures(result);
    for (const line of wrong) console.error(`✗ ${line}`);
    if (wrong.length > 0) process.exitCode = 1;
    else if (quick) console.log("A quick run: nothing is written.");
    else {
      const page = join(root, "docs/benchmark.md");
      // The peers are measured by a run of their own, which writes its section alone.
      writeFileSync(page, withSection(text, BESIDE, sectionOf(readFileSync(page, "utf8"), BESIDE)));
      console.log("✓ docs/benchmark.md");
    }
  } finally {
    await closeAll();
  }
});
