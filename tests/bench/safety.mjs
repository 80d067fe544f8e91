// `npm run bench:safety [-- --corpora FOLDER]`: what the crisis gate costs natively and in wasm on workerd, and how well it
// judges. Writes docs/safety.md.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { targetDir } from "../../scripts/lib.mjs";
import { root, startStack } from "../stack.mjs";

const LENGTHS = [50, 500, 5_000];
// The same sentences as in tools/safety-cli/src/bench.rs.
const SENTENCES = [...readFileSync(join(root, "tools/safety-cli/src/bench.rs"), "utf8").matchAll(/^ {4}"(.* )",$/gm)].map(([, text]) => text);
const message = (n, length) => {
  let text = "";
  for (let turn = 0; text.length < length; turn++) text += SENTENCES[(n + turn * (1 + n % 3)) % SENTENCES.length];
  return text.slice(0, length);
};
const at = (sorted, share) => sorted[Math.floor((sorted.length - 1) * share)];

/** Microseconds for a message in wasm: a Worker's clock stands still while it computes, so whole batches are timed from outside. */
async function wasm(worker) {
  const ask = async (messages, times) => {
    const began = performance.now();
    const response = await worker.fetch("https://internal/bench", { method: "POST", body: JSON.stringify({ messages, times }), headers: { "content-type": "application/json" } });
    const told = await response.json();
    return { ms: performance.now() - began, ...told };
  };
  const rows = [];
  for (const length of LENGTHS) {
    const times = Math.max(2, Math.round(100_000 / length));
    const costs = [];
    for (let n = 0; n < 60; n++) {
      const messages = [message(n, length)];
      await ask(messages, 1);
      const empty = Math.min((await ask(messages, 0)).ms, (await ask(messages, 0)).ms);
      costs.push(Math.max(0, (await ask(messages, times)).ms - empty) * 1_000 / times);
    }
    costs.sort((a, b) => a - b);
    rows.push([length, at(costs, 0.5), at(costs, 0.99)]);
  }
  const { rules, bytes } = await ask([], 0);
  return { rows, rules, bytes };
}

// It ends with 1 where a case got worse, which is for the tests to say.
const tool = (...args) => spawnSync(join(targetDir, "release/safety"), args, { encoding: "utf8", maxBuffer: 1 << 26 }).stdout;

const stack = await startStack();
try {
  const { rows, rules, bytes } = await wasm(stack.server.getWorker("silent-infinity-safety"));
  const native = [...tool("bench").matchAll(/^\s+(\d+)\s+([\d.]+)\s+([\d.]+)\s+[\d.]+$/gm)];
  const corpora = process.argv.indexOf("--corpora");
  const evaluation = tool("eval", ...(corpora > 0 ? ["--corpora", process.argv[corpora + 1]] : [])).split("\nbaseline:")[0].trim();
  const gate = gzipSync(readFileSync(join(root, "build/safety/index_bg.wasm"))).length;
  const text = `# The crisis gate, measured
Written by \`npm run bench:safety\` on ${cpus()[0]?.model ?? "an unknown processor"}, ${cpus().length} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}.

## Cost
${rules} rules; tables of ${Math.round(bytes / 1024)} KiB; the safety Worker's wasm is ${Math.round(gate / 1024)} KiB gzipped. Aims: p99 of 100 µs at 500 characters in wasm, 400 KiB of tables.
In wasm each figure is the mean of a batch of one message (a Worker's clock stands still while it computes); the percentiles are over 60 messages.

| characters | native p50 µs | native p99 µs | wasm on workerd p50 µs | wasm on workerd p99 µs |
|---|---|---|---|---|
${rows.map(([length, p50, p99], index) => `| ${length} | ${native[index]?.[2] ?? ""} | ${native[index]?.[3] ?? ""} | ${p50.toFixed(1)} | ${p99.toFixed(1)} |`).join("\n")}

At 500 characters p99 in wasm is ${rows[1][2] <= 100 ? "within" : "not within"} the aim (${rows[1][2].toFixed(0)} of 100 µs); the tables are ${bytes <= 400 * 1024 ? "within" : "not within"} theirs (${Math.round(bytes / 1024)} of 400 KiB).

## Judgement
The sets are our own development cases (\`shared/core/safety/cases\`), written beside the rules: they show that nothing got worse, not how well unseen
sentences are judged. Stage 1 alone, without the model stage.

\`\`\`
${evaluation}
\`\`\`
`;
  writeFileSync(join(root, "docs/safety.md"), text);
  console.log(text);
} finally {
  await stack.close();
}
