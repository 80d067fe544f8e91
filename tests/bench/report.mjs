// From figures to docs/benchmark.md: every number and every conclusion is computed here from the run.
import { computer, median, percentile, table } from "./figures.mjs";

const SHARES = [0.5, 0.9, 0.99];
const NAMES = {
  direct: "the model's server itself",
  plain: "a plain JavaScript Worker",
  platform: "Silent Infinity",
  disk: "Silent Infinity, storage on disk",
};
/** Growth from which on memory does not count as flat: this part of what is held, with each 1,000 turns. */
const FLAT = 0.01;
/** Growth of the median from which on a long session counts as slower. */
const SLOWER = 0.1;
/** Turns below which a run is too short to judge memory by. */
const LONG = 5_000;
/** Turns at the session's beginning and end that are compared. */
const ENDS = 50;
const NOT_MEASURED = "not measured";

const ms = (value) => (Number.isFinite(value) ? value.toFixed(1) : NOT_MEASURED);
const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
const mib = (kib) => (kib === null ? NOT_MEASURED : (kib / 1024).toFixed(0));
const kib = (bytes) => (bytes / 1024).toFixed(0);
const percentiles = (samples) => SHARES.map((share) => percentile(samples, share));
const difference = (one, other) => percentiles(one).map((value, at) => value - percentile(other, SHARES[at]));

function firstWords({ first, slowly }) {
  const row = (name, samples) => [name, ...percentiles(samples).map(ms)];
  const added = (name, one, other) => [name, ...difference(one, other).map(signed)];
  // Fifty samples have no 99th percentile.
  const briefly = (...args) => added(...args).slice(0, 3);
  const rows = [
    ...Object.keys(first).map((name) => row(NAMES[name], first[name])),
    added("**added by Silent Infinity**", first.platform, first.direct),
    added("of that, by workerd with the plain Worker", first.plain, first.direct),
  ];
  const all = first.platform.length;
  const more = [
    ...(all < 2 * ENDS ? [] : [
      briefly(`turns 1 to ${ENDS} of the session`, first.platform.slice(0, ENDS), first.direct.slice(0, ENDS)),
      briefly(`turns ${all - ENDS + 1} to ${all}`, first.platform.slice(-ENDS), first.direct.slice(-ENDS)),
    ]),
    briefly("a word every 10 ms: the wait for the sentence's end comes on top", slowly.platform, slowly.direct),
    ...(first.disk ? [briefly("storage on this machine's disk", first.disk, first.direct)] : []),
  ];
  return [
    table(["milliseconds", "p50", "p90", "p99"], rows),
    "",
    "The same difference elsewhere:",
    "",
    table(["added, milliseconds", "p50", "p90"], more),
  ].join("\n");
}

function throughput({ load }) {
  const row = (part) => [part.clients, NAMES[part.name], part.perSecond.toFixed(0), ms(part.p50), ms(part.p99), part.errors.length,
    part.name === "direct" ? "" : ms(part.cpuPerTurn)].map(String);
  return table(["sessions", "path", "turns/s", "p50 ms", "p99 ms", "errors", "CPU ms a turn"], load.map(row));
}

function memory({ memory: kept, alone }) {
  const left = new Map(alone.points.map((point) => [point.turns, point.kib]));
  return table(["turns", "MiB", "MiB, V8 left alone"], kept.points.map((point) => (
    [String(point.turns), mib(point.kib), left.has(point.turns) ? mib(left.get(point.turns)) : ""])));
}

function shipped({ workers, page, starts }) {
  const sizes = table(["", "raw KiB", "gzip KiB", "compile ms", "instantiate ms"], [
    ...workers.map((one) => [`Worker ${one.name}`, kib(one.raw), kib(one.gzip), ms(one.compileMs), ms(one.instantiateMs)]),
    ...page.map((file) => [`page, ${file.name}`, kib(file.raw), kib(file.gzip), "", ""]),
  ]);
  const times = table(["start-up, milliseconds", "median", "slowest"], [
    ["from the process's start to the first 200 of `/v1/health`, for which every Worker answers", starts.map((one) => one.startMs)],
    ["first words of the very first turn", starts.map((one) => one.firstTurnMs)],
  ].map(([name, times]) => [name, ms(median(times)), ms(Math.max(...times))]));
  return `${sizes}\n\n${times}`;
}

/** What a long session costs, where there are turns enough to tell. */
function length({ platform: samples }) {
  if (samples.length < 2 * ENDS) return [];
  const [early, late] = [samples.slice(0, ENDS), samples.slice(-ENDS)].map(median);
  const growth = `${signed(late - early)} ms at the median from its first ${ENDS} turns to its last ${ENDS} of ${samples.length}`;
  return [`A long session ${late - early > SLOWER * early ? "**gets slower**" : "stays as fast as a short one"}: ${growth}.`];
}

