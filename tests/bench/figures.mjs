// From samples to what a page shows. Pure: no clock, no process, no file but the text that is handed in.

/** Share of the processors that others may take before figures count as disturbed. */
const DISTURBED = 0.05;
/** The section of docs/benchmark.md that `npm run bench:peers` writes. */
export const BESIDE = "## Beside peers";

/** The value below which `share` of the samples are (nearest rank). */
export function percentile(samples, share) {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
export const median = (samples) => percentile(samples, 0.5);

/** What a target adds to another one, both measured in the same rounds: in each round the difference of that percentile, and
 *  of the rounds the median, so that a round that something else disturbed does not decide. */
export const added = (rounds, base, share) => median(rounds.map((samples, at) => percentile(samples, share) - percentile(base[at], share)));

/** What one more chunk costs, from what streams of two lengths cost. */
export const perChunk = (short, long) => (long.cost - short.cost) / (long.chunks - short.chunks);

/** A Markdown table; columns of numbers are set right. */
export function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, at) => (rows.every((row) => row[at] === "" || /^[\d+−]/.test(row[at])) ? "---:" : "---"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** The document with this section in the place of the one with the same heading, else at the end; with an empty one, without it. */
export function withSection(text, heading, section) {
  const parts = text.split(/^(?=## )/m);
  const at = parts.findIndex((part) => part.startsWith(`${heading}\n`));
  const others = parts.filter((_, index) => index !== at);
  if (section !== "") others.splice(at < 0 ? others.length : at, 0, `${section.trimEnd()}\n\n`);
  return `${others.map((part) => `${part.trimEnd()}\n`).join("\n")}`;
}

/** The section with this heading, "" where there is none. */
export const sectionOf = (text, heading) => text.split(/^(?=## )/m).find((part) => part.startsWith(`${heading}\n`)) ?? "";

/** The machine, and how much of it others took. */
export function computer({ cpu, cores, memoryBytes, system, node, workerd, others }) {
  const what = `${cpu}, ${cores} cores, ${(memoryBytes / 1024 ** 3).toFixed(0)} GiB, ${system}, Node ${node}, workerd ${workerd}.`;
  if (others === null) return what;
  const judged = others > DISTURBED ? ": **the figures are disturbed**" : "";
  return `${what}\nOther processes took ${(100 * others).toFixed(0)} % of the processors meanwhile${judged}.`;
}
