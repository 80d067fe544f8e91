// What every script needs: the tree's root, running a command, and steps that are skipped when nothing changed.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "silent-infinity");
export const bin = (name) => join(root, "node_modules", ".bin", name);
export const targetDir = process.env.CARGO_TARGET_DIR ?? join(root, "target");

/** An error that a person can act on: printed without a stack. */
export class Failure extends Error {}

/** Ends the process with the reason when a script fails. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof Failure ? `\n✗ ${error.message}` : error);
    process.exit(1);
  }
}

/** Runs a command in the root, its output shown; throws where it fails. */
export function run(command, args, { env = {}, cwd = root, quiet = false, stdin = "ignore" } = {}) {
  const done = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: [stdin, quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  if (done.error) throw new Failure(`${command} cannot be started: ${done.error.message}`);
  if (done.status !== 0) {
    const said = quiet ? `\n${(done.stdout ?? "").slice(-4000)}${(done.stderr ?? "").slice(-4000)}` : "";
    throw new Failure(`${command} ${args.join(" ")} failed (${done.status ?? done.signal})${said}`);
  }
  return done.stdout ?? "";
}

/** Calls `stop` on a signal to end, and when the npm that started this process was killed, which passes no signal on. */
export function whenAskedToEnd(stop) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && stop("SIGTERM"), 500).unref();
}

/** What a command prints, or null where it cannot run or fails. */
export function probe(command, args, { timeout = 20_000, env = {} } = {}) {
  const done = spawnSync(command, args, { cwd: root, encoding: "utf8", timeout, env: { ...process.env, ...env } });
  return done.status === 0 ? done.stdout.trim() : null;
}

/** Runs a command, showing its output and handing it back; throws where it fails, the output with the error. */
export function tee(command, args, { env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of ["stdout", "stderr"]) {
      child[stream].setEncoding("utf8");
      child[stream].on("data", (chunk) => {
        text += chunk;
        process[stream].write(chunk);
      });
    }
    child.once("error", (error) => reject(new Failure(`${command} cannot be started: ${error.message}`)));
    child.once("close", (code, signal) => {
      if (code === 0) resolve(text);
      else reject(Object.assign(new Failure(`${command} ${args.join(" ")} failed (${code ?? signal})`), { output: text }));
    });
  });
}

/** All files below the paths (relative to the root), sorted. */
export function files(paths, keep = () => true) {
  const found = [];
  const walk = (path) => {
    const full = join(root, path);
    if (!existsSync(full)) return;
    if (statSync(full).isDirectory()) {
      for (const entry of readdirSync(full)) if (entry !== "node_modules" && entry !== "dist") walk(join(path, entry));
    } else if (keep(path)) found.push(path);
  };
  paths.forEach(walk);
  return found.sort();
}

/** A hash over texts. */
export function digest(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part).update("\0");
  return hash.digest("hex").slice(0, 24);
}

/** A hash over names and contents of files. */
export function fingerprint(paths, keep) {
  return digest(...files(paths, keep).flatMap((path) => [path, readFileSync(join(root, path))]));
}

/** Runs a step unless its stamp says that it ran with the same inputs; says what it does and how long it took.
 *  A stamp that is an absolute path lies beside what it speaks of, and goes when that is deleted. */
export async function step(title, { stamp, key, still = () => true }, work) {
  const file = stamp && resolve(root, "build/.stamps", stamp);
  if (file && existsSync(file) && readFileSync(file, "utf8") === key && still()) {
    console.log(`✓ ${title}: up to date`);
    return false;
  }
  const began = Date.now();
  console.log(`▸ ${title} …`);
  await work();
  if (file) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, key);
  }
  console.log(`✓ ${title}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return true;
}
