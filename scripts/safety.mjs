// `npm run assess` and `npm run eval:safety`: the safety engine on one text, or on the labelled corpora.
import { onPinnedNode } from "./bootstrap.mjs";
import { run } from "./lib.mjs";
import { ensureHost } from "./toolchain.mjs";

await onPinnedNode(() => {
  ensureHost();
  run("cargo", ["run", "--release", "--quiet", "--locked", "-p", "silent-safety-cli", "--", ...process.argv.slice(2)], { stdin: "inherit" });
});
