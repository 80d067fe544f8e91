// The gateways that `npm run bench:peers` measures this project beside, each as its own project publishes it, pinned, in
// .artifacts/peers. They are no packages of this project, and no test needs them. `node scripts/peers.mjs` installs them.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { digest, main, root, run, step } from "./lib.mjs";
import { python } from "./python.mjs";

const FOLDER = join(root, ".artifacts/peers");
const QUIET = { quiet: true };

const PORTKEY = {
  private: true,
  dependencies: { "@portkey-ai/gateway": "1.15.2", hono: "4.9.7", "@hono/node-server": "1.13.5" },
  // Newer ones of these two do not go with it.
  overrides: { hono: "$hono", "@hono/node-server": "$@hono/node-server" },
};

/** An environment of its own for each, from a Python that can make one. */
async function venv(folder, requirement) {
  run(await python(), ["-m", "venv", "--clear", folder], QUIET);
  run(join(folder, "bin/python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", requirement], QUIET);
}

function packed(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify(PORTKEY, null, 2));
  run("npm", ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { ...QUIET, cwd: folder });
}

/** What a Python package says that it is. */
function versionIn(folder, name) {
  const packages = join(folder, "lib", readdirSync(join(folder, "lib")).find((entry) => entry.startsWith("python3")), "site-packages");
  return readdirSync(packages).map((entry) => new RegExp(`^${name}-(.+)\\.dist-info$`).exec(entry)?.[1]).find(Boolean);
}

/** A peer from PyPI: the requirement begins with its name. */
const fromPypi = (title, wanted, program) => ({
  title, wanted, program, install: (folder) => venv(folder, wanted), version: (folder) => versionIn(folder, /^\w+/.exec(wanted)[0]),
});
const NOVEUM = "2.0.1";

/** `program` is what there is to start; `version` tells what was really installed. */
const PEERS = {
  noveum: {
    title: "Noveum AI Gateway",
    wanted: `noveum-ai-gateway ${NOVEUM}`,
    program: "bin/noveum-ai-gateway",
    install: (folder) => run("cargo", ["install", "noveum-ai-gateway", "--version", NOVEUM, "--locked", "--quiet", "--root", folder], QUIET),
    version: (folder) => /"noveum-ai-gateway (\S+) /.exec(readFileSync(join(folder, ".crates.toml"), "utf8"))?.[1],
  },
  tensorzero: fromPypi("TensorZero", "tensorzero==2026.6.0", "bin/python"),
  portkey: {
    title: "Portkey",
    wanted: JSON.stringify(PORTKEY),
    program: "node_modules/@portkey-ai/gateway/build/start-server.js",
    install: packed,
    version: (folder) => JSON.parse(readFileSync(join(folder, "node_modules/@portkey-ai/gateway/package.json"), "utf8")).version,
  },
  litellm: fromPypi("LiteLLM", "litellm[proxy]==1.106.2", "bin/litellm"),
};

/** Installs what is missing: for each peer its title with version and program, or with the reason why it is not there. */
export async function installPeers() {
  const found = {};
  for (const [name, peer] of Object.entries(PEERS)) {
    const folder = join(FOLDER, name);
    const program = join(folder, peer.program);
    try {
      await step(`Peer ${peer.title}`, { stamp: join(folder, ".stamp"), key: digest(peer.wanted), still: () => existsSync(program) },
        () => peer.install(folder));
      found[name] = { title: `${peer.title} ${peer.version(folder)}`, program };
    } catch (error) {
      console.error(`✗ Peer ${peer.title}: ${error.message}`);
      found[name] = { title: peer.title, missing: `could not be installed: ${error.message.trim().split("\n").at(-1)}` };
    }
  }
  return found;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(async () => console.log(await installPeers()));
