// What is shipped: sizes as they travel, and what wasm costs before its first call.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "../stack.mjs";
import { median } from "./figures.mjs";
import { workers } from "./stack.mjs";

const TIMES = 7;
const gzip = (...parts) => parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0);

/** Compiles and instantiates wasm in this process, with imports that do nothing. */
function compile(wasm) {
  const compiled = [];
  const instantiated = [];
  for (let n = 0; n < TIMES; n++) {
    const began = performance.now();
    const module = new WebAssembly.Module(wasm);
    compiled.push(performance.now() - began);
    const imports = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      (imports[from] ??= {})[name] = kind === "tag" ? WebAssembly.JSTag : () => undefined;
    }
    const between = performance.now();
    new WebAssembly.Instance(module, imports);
    instantiated.push(performance.now() - between);
  }
  return { compileMs: median(compiled), instantiateMs: median(instantiated) };
}

/** Each Worker: bytes and the times of its wasm. */
export const workerArtifacts = () => Object.entries(workers).map(([name, { script, wasm }]) => (
  { name, raw: script.length + wasm.length, gzip: gzip(script, wasm), ...compile(wasm) }));

/** The page's first load: the scripts and styles that index.html asks for. */
export function pageArtifacts() {
  const dist = join(root, "web/dist");
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const asked = [...html.matchAll(/<(?:script|link)\b[^>]*?(?:src|href)="\/?([^":]+\.(?:js|css))"/g)].map((match) => match[1]);
  return asked.map((path) => {
    const bytes = readFileSync(join(dist, path));
    // The name without its hash, which changes with every build.
    return { name: path.split("/").at(-1).replace(/-[\w-]{8}(?=\.)/, ""), raw: bytes.length, gzip: gzip(bytes) };
  });
}
