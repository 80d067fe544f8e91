// The four Workers on workerd, from their real configurations, with storage of their own; and a client of the API.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestHarness } from "wrangler";
import { claimsOf, newIssuer, publicKeys, signed } from "../scripts/issuer.mjs";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `check` gives something; fails with what it waited for. */
export async function until(what, check, { timeout = 20_000, every = 100 } = {}) {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${timeout} ms for ${what}`);
    await sleep(every);
  }
}

export const freePort = () => new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
});

/** Starts the stack; `chatConfig` may put another entry module around the chat Worker. */
export async function startStack({ vars = {}, voiceVars = {}, voiceSecrets = {}, adminVars = {}, adminSecrets, chatConfig = "wrangler.toml", adminConfig = "workers/admin/wrangler.toml" } = {}) {
  const issuer = newIssuer();
  const secrets = { TOKEN_SECRET: randomBytes(32).toString("base64"), KEK: `1:${randomBytes(32).toString("base64")}` };
  const server = createTestHarness({
    root,
    workers: [
      { configPath: chatConfig, secrets,
        // Tests make one server fail many times in a row: its breaker is for those that are about it.
        vars: { ENVIRONMENT: "test", OFFLINE_TOKEN_DELAY_MS: "2", LLM_BREAKER_FAILURES: "1000", ...vars } },
      { configPath: "workers/voice/wrangler.toml", secrets: { ...secrets, ...voiceSecrets }, vars: { ENVIRONMENT: "test", ...voiceVars } },
      {
        configPath: adminConfig,
        secrets: { TOKEN_SECRET: secrets.TOKEN_SECRET, ...(adminSecrets ?? { ACCESS_DEV_JWKS: JSON.stringify(publicKeys(issuer)) }) },
        vars: { ENVIRONMENT: "test", ...adminVars },
      },
      { configPath: "workers/safety/wrangler.toml", vars: { ENVIRONMENT: "test" } },
    ],
  });
  const { url } = await server.listen();
  const chat = server.getWorker("silent-infinity-chat");
  const admin = server.getWorker("silent-infinity-admin");
  await admin.applyD1Migrations("DB");
  const { DB, REGISTRY, BUCKET } = await admin.getEnv();
  return {
    server, chat, adminWorker: admin, issuer, url: url.href.replace(/\/$/, ""), db: DB, kv: REGISTRY, bucket: BUCKET,
    rows: async (sql, ...bindings) => (await DB.prepare(sql).bind(...bindings).all()).results,
    admin: adminOf(url.href.replace(/\/$/, ""), issuer),
    guest: () => Guest.begin(url.href.replace(/\/$/, "")),
    close: () => server.close(),
  };
}

/** A client of the admin API: `admin("ada")` is a person, `admin("ci", { service: true })` a program. */
export const adminOf = (url, issuer) => (name = "ada", { service = false } = {}) => {
  const token = signed(issuer, claimsOf(service ? { service: name } : { email: `${name}@example.org` }));
  const ask = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}/admin/v1${path}`, {
      method,
      headers: {
        "cf-access-jwt-assertion": token,
        ...(body === undefined ? {} : { "content-type": "application/json", "idempotency-key": randomBytes(8).toString("hex") }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
  };
  const variant = async (category, id) => (await ask("GET", `/variants/${category}/${id}`)).body;
  return {
    token, ask, variant,
    get: (path) => ask("GET", path),
    post: (path, body, headers) => ask("POST", path, body, headers),
    /** Changes a variant as somebody who has just read it. */
    change: async (category, id, action, body = {}, headers = {}) => {
      const { version } = await variant(category, id);
      return ask(action === "edit" ? "PATCH" : "POST", `/variants/${category}/${id}${action === "edit" ? "" : `/${action}`}`,
        { reason: `the test says ${action}`, ...body }, { "if-match": `"${version}"`, ...headers });
    },
  };
};

/** Reads an event stream into `{id, data}`, in order. */
export async function* eventsOf(response) {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      const id = /^id: (\d+)$/m.exec(event)?.[1];
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield { id: Number(id), data: data === "[DONE]" ? "[DONE]" : JSON.parse(data) };
    }
  }
}

export const all = async (response) => Array.fromAsync(eventsOf(response));
export const textOf = (events) => events.map(({ data }) => (data.type === "text-delta" ? data.delta : "")).join("");

/** A person with one session. */
export class Guest {
  static async begin(url, body = { locale: "en-GB", timezone: "Europe/Berlin" }, token) {
    const guest = new Guest();
    guest.url = url;
    guest.token = token;
    guest.created = await guest.json("POST", "/v1/sessions", body);
    guest.token = guest.created.token;
    guest.id = guest.created.session_id;
    return guest;
  }

  ask(method, path, { body, headers = {}, signal } = {}) {
    return fetch(this.url + path, {
      method, signal,
      headers: { ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  async json(method, path, body) {
    const response = await this.ask(method, path, { body });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  get path() { return `/v1/sessions/${this.id}`; }
  post(body, { headers, signal } = {}) { return this.ask("POST", `${this.path}/turns`, { body, headers, signal }); }
  async say(message, options) { return all(await this.post({ message }, options)); }
  history(query = "") { return this.json("GET", `${this.path}${query}`); }
  personId() { return JSON.parse(readToken(this.token)).sub; }
}

const readToken = (token) => Buffer.from(token.split(".")[1], "base64url").toString();
export const project = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
