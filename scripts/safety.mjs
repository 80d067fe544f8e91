// `npm run -s assess`, `npm run eval:safety`, `npm run bench:safety`, `npm run check:safety`: the crisis gate, natively.
// Standard output is the tool's alone; everything else goes to standard error.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, targetDir } from "./lib.mjs";
import { ensureHost } from "./toolchain.mjs";

console.log = console.error;
ensureHost();
const built = spawnSync("cargo", ["build", "--release", "--locked", "--quiet", "-p", "silent-safety-cli"], { cwd: root, stdio: ["ignore", 2, 2] });
const program = join(targetDir, "release", process.platform === "win32" ? "safety.exe" : "safety");
if (built.status !== 0 || !existsSync(program)) {
  console.error("✗ the safety tool could not be built");
  process.exit(2);
}
process.exit(spawnSync(program, process.argv.slice(2), { stdio: "inherit" }).status ?? 2);
