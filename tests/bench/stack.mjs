// The Workers on workerd, asked at workerd's own socket: no proxy in Node stands between client, Workers and model.
import childProcess, { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CONFIGS } from "../../scripts/local.mjs";
import { newIssuer, publicKeys } from "../../scripts/issuer.mjs";
import { adminOf, freePort, root, sleep } from "../stack.mjs";

process.env.WRANGLER_LOG ??= "error";
const require = createRequire(import.meta.url);
const { Log, LogLevel, Miniflare, convertV4MiniflareOptions } = createRequire(require.resolve("wrangler"))("miniflare");
const {
  unstable_getMiniflareWorkerOptions: fromConfig, unstable_readConfig: readConfig, unstable_splitSqlQuery: statements,
} = require("wrangler");

/** Version of workerd that wrangler brings. */
export const workerdVersion = createRequire(require.resolve("wrangler"))("workerd/package.json").version;

const START_MS = 30_000;
const COLLECT_MS = 5_000;
/** Room that a folder in memory must have: 10,000 turns are kept there. */
const ROOM_BYTES = 1024 ** 3;
const nameOf = (worker) => `silent-infinity-${worker}`;
const configs = Object.fromEntries(CONFIGS.map((path) => join(root, path))
  .map((config) => [readConfig({ config }).name.replace(nameOf(""), ""), config]));
// The only change to the shipped configuration: one client asks more often here than the limits allow a person to.
const NO_LIMIT = { limit: 1_000_000_000, period: 60 };

// Read once: a build meanwhile changes nothing.
const built = Object.fromEntries(Object.entries(configs).map(([worker, config]) => {
  const { main } = fromConfig(config);
  return [worker, { script: readFileSync(main), wasm: readFileSync(join(dirname(main), "index_bg.wasm")) }];
}));

/** Module and wasm of each Worker. */
export const workers = built;

/** A folder in memory where there is one with room, so that a disk's syncs do not hide what is measured; else null. */
export function memoryFolder() {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize > ROOM_BYTES ? "/dev/shm" : null;
  } catch {
    return null;
  }
}

const open = new Set();

/** Has `closeAll` call this too; gives what closes it earlier. */
export function closing(close) {
  const once = async () => {
    if (open.delete(once)) await close();
  };
  open.add(once);
  return once;
}

const folders = new Set();
const remove = (folder) => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
// Miniflare ends the process at once on a signal: only what is done without waiting is done then.
process.on("exit", () => folders.forEach(remove));

/** Ends every process that was started here. */
export const closeAll = () => Promise.allSettled([...open].map((close) => close()));

function workerOptions(worker, bindings) {
  const { workerOptions: options } = fromConfig(configs[worker]);
  const limits = Object.entries(options.ratelimits ?? {}).map(([name, limit]) => [name, { ...limit, simple: NO_LIMIT }]);
  return {
    ...options,
    name: nameOf(worker),
    rootPath: root,
    modules: [
      { type: "ESModule", path: join(root, "index.js"), contents: built[worker].script.toString() },
      { type: "CompiledWasm", path: join(root, "index_bg.wasm"), contents: built[worker].wasm },
    ],
    modulesRules: undefined,
    bindings: { ...options.bindings, ...bindings },
    ratelimits: Object.fromEntries(limits),
  };
}

/** Starts workerd, the first Worker at a socket of its own. */
async function workerd(list, { state, inspectorPort } = {}) {
  const port = await freePort();
  list[0].unsafeDirectSockets = [{ host: "127.0.0.1", port }];
  const told = {};
  const { spawn } = childProcess;
  // Miniflare keeps the process to itself; its start and its memory are what is measured.
  childProcess.spawn = (...args) => {
    const spawnedAt = performance.now();
    const child = spawn(...args);
    Object.assign(told, { spawnedAt, pid: child.pid });
    return child;
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    workers: list, cf: false, log: new Log(LogLevel.ERROR), logRequests: false, host: "127.0.0.1", port: 0,
    resourcePersistencePath: state, isolatedResourcePersistencePath: state, inspectorPort,
  }));
  const ready = miniflare.ready.finally(() => { childProcess.spawn = spawn; });
  return { miniflare, told, ready, url: `http://127.0.0.1:${port}` };
}

