// Builds the four Workers: one cargo call for wasm32, then wasm-bindgen and one bundled module for each.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { onPinnedNode } from "./bootstrap.mjs";
import { digest, root, run, step, targetDir } from "./lib.mjs";
import { bindgen, wasmToolchain } from "./toolchain.mjs";

export const WORKERS = ["chat", "voice", "admin", "safety"];
const SYSTEM = new Set(["__wbg_reset_state", "__worker_init_state"]);
const EVENTS = new Set(["fetch", "queue", "scheduled"]);

/** The module that workerd loads: the Rust exports as an entry point and one class for each Durable Object. */
function shim(glue, panic) {
  const functions = [...glue.matchAll(/^export function (\w+)\(|^export \{ \w+ as (\w+) \}/gm)]
    .map((match) => match[1] ?? match[2]).filter((name) => !SYSTEM.has(name));
  const classes = [...glue.matchAll(/^export class (\w+)/gm)].map((match) => match[1]);
  const handlers = functions.map((name) => EVENTS.has(name)
    ? `Entrypoint.prototype.${name} = function (arg) { return exports.${name}.call(this, arg, this.env, this.ctx); };`
    : `Entrypoint.prototype.${name} = exports.${name};`);
  return `import { WorkerEntrypoint } from "cloudflare:workers";
import * as exports from "./index.js";
import { renewing } from "./renew.js";
const proxied = renewing(exports, ${panic === "unwind"});
class Entrypoint extends WorkerEntrypoint {}
${handlers.join("\n")}
export default proxied(Entrypoint);
${classes.map((name) => `export const ${name} = proxied(exports.${name});`).join("\n")}
`;
}

async function pack(name, wasm, tool, panic) {
  const out = join(root, "build", name);
  const staging = `${out}.new`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  run(tool, [wasm, staging], { env: { WASM_BINDGEN_USE_JS_SYS: "1" } });
  writeFileSync(join(staging, "renew.js"), readFileSync(join(root, "scripts/renew.js")));
  writeFileSync(join(staging, "shim.js"), shim(readFileSync(join(staging, "index.js"), "utf8"), panic));
  const { buildSync: bundle } = await import("esbuild");
  const made = bundle({
    entryPoints: [join(staging, "shim.js")],
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
    external: ["./index_bg.wasm", "cloudflare:*"],
    logLevel: "warning",
  });
  // workerd loads a wasm module with a plain import; the source-phase form is not spoken by every tool yet.
  writeFileSync(join(staging, "index.js"), made.outputFiles[0].text.replace(/import source /g, "import "));
  mkdirSync(out, { recursive: true });
  // The module last: a running dev session reloads when it changes.
  for (const file of ["index_bg.wasm", "index.js"]) renameSync(join(staging, file), join(out, file));
  rmSync(staging, { recursive: true });
}

/** Builds all Workers; `release` is what is deployed, otherwise a profile that rebuilds in seconds. */
export async function buildWorkers({ release = false } = {}) {
  const toolchain = wasmToolchain();
  const tool = bindgen();
  const profile = release ? "release" : "dev-wasm";
  const folder = join(targetDir, "wasm32-unknown-unknown", profile);
  await step(`Workers, Rust → wasm32 (${toolchain.name}, ${profile})`, {}, () => run(toolchain.cargo, ["build", "--locked", "--profile", profile, "--target", "wasm32-unknown-unknown",
    ...WORKERS.flatMap((name) => ["-p", `silent-${name}`])],
    { env: { ...toolchain.env, WASM_BINDGEN_USE_JS_SYS: "1" } }));
  for (const name of WORKERS) {
    const wasm = join(folder, `silent_${name}.wasm`);
    const key = digest(readFileSync(wasm), readFileSync(tool), readFileSync(join(root, "scripts/renew.js")), readFileSync(join(root, "scripts/build.mjs")), toolchain.panic);
    await step(`Bundle ${name}`, { stamp: `bundle-${name}`, key, still: () => existsSync(join(root, "build", name, "index.js")) },
      () => pack(name, wasm, tool, toolchain.panic));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await onPinnedNode(async () => {
    const { buildWeb } = await import("./web.mjs");
    await buildWeb();
    await buildWorkers({ release: process.argv.includes("--release") });
  });
}
