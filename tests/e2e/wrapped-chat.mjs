// The shipped chat Worker inside an entry module of a test's own.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../stack.mjs";

/** Makes the module, which imports `../chat/index.js`, and its configuration in `build/<name>`; gives the configuration's path. */
export async function wrappedChat(name, entry) {
  const out = join(root, "build", name);
  mkdirSync(out, { recursive: true });
  await build({
    stdin: { contents: entry, resolveDir: out, loader: "js" },
    bundle: true, format: "esm", outfile: join(out, "index.js"), external: ["./index_bg.wasm", "cloudflare:*"], logLevel: "warning",
  });
  copyFileSync(join(root, "build/chat/index_bg.wasm"), join(out, "index_bg.wasm"));
  const config = readFileSync(join(root, "wrangler.toml"), "utf8")
    .replace('"build/chat/index.js"', '"index.js"')
    .replaceAll('"d1-migrations"', '"../../d1-migrations"')
    .replace('directory = "web/dist"', 'directory = "../../web/dist"')
    .replace("node_modules/wrangler", "../../node_modules/wrangler");
  writeFileSync(join(out, "wrangler.toml"), config);
  return `build/${name}/wrangler.toml`;
}
