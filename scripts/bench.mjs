// `npm run bench`: turns against a direct call, on a release build. `npm run bench:safety`: the crisis gate;
// `npm run bench:voice`: live conversations; `npm run bench:peers`: beside other gateways.
import { join } from "node:path";
import { onPinnedNode } from "./bootstrap.mjs";
import { root, run } from "./lib.mjs";

await onPinnedNode(async () => {
  const { setup } = await import("./setup.mjs");
  await setup({ release: true });
  const [first, ...rest] = process.argv.slice(2);
  if (first === "safety") {
    run("cargo", ["build", "--release", "--locked", "--quiet", "-p", "silent-safety-cli"]);
    run(process.execPath, [join(root, "tests/bench/safety.mjs"), ...rest]);
  } else if (first === "voice") {
    run(process.execPath, [join(root, "tests/bench/voice.mjs"), ...rest]);
  } else if (first === "peers") {
    run(process.execPath, [join(root, "tests/bench/peers/run.mjs"), ...rest]);
  } else {
    run(process.execPath, [join(root, "tests/bench/run.mjs"), ...process.argv.slice(2)]);
  }
});
