// The compilers: the host's own, and one for wasm32, which is rustup's target where it can be had, else Debian's
// compiler with a std built from its source. SILENT_TOOLCHAIN=rustup|debian forces one of the two.
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Failure, cache, digest, probe, root, run } from "./lib.mjs";

export const TARGET = "wasm32-unknown-unknown";
const DEBIAN = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];
const SOURCE = "/usr/lib/rustlib/src/rust/library/sysroot/Cargo.toml";
// Unwinding keeps a panic inside its own request. rustup's std for wasm32 can only abort.
const UNWIND = "-Cpanic=unwind";
// Changes when the way the std is built changes, so that caches of older scripts are not used.
const STD_RECIPE = "3";

const hasTarget = (sysroot) => sysroot !== null && existsSync(join(sysroot, "lib/rustlib", TARGET, "lib"));
const stdCache = (version) => join(cache, "wasm-std", digest(version, UNWIND, STD_RECIPE));

/** Makes sure that `cargo` runs here: the pinned toolchain, else an installed one that is new enough. */
export function ensureHost() {
  // rustup may download the pinned toolchain at this call, which can take minutes.
  if (probe("cargo", ["--version"], { timeout: 600_000 }) !== null) return;
  const needed = readFileSync(join(root, "Cargo.toml"), "utf8").match(/rust-version = "(\d+)\.(\d+)"/);
  const installed = (probe("rustup", ["toolchain", "list"]) ?? "").split("\n").map((line) => line.split(" ")[0]).filter(Boolean);
  for (const name of installed.filter((name) => !name.startsWith("nightly"))) {
    const minor = probe("rustc", [`+${name}`, "-V"])?.match(/rustc 1\.(\d+)/)?.[1];
    if (minor && Number(minor) >= Number(needed[2])) {
      console.log(`  the pinned Rust toolchain cannot be had; using ${name}`);
      process.env.RUSTUP_TOOLCHAIN = name;
      return;
    }
  }
  if (probe("apt-get", ["--version"]) === null) throw new Failure("Rust is missing: install it from https://rustup.rs");
  installDebian();
}

function asRoot(command, args) {
  if (process.getuid?.() === 0) run(command, args, { quiet: true, env: { DEBIAN_FRONTEND: "noninteractive" } });
  else run("sudo", ["-n", command, ...args], { quiet: true });
}

/** Installs Debian packages, after fetching the lists if a name is unknown. */
export function install(...packages) {
  if (probe("apt-get", ["--version"]) === null) throw new Failure(`Please install by hand what Debian calls ${packages.join(", ")}.`);
  console.log(`  installing ${packages.join(" ")}`);
  if (packages.some((name) => !probe("apt-cache", ["policy", name])?.match(/Candidate: \d/))) asRoot("apt-get", ["update", "-qq"]);
  asRoot("apt-get", ["install", "-y", "--no-install-recommends", ...packages]);
}

function installDebian() {
  const present = DEBIAN.every((name) => (probe("dpkg-query", ["-W", "-f=${Status}", name]) ?? "").includes("install ok"));
  if (present && existsSync(SOURCE)) return;
  if (probe("apt-get", ["--version"]) === null) {
    throw new Failure(`No compiler for ${TARGET}: run 'rustup target add ${TARGET}' (or use Debian, where set-up builds one).`);
  }
  install(...DEBIAN);
}

/** rustup's toolchain with its target; `fetch` lets rustup download it. */
function fromRustup(fetch) {
  const sysroot = probe("rustc", ["--print", "sysroot"]);
  if (sysroot === null) return null;
  if (!hasTarget(sysroot) && fetch) probe("rustup", ["target", "add", TARGET], { timeout: 120_000 });
  if (!hasTarget(sysroot)) return null;
  return { name: "rustup", cargo: "cargo", rustc: join(sysroot, "bin/rustc"), env: {}, clippy: { command: "cargo", env: {} }, panic: "abort", sysroot };
}

