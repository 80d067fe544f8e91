// What is measured, one function for each question. Times are milliseconds of the client's clock.
import { sleep } from "../stack.mjs";
import { percentile } from "./figures.mjs";
import { cpuMs, rssKib } from "./machine.mjs";

/** Turns of a session before the client begins another one. */
const SESSION_TURNS = 20;
/** How often memory is looked at. */
const LOOK_MS = 250;
/** Longest wait for the queue's consumer after the last turn. */
const DRAIN_MS = 60_000;

/** Time to the first words, the targets in turns: one session of each, after a warm-up in other sessions. */
export async function firstWords(targets, { warm, samples, spec }) {
  const warming = await Promise.all(targets.map((target) => target.session()));
  for (let n = 0; n < warm; n++) for (const turn of warming) await turn(spec);
  const sessions = await Promise.all(targets.map((target) => target.session()));
  const times = targets.map(() => []);
  for (let n = 0; n < samples; n++) {
    // Who goes first changes, as what a turn leaves behind for the background falls into the next one's time.
    for (let step = 0; step < targets.length; step++) {
      const which = (n + step) % targets.length;
      times[which].push((await sessions[which](spec)).firstMs);
    }
  }
  return Object.fromEntries(targets.map((target, at) => [target.name, times[at]]));
}

/** Turns a second with `clients` sessions at a time, each sending one turn after another. */
export async function load(target, pid, { clients, warmSeconds, seconds, spec }) {
  const times = [];
  const errors = [];
  let state = "warm";
  const client = async () => {
    while (state !== "over") {
      try {
        const turn = await target.session();
        for (let n = 0; n < SESSION_TURNS && state !== "over"; n++) {
          const { totalMs } = await turn(spec);
          if (state === "counting") times.push(totalMs);
        }
      } catch (error) {
        errors.push(error.message);
        await sleep(50);
      }
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  await sleep(warmSeconds * 1_000);
  const cpu = cpuMs(pid);
  const began = performance.now();
  state = "counting";
  await sleep(seconds * 1_000);
  state = "over";
  const turns = times.length;
  const elapsed = (performance.now() - began) / 1_000;
  const used = cpuMs(pid);
  await all;
  return {
    name: target.name, clients, errors, perSecond: turns / elapsed, p50: percentile(times, 0.5), p99: percentile(times, 0.99),
    cpuPerTurn: cpu === null || used === null ? null : (used - cpu) / turns,
  };
}

/** Resident memory over many turns: sessions begin, have their turns and end, as they do in life.
 *  A point is the lowest value since the one before: what is held, without garbage that the next collection takes. */
export async function memory(target, pid, { turns, sessionTurns, clients, every, spec }) {
  const points = [];
  const errors = [];
  let lowest = rssKib(pid);
  let begun = 0;
  let done = 0;
  const look = () => {
    const now = rssKib(pid);
    lowest = lowest === null || now < lowest ? now : lowest;
  };
  const point = () => {
    look();
    points.push({ turns: done, kib: lowest });
    lowest = rssKib(pid);
  };
  const watch = setInterval(look, LOOK_MS);
  const client = async () => {
    while (begun < turns) {
      begun += sessionTurns;
      try {
        const turn = await target.session();
        for (let n = 0; n < sessionTurns; n++) {
          await turn(spec);
          done += 1;
          if (done % every === 0) point();
        }
      } catch (error) {
        errors.push(error.message);
      }
    }
  };
  point();
  await Promise.all(Array.from({ length: clients }, client));
  clearInterval(watch);
  const settled = points.filter((point) => point.turns >= turns / 5);
  const measured = points.every(({ kib }) => kib !== null);
  return { points, errors, turns, sessionTurns, from: turns / 5, slopeKib: measured ? 1_000 * slope(settled) : null };
}

/** Growth in KiB a turn, by least squares. */
function slope(points) {
  const mean = (key) => points.reduce((sum, point) => sum + point[key], 0) / points.length;
  const [x, y] = [mean("turns"), mean("kib")];
  const over = points.reduce((sum, point) => sum + (point.turns - x) * (point.kib - y), 0);
  return over / points.reduce((sum, point) => sum + (point.turns - x) ** 2, 0);
}

/** Whether each turn of `target` became exactly one event in D1, and how long after the last turn that was so. */
export async function events(target, stack) {
  const began = performance.now();
  let stored = await stack.events();
  while (stored < target.turns && performance.now() - began < DRAIN_MS) {
    await sleep(200);
    stored = await stack.events();
  }
  return { turns: target.turns, stored, seconds: (performance.now() - began) / 1_000 };
}
