// From the run to the section "Beside peers" of docs/benchmark.md: every number and every conclusion is computed here.
import { BESIDE, added, computer, median, perChunk, percentile, table } from "../figures.mjs";

const SHARES = [0.5, 0.99];
const KINDS = { first: "first token", total: "whole answer" };
/** What our own targets are called in the conclusions. */
const OURS = { door: "OpenAI's door", turns: "a session's turns" };
/** Whom the aim names. */
const RIVALS = ["portkey", "litellm"];
/** What may at most be added, as a multiple of what bare workerd adds. */
const MULTIPLE = 2;
/** Chunks with text in the two lengths of streams. */
const CHUNKS = { short: 20, long: 200 };

const ms = (value) => (Number.isFinite(value) ? value.toFixed(value < 10 ? 2 : 1) : "");
const signed = (value) => `${value < 0 ? "−" : "+"}${ms(Math.abs(value))}`;
const of = (rounds, kind) => rounds.map((round) => round[kind]);
const middle = (rounds, key) => (rounds.some((round) => round[key] === null) ? null : median(rounds.map((round) => round[key])));

/** What `name` adds: `{first: [p50, p99], total: […]}`. */
function adds(latency, name) {
  const kinds = Object.keys(KINDS).filter((kind) => latency[name].every((round) => round[kind].length > 0));
  return Object.fromEntries(kinds.map((kind) => [kind, SHARES.map((share) => added(of(latency[name], kind), of(latency.direct, kind), share))]));
}

function latencyTable(latency, titles) {
  const { first } = adds(latency, "direct");
  const kinds = Object.keys(KINDS).filter((kind) => kind !== "first" || first);
  const heads = kinds.flatMap((kind) => SHARES.map((share) => `${KINDS[kind]}, p${share * 100}`));
  const base = kinds.flatMap((kind) => SHARES.map((share) => ms(median(of(latency.direct, kind).map((samples) => percentile(samples, share))))));
  const rows = Object.keys(latency).filter((name) => name !== "direct")
    .map((name) => [titles[name], ...kinds.flatMap((kind) => adds(latency, name)[kind].map(signed))]);
  return table(["milliseconds", ...heads], [[titles.direct, ...base], ...rows.map(([title, ...cells]) => [`added by ${title}`, ...cells])]);
}

function loadTable({ load, memory, titles }) {
  const cells = (name) => {
    const [short, long, whole] = ["short", "long", "whole"].map((length) => load[length][name]);
    const cost = middle(short, "cpuMs");
    const far = middle(long, "cpuMs");
    const wholeCost = whole && middle(whole, "cpuMs");
    const chunk = cost === null ? null : perChunk({ cost, chunks: CHUNKS.short }, { cost: far, chunks: CHUNKS.long });
    return [
      middle(short, "perSecond").toFixed(0), ms(cost), cost === null ? "" : (1_000 / cost).toFixed(0),
      whole ? middle(whole, "perSecond").toFixed(0) : "", ms(wholeCost ?? NaN), wholeCost ? (1_000 / wholeCost).toFixed(0) : "",
      ms(far ?? NaN), chunk === null ? "" : (1_000 * chunk).toFixed(1), memory[name] === null ? "" : (memory[name] / 1_024).toFixed(0),
    ];
  };
  return table(["", "streams/s", "CPU ms each", "streams a CPU second", "whole/s", "CPU ms each", "whole a CPU second", "CPU ms, 200 chunks", "CPU µs a chunk", "MiB"],
    Object.keys(load.short).map((name) => [titles[name], ...cells(name)]));
}

/** What was asked for, as it is called where something was lost. */
const ASKED = { short: "", late: " after 20 ms", whole: ", not streamed" };

