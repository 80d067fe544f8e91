// `npm run bench`: the benchmark of tests/bench on a release build.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, root, run } from "./lib.mjs";

await onPinnedNode(async () => {
  if (!existsSync(join(root, "tests/bench/run.mjs"))) throw new Failure("tests/bench/run.mjs is missing.");
  const { setup } = await import("./setup.mjs");
  await setup({ release: true });
  run(process.execPath, [join(root, "tests/bench/run.mjs"), ...process.argv.slice(2)]);
});
