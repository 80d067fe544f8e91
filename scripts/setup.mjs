// `npm run setup`: everything that `npm start` needs, each part only if it is missing or changed.
import { pathToFileURL } from "node:url";
import { onPinnedNode } from "./bootstrap.mjs";

/** Page, Workers and local state. */
export async function setup({ release = false } = {}) {
  const { buildWeb } = await import("./web.mjs");
  const { buildWorkers } = await import("./build.mjs");
  const { localState } = await import("./local.mjs");
  await buildWeb();
  await buildWorkers({ release });
  await localState();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await onPinnedNode(() => setup({ release: process.argv.includes("--release") }));
}
