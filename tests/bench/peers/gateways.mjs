// The peers as processes: each with its own documented options, its checks on requests as it ships, and no account anywhere.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort, sleep } from "../../stack.mjs";
import { closing } from "../stack.mjs";
import { completions } from "./client.mjs";

/** LiteLLM takes long to import what it is made of. */
const START_MS = 90_000;
const STOP_MS = 5_000;

/** Starts a program in an environment of its own: no setting or key of this machine reaches it. */
function start(command, args, env, folder) {
  const { PATH, HOME, LANG = "C.UTF-8" } = process.env;
  const child = spawn(command, args, { cwd: folder, env: { PATH, HOME, LANG, ...env }, stdio: ["pipe", "pipe", "pipe"] });
  const said = [];
  const lines = createInterface({ input: child.stdout });
  for (const source of [lines, createInterface({ input: child.stderr })]) {
    source.on("line", (line) => {
      said.push(line);
      if (said.length > 20) said.shift();
    });
  }
  let failure;
  child.once("error", (error) => { failure = error.message; });
  child.once("exit", (code, signal) => { failure ??= `ended with ${code ?? signal}: ${said.join(" | ").slice(-600)}`; });
  const close = closing(async () => {
    if (failure === undefined) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await Promise.race([ended, sleep(STOP_MS).then(() => child.kill("SIGKILL"))]);
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });
  return { child, lines, close, failure: () => failure };
}

/** Waits until one request is answered rightly; says why where none is. */
async function ready(target, started) {
  const end = performance.now() + START_MS;
  let last;
  while (performance.now() < end) {
    if (started.failure()) throw new Error(started.failure());
    try {
      await target.lane(0)({ first: 0, words: 3, stream: true });
      return;
    } catch (error) {
      last = error.message;
      await sleep(200);
    }
  }
  throw new Error(`not ready in ${START_MS / 1_000} s: ${last}`);
}

// Its Python package holds the gateway's server; the separate one exists only as a container.
const TENSORZERO = `
import sys, tensorzero
gateway = tensorzero._start_http_gateway(config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)
print("url", gateway.base_url, flush=True)
sys.stdin.read()
`;
const KEY = "Bearer sk-mock";

/** One for each peer: from its program and the model's server to a started process with its target. */
const GATEWAYS = {
  async noveum(program, model, folder) {
    const port = await freePort();
    const started = start(program, [], { HOST: "127.0.0.1", PORT: String(port), OPENAI_BASE_URL: model, RUST_LOG: "error" }, folder);
    return [started, completions("noveum", `http://127.0.0.1:${port}/v1`, { headers: { authorization: KEY, "x-provider": "openai" } })];
  },
  async tensorzero(program, model, folder) {
    const config = join(folder, "tensorzero.toml");
    writeFileSync(config, `[gateway]
disable_pseudonymous_usage_analytics = true
[models.mock-1]
routing = ["mock"]
[models.mock-1.providers.mock]
type = "openai"
model_name = "mock-1"
api_base = "${model}/v1/"
api_key_location = "none"
`);
    const started = start(program, ["-c", TENSORZERO, config], {}, folder);
    const said = new Promise((resolve) => started.lines.on("line", (line) => line.startsWith("url ") && resolve(line.slice("url ".length))));
    const base = await Promise.race([said, once(started.child, "exit").then(() => { throw new Error(started.failure()); })]);
    return [started, completions("tensorzero", base.replace(/\/$/, ""), { model: "tensorzero::model_name::mock-1" })];
  },
  async portkey(program, model, folder) {
    const port = await freePort();
    const started = start(process.execPath, [program, "--headless", `--port=${port}`], { NODE_ENV: "production" }, folder);
    const headers = { authorization: KEY, "x-portkey-provider": "openai", "x-portkey-custom-host": `${model}/v1` };
    return [started, completions("portkey", `http://127.0.0.1:${port}/v1`, { headers })];
  },
  async litellm(program, model, folder) {
    const [port, key] = [await freePort(), `sk-${randomBytes(16).toString("hex")}`];
    const config = join(folder, "config.yaml");
    // JSON is YAML.
    writeFileSync(config, JSON.stringify({
      model_list: [{ model_name: "mock-1", litellm_params: { model: "openai/mock-1", api_base: `${model}/v1`, api_key: "sk-mock" } }],
    }));
    const started = start(program, ["--config", config, "--host", "127.0.0.1", "--port", String(port), "--telemetry", "False"],
      { LITELLM_MASTER_KEY: key, LITELLM_LOCAL_MODEL_COST_MAP: "True" }, folder);
    return [started, completions("litellm", `http://127.0.0.1:${port}/v1`, { headers: { authorization: `Bearer ${key}` } })];
  },
};

/** Starts an installed peer; gives target and process, or the reason why it does not run. */
export async function startGateway(name, program, model) {
  const folder = mkdtempSync(join(tmpdir(), `peer-${name}-`));
  let started;
  try {
    const made = await GATEWAYS[name](program, model, folder);
    started = made[0];
    await ready(made[1], started);
    return { target: made[1], pid: started.child.pid, close: started.close };
  } catch (error) {
    await started?.close();
    return { missing: `does not run: ${error.message}` };
  }
}
