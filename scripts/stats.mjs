// `npm run -s stats -- proportions 250 1000 300 1000`, `npm run sim`: the statistics, natively.
// Standard output is the tool's alone; everything else goes to standard error.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, targetDir } from "./lib.mjs";
import { ensureHost } from "./toolchain.mjs";

console.log = console.error;
ensureHost();
const built = spawnSync("cargo", ["build", "--release", "--locked", "--quiet", "-p", "silent-stats"], { cwd: root, stdio: ["ignore", 2, 2] });
const program = join(targetDir, "release", process.platform === "win32" ? "stats.exe" : "stats");
if (built.status !== 0 || !existsSync(program)) {
  console.error("✗ the statistics tool could not be built");
  process.exit(2);
}
process.exit(spawnSync(program, process.argv.slice(2), { stdio: "inherit" }).status ?? 2);