/** Whether `name` adds less than a rival, in every figure that both have. */
function less({ latency, titles }, name, rival) {
  const figures = Object.keys(ASKED).filter((spec) => latency[spec][name]).flatMap((spec) => {
    const [ours, theirs] = [name, rival].map((one) => adds(latency[spec], one));
    return Object.keys(ours).flatMap((kind) => SHARES.map((share, at) => (
      { spec, what: `${KINDS[kind]} p${share * 100}${ASKED[spec]}`, ours: ours[kind][at], theirs: theirs[kind][at] })));
  });
  const lost = figures.filter(({ ours, theirs }) => ours >= theirs);
  const judged = lost.length === 0 ? "reached" : `**not reached** in ${lost.length} of ${figures.length} figures`;
  const shown = lost.length === 0 ? figures.filter(({ spec }) => spec === "short") : lost;
  const text = shown.map(({ what, ours, theirs }) => `${what} ${signed(ours)} against ${signed(theirs)}`).join("; ");
  return `Less added latency than ${titles[rival]}, ${OURS[name]}: ${judged} (${text}).`;
}

function near({ latency }, name) {
  const [ours, bare] = [name, "workerd"].map((one) => adds(latency.short, one).total[0]);
  const judged = ours <= MULTIPLE * bare ? "reached" : "**not reached**";
  const factor = bare > 0 ? `, ${(ours / bare).toFixed(1)} ×` : "";
  return `Within ${MULTIPLE} × of bare workerd, ${OURS[name]}: ${judged} (streams, whole answer p50 ${signed(ours)} against ${signed(bare)} ms${factor}).`;
}

function aims(result) {
  const rivals = RIVALS.filter((name) => name in result.titles);
  const absent = result.missing.map(({ title, missing }) => `${title} is missing: ${missing}.`);
  const stored = result.stored.map(({ title, asked, events }) => `${title}: ${asked} answers left ${events} events in D1${asked === events ? "" : ", **not the same**"}.`);
  return [
    ...Object.keys(OURS).flatMap((name) => rivals.map((rival) => less(result, name, rival))),
    ...Object.keys(OURS).map((name) => near(result, name)),
    ...absent, ...stored,
  ].map((line) => `- ${line}`).join("\n");
}

/** The section. */
export function report(result) {
  const { machine, plan, latency, titles, quick } = result;
  return `${BESIDE}
Made by \`npm run bench:peers\` on ${machine.date}: one run on one machine${quick ? "; **a quick run, too short to judge by**" : ""}.

${computer(machine)}

### The aims
${aims(result)}

### Method
- One model's server (\`tests/bench/peers/model.mjs\`) in a process of its own, which sends each token by itself; one client, which reads every
  answer whole and compares it with what the model said. One wrong answer fails the run.
- ${plan.rounds} rounds of ${plan.requests} requests, one after another; in each round every target has its turn, and who begins changes. Of each round the
  difference to the model's server asked directly; shown is the median of the rounds. p99 of ${plan.requests} is ${plan.requests < 100 ? "the slowest one" : "the 99th percentile"}.
- Under load ${plan.clients} requests at a time, ${plan.loadRounds} rounds of ${plan.seconds} s. Processor time is that of all processes of a target, until it is quiet again;
  a CPU second is what one core gives in a second. Memory (PSS) is looked at once, at the end.
- Ours with everything on: API key or guest, gate, assignment, guard, budgets of three kinds, the event through queue to D1, every trace sent over OTLP to a
  server that takes it. Storage lies ${machine.inMemory ? "in memory" : "in the temporary folder"}. Ours says an answer sentence by sentence, each checked first: the first token is the first sentence.
- Queue, D1, R2 and rate limits are Miniflare's, written in JavaScript, on the one thread of the same workerd; what they take counts as ours.
- The peers as they ship, with neither log nor database nor guard: they do less. TensorZero is the server in its Python package.
- In these versions Portkey waits 25 ms after the first event of every stream, and Noveum and TensorZero leave TCP_NODELAY off, so that a small
  write waits for the client's acknowledgement of the one before: 40 ms on Linux. Answers that are not streamed show what they take besides.

### Streams of 20 tokens
${latencyTable(latency.short, titles)}

### The same, of a model that waits 20 ms before the first one
${latencyTable(latency.late, titles)}

### Whole answers of 20 tokens
${latencyTable(latency.whole, titles)}

### Under load
${loadTable(result)}
`;
}
