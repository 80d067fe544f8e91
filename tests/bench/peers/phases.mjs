// What is measured beside peers. Rounds are interleaved: in each every target has its turn, and who is first changes.
import { sleep } from "../../stack.mjs";
import { treeCpuMs } from "../machine.mjs";

/** A target is quiet when it took less than this share of a processor for one look. */
const QUIET_SHARE = 0.1;
const LOOK_MS = 250;
const LONGEST_MS = 6_000;

const rotated = (list, by) => list.map((_, at) => list[(at + by) % list.length]);

/** The runs of each target, by name. */
async function rounds(targets, count, one) {
  const found = Object.fromEntries(targets.map(({ target }) => [target.name, []]));
  for (let round = 0; round < count; round++) {
    for (const each of rotated(targets, round)) found[each.target.name].push(await one(each));
  }
  return found;
}

/** Milliseconds to the first token and to the end, one request after another: for each target a list of rounds. */
export const latency = (targets, { rounds: count, requests, spec }) => rounds(targets, count, async ({ target }) => {
  const ask = target.lane(0);
  const found = { first: [], total: [] };
  for (let n = 0; n < requests; n++) {
    const { firstMs, totalMs } = await ask(spec);
    if (firstMs !== undefined) found.first.push(firstMs);
    found.total.push(totalMs);
  }
  return found;
});

/** Waits until what requests left behind (events, traces, garbage) is done: its time is theirs. */
async function quiet(pid) {
  const end = performance.now() + LONGEST_MS;
  let before = treeCpuMs(pid);
  while (before !== null && performance.now() < end) {
    await sleep(LOOK_MS);
    const now = treeCpuMs(pid);
    if (now - before < QUIET_SHARE * LOOK_MS) return;
    before = now;
  }
}

/** Requests at a time for some seconds: how many were answered in a second, and the processor time of each. */
export const load = (targets, { rounds: count, clients, seconds, spec }) => rounds(targets, count, async ({ target, pid }) => {
  const before = treeCpuMs(pid);
  const began = performance.now();
  const end = began + seconds * 1_000;
  let requests = 0;
  await Promise.all(Array.from({ length: clients }, async (_, lane) => {
    const ask = target.lane(lane);
    while (performance.now() < end) {
      await ask(spec);
      requests += 1;
    }
  }));
  const elapsed = (performance.now() - began) / 1_000;
  await quiet(pid);
  return { perSecond: requests / elapsed, cpuMs: before === null ? null : (treeCpuMs(pid) - before) / requests };
});

/** Requests that count for nothing, so that nobody is measured cold. */
export async function warm(targets, { requests, clients, specs }) {
  for (const { target } of targets) {
    for (const spec of specs.filter(({ stream }) => stream || !target.streamsOnly)) {
      await Promise.all(Array.from({ length: clients }, async (_, lane) => {
        const ask = target.lane(lane);
        for (let n = 0; n < requests; n++) await ask(spec);
      }));
    }
  }
}