/** Applies the migrations, as `npm run setup` does. */
async function fill(miniflare) {
  const db = await miniflare.getD1Database("DB", nameOf("admin"));
  const migrations = join(root, "d1-migrations");
  for (const file of readdirSync(migrations).filter((name) => name.endsWith(".sql")).sort()) {
    for (const sql of statements(readFileSync(join(migrations, file), "utf8"))) await db.prepare(sql).run();
  }
  return db;
}

/** When `url` first answered 200, asked again and again. */
async function answered(url) {
  const end = performance.now() + START_MS;
  while (performance.now() < end) {
    const ok = await fetch(url).then((response) => response.text().then(() => response.ok), () => false);
    if (ok) return performance.now();
    await sleep(2);
  }
  throw new Error(`no answer from the Workers in ${START_MS} ms`);
}

/** Has V8 collect garbage in every isolate of a workerd, again and again; gives what ends that. */
async function collecting(inspectorPort) {
  const isolates = await (await fetch(`http://127.0.0.1:${inspectorPort}/json/list`)).json();
  const sockets = await Promise.all(isolates.map(async ({ webSocketDebuggerUrl }) => {
    const socket = new WebSocket(webSocketDebuggerUrl);
    await once(socket, "open");
    socket.send(JSON.stringify({ id: 0, method: "HeapProfiler.enable" }));
    return socket;
  }));
  let id = 0;
  const timer = setInterval(() => {
    id += 1;
    for (const socket of sockets) socket.send(JSON.stringify({ id, method: "HeapProfiler.collectGarbage" }));
  }, COLLECT_MS);
  return () => {
    clearInterval(timer);
    for (const socket of sockets) socket.close();
  };
}

/**
 * The platform, with storage of its own below `folder`; with `collect`, V8 is kept from putting off its collections;
 * `ai` is where the binding of Workers AI finds its service.
 */
export async function startPlatform(llmUrl, { folder, collect = false, vars = {}, voiceVars = {}, ai } = {}) {
  const inspectorPort = collect ? await freePort() : undefined;
  const state = mkdtempSync(join(folder ?? tmpdir(), "silent-bench-"));
  folders.add(state);
  const secrets = { TOKEN_SECRET: randomBytes(32).toString("base64"), KEK: `1:${randomBytes(32).toString("base64")}` };
  const issuer = newIssuer();
  const own = {
    chat: { ...secrets, LLM_PROVIDER: "openai", LLM_BASE_URL: llmUrl, LLM_MODEL: "mock-1", ...vars },
    voice: { ...secrets, ...voiceVars },
    admin: { ...secrets, ACCESS_DEV_JWKS: JSON.stringify(publicKeys(issuer)) },
  };
  const list = Object.keys(configs).map((worker) => workerOptions(worker, { ENVIRONMENT: "test", ...own[worker] }));
  if (ai) list.find(({ name }) => name === nameOf("chat")).ai = { binding: "AI", remoteProxyConnectionString: new URL(ai) };
  const started = await workerd(list, { state, inspectorPort });
  let stopCollecting = () => {};
  const close = closing(async () => {
    stopCollecting();
    await started.miniflare.dispose();
    remove(state);
    folders.delete(state);
  });
  const healthyAt = await answered(`${started.url}/v1/health`);
  await started.ready;
  const db = await fill(started.miniflare);
  if (collect) stopCollecting = await collecting(inspectorPort);
  return {
    url: started.url,
    admin: adminOf(started.url, issuer),
    pid: started.told.pid,
    startMs: healthyAt - started.told.spawnedAt,
    rows: async (sql, ...bindings) => (await db.prepare(sql).bind(...bindings).all()).results,
    events: async () => (await db.prepare("SELECT count(*) AS n FROM turn_events").first()).n,
    close,
  };
}

/** A JavaScript Worker of this folder, on a workerd of its own. */
export async function startPlain(llmUrl, file = "plain-worker.mjs") {
  const contents = readFileSync(new URL(file, import.meta.url), "utf8");
  const { miniflare, told, ready, url } = await workerd([{
    name: "plain", compatibilityDate: "2026-10-01", rootPath: root, bindings: { LLM_BASE_URL: llmUrl },
    modules: [{ type: "ESModule", path: join(root, "plain.js"), contents }],
  }]);
  const close = closing(() => miniflare.dispose());
  await ready;
  return { url, pid: told.pid, close };
}

/** The process of a model server of this folder. */
export async function startUpstream(file = "upstream.mjs") {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ended = once(child, "exit");
  const close = closing(async () => {
    child.disconnect();
    await ended;
  });
  const [{ url }] = await once(child, "message");
  return { url, pid: child.pid, close };
}
