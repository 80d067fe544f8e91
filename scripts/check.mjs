// `npm run check`: format, lints for the host and for wasm32, and the proof that core and providers need no std.
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, probe, run, step, targetDir } from "./lib.mjs";
import { TARGET, ensureHost, wasmToolchain, withoutStd } from "./toolchain.mjs";

// What is compiled for wasm32 in the end; its lints see code that the host's never do.
const EDGE = ["silent-edge", "silent-chat", "silent-voice", "silent-admin", "silent-safety"].flatMap((name) => ["-p", name]);
const PURE = ["silent-core", "silent-providers"].flatMap((name) => ["-p", name]);

/** Runs every check; throws at the first that fails. */
export async function check() {
  ensureHost();
  await step("Format", {}, () => run("cargo", ["fmt", "--all", "--check"]));
  await step("Clippy, host", {}, () => run("cargo", ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"]));
  const toolchain = wasmToolchain();
  const { command, env } = toolchain.clippy;
  if (probe(command, ["clippy", "--version"]) === null) throw new Failure(`${command} clippy is missing: 'rustup component add clippy' installs it.`);
  await step("Clippy, wasm32", {}, () => run(command, ["clippy", "--locked", "--quiet", "--target", TARGET, ...EDGE, "--", "-D", "warnings"],
    { env: { ...toolchain.env, ...env } }));
  await step("Core and providers without std", {}, () => {
    const bare = withoutStd();
    // A target folder of its own: cargo cannot tell the two sysroots apart, and would call the other's result fresh.
    run(bare.cargo, ["build", "--locked", "--quiet", "--target", TARGET, ...PURE], { env: { ...bare.env, CARGO_TARGET_DIR: join(targetDir, "no-std") } });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await onPinnedNode(check);