/** Debian's compiler with a std for wasm32 that can unwind, in a cache outside the tree. */
function fromDebian(build) {
  const seen = probe("/usr/bin/rustc", ["-vV"]);
  const made = seen !== null && existsSync(stdCache(seen));
  if (!made && !build) return null;
  if (!made) installDebian();
  const version = seen ?? probe("/usr/bin/rustc", ["-vV"]);
  if (version === null) throw new Failure("Debian's rustc does not run.");
  const host = version.match(/host: (.*)/)[1];
  const sysroot = stdCache(version);
  if (!existsSync(sysroot)) buildStd(sysroot, host);
  return {
    name: "Debian",
    cargo: "/usr/bin/cargo",
    rustc: "/usr/bin/rustc",
    env: {
      RUSTC: join(sysroot, "bin/rustc"),
      RUSTDOC: join(sysroot, "bin/rustdoc"),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: UNWIND,
    },
    // By its path, as `cargo clippy` would find rustup's; it replaces the compiler, wrapper and all, so it is told of the std.
    clippy: { command: "/usr/bin/cargo-clippy", env: { CARGO: "/usr/bin/cargo", SYSROOT: sysroot } },
    panic: "unwind",
    sysroot,
  };
}

function linker(host) {
  const rustup = probe("rustc", ["--print", "sysroot"]);
  const own = rustup && join(rustup, "lib/rustlib", host, "bin/rust-lld");
  if (own && existsSync(own)) return own;
  // The name decides what kind of linker lld is; rustc says it with -flavor.
  if (!existsSync("/usr/bin/lld")) install("lld");
  return "/usr/bin/lld";
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
    symlinkSync(linker(host), join(hostDir, "bin/rust-lld"));
    wrap(work, sysroot, { rustc: "/usr/bin/rustc", rustdoc: "/usr/bin/rustdoc" });
    rmSync(join(work, "target"), { recursive: true });
    // Another build may have finished first: either result is the same.
    if (!existsSync(sysroot)) renameSync(work, sysroot);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Compiler commands in `folder` that use the sysroot. */
function wrap(folder, sysroot, tools) {
  mkdirSync(join(folder, "bin"), { recursive: true });
  for (const [name, program] of Object.entries(tools)) {
    const script = join(folder, "bin", name);
    writeFileSync(script, `#!/bin/sh\nexec '${program}' --sysroot '${sysroot}' "$@"\n`);
    chmodSync(script, 0o755);
  }
}

let chosen;

/** The compiler for wasm32: `{name, cargo, rustc, env, clippy, panic, sysroot}`; installs or builds what is missing. */
export function wasmToolchain() {
  const forced = process.env.SILENT_TOOLCHAIN;
  ensureHost();
  if (forced === "debian") chosen ??= fromDebian(true);
  if (forced === "rustup") chosen ??= fromRustup(true);
  // What is there already comes before what would have to be fetched or built.
  if (!forced) chosen ??= fromRustup(false) ?? fromDebian(false) ?? fromRustup(true) ?? fromDebian(true);
  if (!chosen) throw new Failure(`SILENT_TOOLCHAIN=${forced} cannot be had on this machine.`);
  return chosen;
}

/** The same compiler with a sysroot that has nothing but core and alloc for wasm32: there, any use of std fails. */
export function withoutStd() {
  const toolchain = wasmToolchain();
  const version = run(toolchain.rustc, ["-vV"], { quiet: true });
  const host = version.match(/host: (.*)/)[1];
  const sysroot = join(cache, "no-std", digest(version, toolchain.sysroot, "1"));
  if (!existsSync(sysroot)) {
    mkdirSync(dirname(sysroot), { recursive: true });
    const work = mkdtempSync(join(dirname(sysroot), "tmp-"));
    const library = join(work, "lib/rustlib", TARGET, "lib");
    const whole = join(toolchain.sysroot, "lib/rustlib", TARGET, "lib");
    mkdirSync(library, { recursive: true });
    for (const file of readdirSync(whole).filter((file) => /^lib(core|alloc|compiler_builtins)-/.test(file))) symlinkSync(join(whole, file), join(library, file));
    // Procedural macros run on the host and keep its std.
    symlinkSync(join(toolchain.sysroot, "lib/rustlib", host), join(work, "lib/rustlib", host));
    wrap(work, sysroot, { rustc: toolchain.rustc });
    if (existsSync(sysroot)) rmSync(work, { recursive: true });
    else renameSync(work, sysroot);
  }
  return { ...toolchain, env: { ...toolchain.env, RUSTC: join(sysroot, "bin/rustc") } };
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
