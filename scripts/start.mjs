// `npm start`: set-up, then the four Workers in one dev session on http://localhost:8787 (PORT changes it).
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onPinnedNode } from "./bootstrap.mjs";
import { root, whenAskedToEnd } from "./lib.mjs";
import { setup } from "./setup.mjs";

/** Variables of wrangler.toml that the environment overrides, such as LLM_PROVIDER, LLM_BASE_URL and LLM_MODEL. */
function overrides() {
  const local = readFileSync(join(root, "wrangler.toml"), "utf8").match(/^\[vars\]\n([^[]*)/m)?.[1] ?? "";
  return [...local.matchAll(/^([A-Z_]+) =/gm)].map((match) => match[1])
    .filter((name) => process.env[name] !== undefined)
    .flatMap((name) => ["--var", `${name}:${process.env[name]}`]);
}

await onPinnedNode(async () => {
  await setup({ release: process.argv.includes("--release") });
  const { CONFIGS, QUIET, STATE } = await import("./local.mjs");
  const port = process.env.PORT ?? "8787";
  console.log("▸ Workers start …");
  // In a process group of its own, so that Ctrl-C reaches it once, from here, and it can end in order.
  const server = spawn(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), "dev", ...CONFIGS.flatMap((config) => ["-c", config]),
    "--port", port, "--persist-to", STATE, "--test-scheduled", "--show-interactive-dev-session=false", ...overrides()], {
    cwd: root,
    env: { ...process.env, ...QUIET },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  server.stdout.on("data", (chunk) => {
    process.stdout.write(chunk);
    if (chunk.includes("Ready on")) {
      console.log(`\n  Open http://localhost:${port}\n  After a change: 'npm run build' in another terminal; Ctrl-C stops.\n`);
    }
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    server.kill("SIGTERM");
    setTimeout(() => process.kill(-server.pid, "SIGKILL"), 5_000).unref();
  };
  whenAskedToEnd(stop);
  const code = await new Promise((resolve) => server.once("exit", resolve));
  process.exit(stopping ? 0 : code ?? 1);
});
