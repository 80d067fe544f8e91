// A person who talks with twins, and the chat Worker whose R2 fails on command.
import { wrappedChat } from "./wrapped-chat.mjs";

let people = 0;

/** A client of `/api` with a token of its own and an address of its own. */
export class Visitor {
  constructor(url) {
    this.url = url;
    people += 1;
    this.address = `10.7.${Math.floor(people / 250)}.${people % 250}`;
  }

  async ask(method, path, { body, type = "application/json", headers = {} } = {}) {
    const json = type === "application/json" && body !== undefined && typeof body !== "string";
    const response = await fetch(`${this.url}/api${path}`, {
      method, redirect: "manual", body: json ? JSON.stringify(body) : body,
      headers: { "cf-connecting-ip": this.address, ...(body === undefined ? {} : { "content-type": type }), ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...headers },
    });
    this.token ??= response.headers.get("x-token") ?? undefined;
    return response;
  }

  async json(method, path, options) {
    const response = await this.ask(method, path, options);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  }

  say(message, more = {}) { return this.json("POST", "/chat", { body: { message, ...more } }); }
  upload(text, type = "text/plain", name = "") { return this.json("POST", `/twins${name && `?name=${name}`}`, { body: text, type }); }
}

/** Deterministic randomness (mulberry32), so that a failure can be seen again. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  const LETTERS = ["a", "Z", " ", "\n", "\t", "\"", "\\", "é", "ß", "安", "🙂", "\u{202e}", "\u{0301}", "<b>", "{{user}}", "data: x\n\n", "\u2028", "'", "0", "%"];
  return { next, below, pick: (list) => list[below(list.length)], text: (length) => Array.from({ length }, () => LETTERS[below(LETTERS.length)]).join("") };
}

const ENTRY = `
import main, { SessionObject, PersonObject as Real } from "../chat/index.js";
export default main;
export { SessionObject };
const faults = new Map();
const around = (target, change) => new Proxy(target, {
  get(object, property) {
    const value = Reflect.get(object, property, object);
    if (property in change) return change[property](value);
    return typeof value === "function" && property !== "constructor" ? value.bind(object) : value;
  },
});
export class PersonObject {
  constructor(state, env) {
    this.name = state.id.name;
    const failing = (value) => (...args) => {
      const left = faults.get(this.name) ?? 0;
      if (left > 0) {
        faults.set(this.name, left - 1);
        throw new Error("R2 is away");
      }
      return value.apply(env.BUCKET, args);
    };
    const bucket = around(env.BUCKET, { get: failing, put: failing });
    this.real = new Real(state, new Proxy(env, { get: (object, property) => property === "BUCKET" ? bucket : object[property] }));
  }
  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname !== "/test/r2") return this.real.fetch(request);
    faults.set(this.name, Number(url.searchParams.get("failures")));
    return new Response("ok");
  }
  alarm() { return this.real.alarm(); }
}
`;

/** The shipped chat Worker in a module whose bucket fails for one person, as often as asked; gives the configuration's path. */
export const faultyBucket = () => wrappedChat("faulty-bucket", ENTRY);

/** Lets a person's next R2 operations fail. */
export async function failR2(stack, visitor, failures) {
  const { PERSONS } = await stack.chat.getEnv();
  const person = JSON.parse(Buffer.from(visitor.token.split(".")[1], "base64url").toString()).sub;
  await (await PERSONS.get(PERSONS.idFromName(person)).fetch(`https://object/test/r2?failures=${failures}`)).text();
}

export const personOf = (visitor) => JSON.parse(Buffer.from(visitor.token.split(".")[1], "base64url").toString()).sub;
