// The compiler for wasm32: rustup's target where it can be had, else Debian's compiler and a std built from its source.
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure, cache, digest, probe, root, run } from "./lib.mjs";
import { readFileSync } from "node:fs";

const TARGET = "wasm32-unknown-unknown";
const DEBIAN = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];
const SOURCE = "/usr/lib/rustlib/src/rust/library/sysroot/Cargo.toml";
// Bulk memory and exception handling are in every workerd; unwinding keeps a panic inside its own request.
const UNWIND = "-Cpanic=unwind";

const hasTarget = (sysroot) => sysroot !== null && existsSync(join(sysroot, "lib/rustlib", TARGET, "lib"));

/** rustup's toolchain, if it has the target or can download it. */
function fromRustup() {
  const sysroot = probe("rustc", ["--print", "sysroot"]);
  if (sysroot === null) return null;
  if (!hasTarget(sysroot)) probe("rustup", ["target", "add", TARGET], { timeout: 180_000 });
  if (!hasTarget(sysroot)) return null;
  return { name: "rustup", cargo: "cargo", env: {}, panic: "abort", sysroot };
}

function asRoot(command, args) {
  if (process.getuid?.() === 0) run(command, args, { quiet: true, env: { DEBIAN_FRONTEND: "noninteractive" } });
  else run("sudo", ["-n", command, ...args], { quiet: true });
}

function installDebian() {
  const present = DEBIAN.every((name) => (probe("dpkg-query", ["-W", "-f=${Status}", name]) ?? "").includes("install ok"));
  if (present && existsSync(SOURCE)) return;
  if (probe("apt-get", ["--version"]) === null) {
    throw new Failure(`No compiler for ${TARGET}: run 'rustup target add ${TARGET}' (or use Debian, where set-up builds one).`);
  }
  console.log("  installing Debian's compiler and its library source");
  asRoot("apt-get", ["update", "-qq"]);
  asRoot("apt-get", ["install", "-y", "--no-install-recommends", ...DEBIAN]);
}

function linker() {
  const rustup = probe("rustc", ["--print", "sysroot"]);
  const host = probe("rustc", ["-vV"])?.match(/host: (.*)/)?.[1];
  const own = rustup && host && join(rustup, "lib/rustlib", host, "bin/rust-lld");
  if (own && existsSync(own)) return own;
  if (probe("lld", ["-flavor", "wasm", "--version"]) === null) asRoot("apt-get", ["install", "-y", "--no-install-recommends", "lld"]);
  return probe("which", ["lld"]) ?? "/usr/bin/lld";
}

/** Debian's compiler with a std for wasm32 that can unwind, in a cache outside the tree. */
function fromDebian() {
  installDebian();
  const version = run("/usr/bin/rustc", ["-vV"], { quiet: true });
  const host = version.match(/host: (.*)/)[1];
  const sysroot = join(cache, "wasm-std", digest(version, UNWIND, "3"));
  if (!existsSync(sysroot)) buildStd(sysroot, host);
  const tool = (name) => join(sysroot, "bin", name);
  return {
    name: "Debian",
    cargo: "/usr/bin/cargo",
    env: {
      RUSTC: tool("rustc"),
      RUSTDOC: tool("rustdoc"),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: UNWIND,
    },
    panic: "unwind",
    sysroot,
  };
}

function buildStd(sysroot, host) {
  console.log("  building the standard library for wasm32 (about a minute, once)");
  mkdirSync(dirname(sysroot), { recursive: true });
  const work = mkdtempSync(join(dirname(sysroot), "tmp-"));
  try {
    run("/usr/bin/cargo", ["build", "--manifest-path", SOURCE, "--locked", "--quiet", "--profile", "dist", "--target", TARGET,
      "--features", "compiler-builtins-mem,panic-unwind"], {
      cwd: work,
      quiet: true,
      env: {
        RUSTC: "/usr/bin/rustc",
        RUSTC_BOOTSTRAP: "1",
        CARGO_TARGET_DIR: join(work, "target"),
        RUSTFLAGS: `-Zforce-unstable-if-unmarked -Cembed-bitcode=yes -Cdebuginfo=0 ${UNWIND}`,
      },
    });
    const library = join(work, "lib/rustlib", TARGET, "lib");
    mkdirSync(library, { recursive: true });
    const built = join(work, "target", TARGET, "dist/deps");
    for (const file of readdirSync(built)) if (file.endsWith(".rlib")) copyFileSync(join(built, file), join(library, file));
    const hostDir = join(work, "lib/rustlib", host);
    mkdirSync(join(hostDir, "bin"), { recursive: true });
    symlinkSync(`/usr/lib/rustlib/${host}/lib`, join(hostDir, "lib"));
    symlinkSync(linker(), join(hostDir, "bin/rust-lld"));
    mkdirSync(join(work, "bin"));
    for (const tool of ["rustc", "rustdoc"]) {
      const script = join(work, "bin", tool);
      writeFileSync(script, `#!/bin/sh\nexec /usr/bin/${tool} --sysroot '${sysroot}' "$@"\n`);
      chmodSync(script, 0o755);
    }
    rmSync(join(work, "target"), { recursive: true });
    // Another build may have finished first: either result is the same.
    if (!existsSync(sysroot)) renameSync(work, sysroot);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The compiler for wasm32: `{name, cargo, env, panic, sysroot}`; installs or builds what is missing. */
export function wasmToolchain() {
  return fromRustup() ?? fromDebian();
}

/** The wasm-bindgen program, built once for its lock file. */
export function bindgen() {
  const folder = join(root, "tools/wasm-bindgen");
  const key = digest(readFileSync(join(folder, "Cargo.lock")), readFileSync(join(folder, "src/main.rs")));
  const program = join(cache, "wasm-bindgen", key, "wasm-bindgen-tool");
  if (existsSync(program)) return program;
  console.log("  building wasm-bindgen (about two minutes, once)");
  const work = join(cache, "wasm-bindgen", `tmp-${process.pid}`);
  try {
    run("cargo", ["build", "--release", "--locked", "--quiet", "--manifest-path", join(folder, "Cargo.toml")], { env: { CARGO_TARGET_DIR: work } });
    mkdirSync(dirname(program), { recursive: true });
    copyFileSync(join(work, "release/wasm-bindgen-tool"), `${program}.new`);
    renameSync(`${program}.new`, program);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}
