// A real OpenTelemetry collector (rotel, from PyPI), and what it passes on, read by OpenTelemetry's own messages.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { run } from "../scripts/lib.mjs";
import { python } from "../scripts/python.mjs";
import { freePort, root, sleep, until } from "./stack.mjs";

const ended = (child) => new Promise((resolve) => (child.exitCode !== null || child.signalCode !== null ? resolve() : child.once("exit", resolve)));

/** Starts it; `spans` is what came out at its other end so far. It can be stopped and started again on the same address. */
export async function startCollector() {
  const interpreter = await python();
  const folder = mkdtempSync(join(tmpdir(), "collector-"));
  const spans = [];
  const sink = spawn(interpreter, [join(root, "tests/python/spans.py")], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: sink.stdout });
  const sinkPort = await new Promise((resolve) => lines.once("line", resolve));
  lines.on("line", (line) => spans.push(JSON.parse(line)));
  const program = run(interpreter, ["-c", "import rotel, pathlib; print(pathlib.Path(rotel.__file__).parent / 'rotel-agent')"], { quiet: true }).trim();
  const [http, grpc] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${http}`;
  let agent;
  const start = async () => {
    agent = spawn(program, ["start", "--otlp-http-endpoint", `127.0.0.1:${http}`, "--otlp-grpc-endpoint", `127.0.0.1:${grpc}`, "--batch-timeout", "50ms",
      "--pid-file", join(folder, "pid"), "--log-file", join(folder, "log"),
      "--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", `http://127.0.0.1:${sinkPort}`],
    { stdio: "ignore" });
    await until("the collector", () => {
      if (agent.exitCode !== null) throw new Error(`the collector ended with ${agent.exitCode}`);
      return fetch(url).then(() => true, () => false);
    });
  };
  const stop = async () => {
    agent.kill("SIGTERM");
    await Promise.race([ended(agent), sleep(3_000).then(() => agent.kill("SIGKILL"))]);
    await ended(agent);
  };
  await start();
  return {
    url, spans, start, stop,
    /** The spans of a trace, once its turn's span is among them. */
    trace: (id) => until(`trace ${id}`, () => {
      const found = spans.filter(({ trace }) => trace === id);
      return found.some(({ name }) => name === "turn") && found;
    }),
    close: async () => {
      await stop();
      sink.kill();
      await ended(sink);
      rmSync(folder, { recursive: true });
    },
  };
}
