// The admin Worker on this machine's own state, without a server before it: its queue, its cron, its API.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { join } from "node:path";
import { claimsOf, signed } from "../../scripts/issuer.mjs";
import { root } from "../../scripts/lib.mjs";
import { ISSUER, QUIET, STATE } from "../../scripts/local.mjs";
import { ADMINS } from "./registry.mjs";

const NAME = "silent-infinity-admin";
const CONFIG = join(root, "workers/admin/wrangler.toml");

const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
});

/** Opens it; `close` ends it and leaves the state to `npm start`. */
export async function openInstance() {
  Object.assign(process.env, QUIET);
  const { WRANGLER_LOG } = process.env;
  process.env.WRANGLER_LOG ??= "error";
  const require = createRequire(import.meta.url);
  const { Log, LogLevel, Miniflare, convertV4MiniflareOptions } = createRequire(require.resolve("wrangler"))("miniflare");
  const { unstable_getMiniflareWorkerOptions: fromConfig } = require("wrangler");
  const { workerOptions: options } = fromConfig(CONFIG);
  const port = await freePort();
  const build = join(root, "build/admin");
  const wrong = [];
  const miniflare = new Miniflare(convertV4MiniflareOptions({
    cf: false, log: new Log(LogLevel.ERROR), logRequests: false, host: "127.0.0.1", port: 0, resourcePersistencePath: join(STATE, "v3"),
    handleStructuredLogs: ({ message }) => { if (message.startsWith("{") && JSON.parse(message).level === "error") wrong.push(message); },
    workers: [{
      ...options, name: NAME, rootPath: root, modulesRules: undefined, unsafeDirectSockets: [{ host: "127.0.0.1", port }],
      // The chat Worker's side of the queue, which is not here.
      queueProducers: { EVENTS: { queueName: "turn-events" } },
      modules: [
        { type: "ESModule", path: join(root, "index.js"), contents: readFileSync(join(build, "index.js"), "utf8") },
        { type: "CompiledWasm", path: join(root, "index_bg.wasm"), contents: readFileSync(join(build, "index_bg.wasm")) },
      ],
    }],
  }));
  await miniflare.ready;
  const db = await miniflare.getD1Database("DB", NAME);
  const worker = await miniflare.getWorker(NAME);
  const accounts = await miniflare.getDurableObjectNamespace("BUDGETS", NAME);
  const shared = accounts.get(accounts.idFromName("shared"));
  const issuer = JSON.parse(readFileSync(ISSUER, "utf8"));
  const tokens = Object.fromEntries(Object.entries(ADMINS).map(([who, email]) => [who, signed(issuer, claimsOf({ email }))]));
  return {
    wrong,
    queue: await miniflare.getQueueProducer("EVENTS", NAME),
    rows: async (sql, ...bindings) => (await db.prepare(sql).bind(...bindings).all()).results,
    cron: (cron, atMs) => worker.scheduled({ cron, scheduledTime: new Date(atMs) }),
    async budget(method, path, body) {
      const response = await shared.fetch(`https://object${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
      if (!response.ok) throw new Error(`${method} ${path} of the budgets answered ${response.status}`);
      return response.json();
    },
    ask: async (who, method, path, body, headers = {}) => {
      const response = await fetch(`http://127.0.0.1:${port}/admin/v1${path}`, {
        method, headers: { "cf-access-jwt-assertion": tokens[who], ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    },
    close: async () => {
      await miniflare.dispose();
      // What is started next says when it is ready.
      if (WRANGLER_LOG === undefined) delete process.env.WRANGLER_LOG;
    },
  };
}
