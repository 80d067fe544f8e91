import assert from "node:assert/strict";
import { test } from "node:test";
import { report } from "./report.mjs";

const TITLES = { direct: "direct", workerd: "bare workerd", door: "our door", turns: "our turns", portkey: "Portkey 1", litellm: "LiteLLM 1" };
const TOTAL_MS = { direct: 1, workerd: 2, door: 2.5, turns: 10, portkey: 6, litellm: 31 };

/** Three rounds in which every request of a target takes as long as the next one. */
const rounds = (ms, streamed) => Array.from({ length: 3 }, () => ({ first: streamed ? [ms - 0.5, ms - 0.5] : [], total: [ms, ms] }));
const of = (times, streamed = true) => Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, rounds(ms, streamed)]));
const loads = (cpuMs) => Object.fromEntries(Object.keys(TITLES).map((name) => [name, [{ perSecond: 100, cpuMs }]]));

function result(times = TOTAL_MS) {
  const { turns: _, ...whole } = times;
  const { turns: __, ...load } = loads(4);
  return {
    quick: false, plan: { rounds: 3, requests: 60, clients: 16, loadRounds: 1, seconds: 1 }, titles: TITLES,
    machine: { date: "2026-11-21", cpu: "cpu", cores: 2, memoryBytes: 2 ** 30, system: "linux x64", node: "24", workerd: "1", inMemory: true, others: 0.01 },
    missing: [{ title: "Noveum", missing: "could not be installed: no network" }],
    latency: { short: of(times), late: of(times), whole: of(whole, false) },
    load: { short: loads(3), long: loads(12), whole: load }, memory: Object.fromEntries(Object.keys(TITLES).map((name) => [name, 2048])),
    stored: [{ title: "our door", asked: 5, events: 4 }],
  };
}

test("each aim is judged by the figures, and what is missing is said", () => {
  const text = report(result());
  assert.match(text, /Less added latency than Portkey 1, OpenAI's door: reached \(first token p50 \+1\.50 against \+5\.00; /);
  assert.match(text, /Less added latency than Portkey 1, a session's turns: \*\*not reached\*\* in 8 of 8 figures/);
  assert.match(text, /Less added latency than LiteLLM 1, a session's turns: reached/);
  assert.match(text, /bare workerd, OpenAI's door: reached \(streams, whole answer p50 \+1\.50 against \+1\.00 ms, 1\.5 ×\)/);
  assert.match(text, /bare workerd, a session's turns: \*\*not reached\*\*/);
  assert.match(text, /Noveum is missing: could not be installed: no network\./);
  assert.match(text, /5 answers left 4 events in D1, \*\*not the same\*\*/);
  assert.doesNotMatch(text, /NaN|undefined|Infinity|disturbed|quick run/);
  assert.match(text, /\| our turns \| 100 \| 3\.00 \| 333 \|  \|  \|  \| 12\.0 \| 50\.0 \| 2 \|/);
});

test("an aim lost in answers that are not streamed is lost", () => {
  const lost = result();
  lost.latency.whole.door = rounds(7, false);
  const text = report({ ...lost, quick: true, machine: { ...lost.machine, others: 0.4 } });
  assert.match(text, /Portkey 1, OpenAI's door: \*\*not reached\*\* in 2 of 10 figures \(whole answer p50, not streamed \+6\.00 against \+5\.00; /);
  assert.match(text, /took 40 % of the processors meanwhile: \*\*the figures are disturbed\*\*/);
  assert.match(text, /a quick run, too short to judge by/);
});
