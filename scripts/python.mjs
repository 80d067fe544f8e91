// A Python with the libraries that tests measure this project against. `node scripts/python.mjs` installs it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure, digest, main, probe, root, run, step } from "./lib.mjs";
import { install } from "./toolchain.mjs";

const VENV = join(root, ".artifacts/python");
const PYTHON = join(VENV, process.platform === "win32" ? "Scripts/python.exe" : "bin/python");
const REQUIREMENTS = join(root, "tests/python/requirements.txt");
const NAMES = ["python3.13", "python3.12", "python3.11", "python3"];
// Debian packs what a virtual environment needs apart from Python itself.
const USABLE = "import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 11))";

const usable = () => NAMES.find((name) => probe(name, ["-c", USABLE]) !== null);

/** The path of an interpreter that has tests/python/requirements.txt; installs what is missing. */
export async function python() {
  await step("Python for tests", {
    stamp: join(VENV, ".stamp"),
    key: digest(readFileSync(REQUIREMENTS)),
    still: () => probe(PYTHON, ["-c", ""]) !== null,
  }, () => {
    if (!usable()) install("python3", "python3-venv");
    const found = usable();
    if (!found) throw new Failure("Python 3.11 or newer with venv is needed for these tests.");
    run(found, ["-m", "venv", "--clear", VENV]);
    run(PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "-r", REQUIREMENTS]);
  });
  return PYTHON;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main(async () => console.log(await python()));
