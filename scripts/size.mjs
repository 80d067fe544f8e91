// `npm run size`: what each Worker uploads (gzip of module and wasm) against its budget, for the release build.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, root } from "./lib.mjs";

const KIB = 1024;
// Cloudflare's own limit is 10 MiB; start-up time follows size, so ours is far below.
const BUDGET_KIB = JSON.parse(readFileSync(join(root, "scripts/size-budget.json"), "utf8"));

/** Prints the table; throws when a Worker is over its budget. */
export function sizes() {
  const rows = Object.entries(BUDGET_KIB).map(([name, budget]) => {
    const parts = ["index.js", "index_bg.wasm"].map((file) => readFileSync(join(root, "build", name, file)));
    const raw = parts.reduce((sum, part) => sum + part.length, 0) / KIB;
    const gzip = parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0) / KIB;
    return { name, raw, gzip, budget };
  });
  const line = (...cells) => console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(8) : String(cell).padStart(12))).join(""));
  line("worker", "raw KiB", "gzip KiB", "budget KiB");
  for (const { name, raw, gzip, budget } of rows) line(name, raw.toFixed(0), gzip.toFixed(0), budget);
  const over = rows.filter(({ gzip, budget }) => gzip > budget).map(({ name }) => name);
  if (over.length > 0) throw new Failure(`over the size budget of scripts/size-budget.json: ${over.join(", ")}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await onPinnedNode(async () => {
    const { buildWorkers } = await import("./build.mjs");
    await buildWorkers({ release: true });
    sizes();
  });
}
