// The statistics tool, built once for a test file.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, run, targetDir } from "../../scripts/lib.mjs";
import { ensureHost } from "../../scripts/toolchain.mjs";

/** The path of the tool. */
export function program() {
  ensureHost();
  run("cargo", ["build", "--locked", "--quiet", "-p", "silent-stats"]);
  return join(targetDir, "debug", process.platform === "win32" ? "stats.exe" : "stats");
}

/** Runs the tool: `{status, stdout, stderr}`, and what it printed as JSON where it is. */
export function stats(tool, args, input = "") {
  const done = spawnSync(tool, args, { cwd: root, input, encoding: "utf8" });
  return { ...done, json: done.status === 0 && done.stdout.startsWith("{") ? JSON.parse(done.stdout) : null };
}