function busy(parts) {
  const [server, peer, ours] = ["direct", "plain", "platform"].map((name) => parts.findLast((part) => part.name === name));
  const disk = parts.find(({ name }) => name === "disk");
  const cost = ({ perSecond, cpuPerTurn }) => (cpuPerTurn === null ? ""
    : ` (${ms(cpuPerTurn)} ms of processor time each, ${(perSecond * cpuPerTurn / 1_000).toFixed(2)} cores)`);
  return [
    `${ours.clients} sessions at a time get ${ours.perSecond.toFixed(0)} turns a second${cost(ours)},`
      + ` with the plain Worker ${peer.perSecond.toFixed(0)}${cost(peer)}, without a Worker ${server.perSecond.toFixed(0)}.`
      + " One workerd process runs all Workers on one thread.",
    ...(disk ? [`With storage on this machine's disk it is ${disk.perSecond.toFixed(0)} turns a second.`] : []),
  ];
}

function stored(all) {
  const [turns, found] = ["turns", "stored"].map((key) => all.reduce((sum, part) => sum + part[key], 0));
  const judged = turns === found ? "none lost, none twice" : "**not the same**";
  return `${turns} turns left ${found} events in D1 through outbox and queue: ${judged}.`;
}

function conclusions({ first, load, memory: kept, alone, starts, workers, stored: events }) {
  const [p50, , p99] = difference(first.platform, first.direct);
  const [plain] = difference(first.plain, first.direct);
  const chat = workers.find(({ name }) => name === "chat");
  return [
    `Silent Infinity adds ${ms(p50)} ms to the time to the first words at the median, ${ms(p99)} ms at p99;`
      + ` the plain Worker adds ${ms(plain)} ms.`,
    ...length(first),
    ...busy(load),
    remembered(kept, alone),
    stored([events, kept.stored, alone.stored]),
    `A new process answers after ${median(starts.map((one) => one.startMs)).toFixed(0)} ms;`
      + ` the chat Worker is ${kib(chat.gzip)} KiB as gzip.`,
  ].map((line) => `- ${line}`).join("\n");
}

function remembered(kept, alone) {
  if (kept.slopeKib === null) return `Memory was ${NOT_MEASURED}: this system has no /proc.`;
  const last = kept.points.at(-1).kib;
  const flat = kept.turns < LONG ? "was measured too shortly to judge" : kept.slopeKib > FLAT * last ? "**grows**" : "is flat";
  const same = kept.points.find((point) => point.turns === alone.turns);
  const left = alone.points.at(-1).kib;
  const putOff = same && left > 1.1 * same.kib
    ? ` Left alone, V8 puts its collections off: ${mib(left)} MiB instead of ${mib(same.kib)} after ${alone.turns} turns.` : "";
  return `Memory ${flat}: ${signed(kept.slopeKib)} KiB with each 1,000 turns from turn ${kept.from} to ${kept.turns},`
    + ` ${mib(last)} MiB at the end (flat is less than ${FLAT * 100} % of that).${putOff}`;
}

/** The whole document. */
export function report(result) {
  const { machine, plan } = result;
  const storage = machine.inMemory
    ? "Storage lies in memory, so that a disk's syncs do not hide the rest; rows that say so use the disk."
    : "Storage lies in the system's temporary folder.";
  return `# Benchmark
Made by \`npm run bench\` on ${machine.date}: one run on one machine. Do not compare it with figures of another one.

${computer(machine)}

## What the figures say
${conclusions(result)}

## Method
- The release build runs on workerd with the shipped configuration; only the rate limits are lifted. The client asks workerd's own socket,
  and workerd the model's server: nothing in Node stands between them. Queue, D1, KV and rate limits are Miniflare's, in the same process.
- The model's server is \`tests/mock-llm.mjs\` in a process of its own. It waits 20 ms, then sends 20 words as OpenAI's chat completions.
- The peers are measured in the same run by the same client: the model's server itself, and \`tests/bench/plain-worker.mjs\`,
  ${"a JavaScript Worker that translates the stream and does nothing else: no identity, order, gate, storage or events."}
- Client, model and Workers share the machine's cores. Times are the client's.
- ${storage}

## Time to the first words
From sending the turn to the first \`text-delta\`: ${plan.samples} samples each, the paths in turns, one session of one guest.
An answer is shown sentence by sentence, as each is checked first; a sentence is over when the next one begins.
Here the model says everything at once after its 20 ms, so that this wait is not in the figures.

${firstWords(result)}

## Turns a second
Each session sends one turn after another for ${plan.seconds} s; after 20 turns a new one takes its place. The words come 2 ms apart.
CPU is that of the workerd process, queue and database included.

${throughput(result)}

## Memory
Resident memory of workerd, the lowest since the row before. Sessions of ${result.memory.sessionTurns} turns come and go,
${plan.memory.clients} at a time; the model answers without a delay. V8 is asked to collect garbage every 5 s, because a leak shows in what
is held after that: locally no isolate has Cloudflare's limit of 128 MB, which would make it collect. The last column is a shorter run
without that.

${memory(result)}

## Size and start-up
Compile and instantiate are V8's in Node, which like workerd compiles each function when it is first called.

${shipped(result)}
`;
}
