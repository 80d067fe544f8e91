// The shipped admin Worker inside a thin entry module that tells the test's server before and after each effect of a workflow, on
// the real dev server with storage of its own: killed whenever the test says so, started again on the same disk.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { publicKeys } from "../../scripts/issuer.mjs";
import { freePort, root, until } from "../stack.mjs";

const ENTRY = `
import Main, { WorkflowObject as Real } from "../admin/index.js";
import { WorkerEntrypoint } from "cloudflare:workers";
export { RegistryObject, BudgetObject, GuardObject, AlertObject } from "../admin/index.js";

export default class extends WorkerEntrypoint {
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/admin/test/sql") {
      const { sql, bindings } = await request.json();
      return Response.json((await this.env.DB.prepare(sql).bind(...bindings).all()).results);
    }
    if (url.pathname === "/admin/test/tick") {
      await new Main(this.ctx, this.env).scheduled({ cron: "*/5 * * * *", scheduledTime: Date.now(), type: "scheduled" });
      return new Response();
    }
    return new Main(this.ctx, this.env).fetch(request);
  }
  queue(batch) { return new Main(this.ctx, this.env).queue(batch); }
  scheduled(event) { return new Main(this.ctx, this.env).scheduled(event); }
}

const around = (target, change) => new Proxy(target, {
  get(object, property) {
    const value = Reflect.get(object, property, object);
    if (property in change) return change[property](value);
    return typeof value === "function" && property !== "constructor" ? value.bind(object) : value;
  },
});

export class WorkflowObject {
  constructor(state, env) {
    const tell = (label) => fetch(env.TEST_URL + "/" + label);
    const step = (label, work) => async (...args) => {
      await tell("before-" + label);
      const done = await work(...args);
      await tell("after-" + label);
      return done;
    };
    const name = (request) => {
      const path = new URL(typeof request === "string" ? request : request.url).pathname.slice(1);
      return "registry-" + path;
    };
    const stub = (real) => around(real, { fetch: () => (...args) => step(name(args[0]), (...all) => real.fetch(...all))(...args) });
    const registry = around(env.REGISTRY_OBJECT, {
      getByName: (value) => (...args) => stub(value.apply(env.REGISTRY_OBJECT, args)),
      get: (value) => (...args) => stub(value.apply(env.REGISTRY_OBJECT, args)),
    });
    const statement = (real, label) => around(real, {
      bind: (value) => (...args) => statement(value.apply(real, args), label),
      run: (value) => step(label, value.bind(real)),
    });
    const db = around(env.DB, {
      prepare: (value) => (sql) => {
        const real = value.call(env.DB, sql);
        return sql.startsWith("INSERT INTO alerts") ? statement(real, "alert") : real;
      },
    });
    this.real = new Real(state, new Proxy(env, { get: (object, property) => ({ REGISTRY_OBJECT: registry, DB: db })[property] ?? object[property] }));
  }
  fetch(request) { return this.real.fetch(request); }
  alarm() { return this.real.alarm(); }
}
`;

/** Writes the module and its configuration beside the built Workers. */
async function prepare(issuer, testUrl, vars, secrets) {
  const out = join(root, "build/restart");
  mkdirSync(out, { recursive: true });
  await build({
    stdin: { contents: ENTRY, resolveDir: out, loader: "js" },
    bundle: true, format: "esm", outfile: join(out, "index.js"), external: ["./index_bg.wasm", "cloudflare:*"], logLevel: "warning",
  });
  copyFileSync(join(root, "build/admin/index_bg.wasm"), join(out, "index_bg.wasm"));
  const lines = Object.entries({ ...vars, TEST_URL: testUrl }).map(([name, value]) => `${name} = "${value}"\n`).join("");
  const known = new RegExp(`^(${Object.keys(vars).join("|")}|ENVIRONMENT) = .*\n`, "gm");
  const config = readFileSync(join(root, "workers/admin/wrangler.toml"), "utf8")
    .replace(known, "").replace("[vars]\n", `[vars]\nENVIRONMENT = "test"\n${lines}`)
    .replace("../../build/admin/index.js", "index.js").replaceAll("../../d1-migrations", "../../d1-migrations");
  writeFileSync(join(out, "wrangler.toml"), config);
  const all = { TOKEN_SECRET: Buffer.alloc(32, 3).toString("base64"), ACCESS_DEV_JWKS: JSON.stringify(publicKeys(issuer)), ...secrets };
  writeFileSync(join(out, ".dev.vars"), Object.entries(all).map(([name, value]) => `${name}='${value}'\n`).join(""), { mode: 0o600 });
  return join(out, "wrangler.toml");
}

/** A dev server of the admin Worker alone, that can be killed and started again. */
export async function restartable({ issuer, testUrl, vars, secrets }) {
  const config = await prepare(issuer, testUrl, vars, secrets);
  const state = mkdtempSync(join(tmpdir(), "silent-restart-"));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const environment = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" };
  const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
  execFileSync(process.execPath, [wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", state, "-c", config], { cwd: root, env: environment, stdio: "ignore" });
  let server;
  const start = async () => {
    server = spawn(process.execPath, [wrangler, "dev", "-c", config, "--port", String(port), "--persist-to", state, "--show-interactive-dev-session=false"],
      { cwd: root, detached: true, stdio: ["ignore", "pipe", "pipe"], env: environment });
    let output = "";
    for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => { output += chunk; });
    await until("an answer", () => {
      if (server.exitCode !== null) throw new Error(`wrangler dev ended:\n${output.slice(-3000)}`);
      return fetch(`${url}/admin/health`).then((response) => response.ok, () => false);
    }, { timeout: 60_000 });
  };
  /** Every process of it, at once and without a word. */
  const kill = async () => {
    const table = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n").map((line) => line.trim().split(/\s+/).map(Number));
    const tree = [server.pid];
    for (const pid of tree) tree.push(...table.filter(([, parent]) => parent === pid).map(([child]) => child));
    for (const pid of tree) try { process.kill(pid, "SIGKILL"); } catch { /* it ended by itself */ }
    await until("the port to close", () => fetch(`${url}/admin/health`).then(() => false, () => true));
  };
  await start();
  const call = async (path, body) => {
    const response = await fetch(`${url}/admin/test/${path}`, { method: "POST", body: JSON.stringify(body ?? {}) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    url, start, kill,
    sql: async (sql, ...bindings) => (await call("sql", { sql, bindings })).json(),
    tick: () => call("tick"),
    close: async () => { await kill(); rmSync(state, { recursive: true, force: true }); },
  };
}
