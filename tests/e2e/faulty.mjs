// The shipped chat Worker inside a thin entry module that makes its surroundings fail on command,
// and shows what an object has stored.
import { wrappedChat } from "./wrapped-chat.mjs";

const ENTRY = `
import main, { SessionObject as Real, PersonObject } from "../chat/index.js";
export default main;
export { PersonObject };

// One object for each session and one set of faults for each object; the count survives the crash it causes.
const faults = new Map();
const of = (name) => faults.get(name) ?? faults.set(name, { queueAway: false, gateAway: false, crashAt: 0, count: 0, crashed: 0, log: [] }).get(name);

// Native methods know their object only when it is theirs; the constructor's name is what the bindings check.
const around = (target, change) => new Proxy(target, {
  get(object, property) {
    const value = Reflect.get(object, property, object);
    if (property in change) return change[property](value);
    return typeof value === "function" && property !== "constructor" ? value.bind(object) : value;
  },
});

export class SessionObject {
  constructor(state, env) {
    this.state = state;
    const fault = of(state.id.name);
    // From the crash on nothing that this instance does has an effect. The abort itself waits for the stack to be empty:
    // ending an instance in the middle of its wasm would stop every other object of the isolate as well.
    let dead = false;
    const point = (label, work) => (...args) => {
      if (!dead && ++fault.count === fault.crashAt) {
        dead = true;
        fault.crashed++;
        fault.log.push(label);
        setTimeout(() => state.abort("crash at " + label), 0);
      }
      if (dead) throw new Error("crashed at " + fault.log.at(-1));
      return work(...args);
    };
    const step = (label, target) => (value) => point(label, value.bind(target));
    const sql = around(state.storage.sql, {
      exec: (value) => (query, ...bindings) => /^\\s*(SELECT|CREATE)/.test(query)
        ? value.call(state.storage.sql, query, ...bindings)
        : point(query.trim().slice(0, 24), value.bind(state.storage.sql))(query, ...bindings),
    });
    const storage = around(state.storage, {
      sql: () => sql,
      setAlarm: step("setAlarm", state.storage),
      sync: step("sync", state.storage),
      transactionSync: step("transaction", state.storage),
      deleteAll: step("deleteAll", state.storage),
    });
    const queue = around(env.EVENTS, {
      send: (value) => async (...args) => {
        if (fault.queueAway) throw new Error("the queue is away");
        await point("before send", () => {})();
        await value.apply(env.EVENTS, args);
        await point("after send", () => {})();
      },
    });
    const gate = around(env.SAFETY, {
      fetch: (value) => async (...args) => {
        if (fault.gateAway) throw new Error("the gate is away");
        return value.apply(env.SAFETY, args);
      },
    });
    const ownEnv = new Proxy(env, { get: (object, property) => ({ EVENTS: queue, SAFETY: gate })[property] ?? object[property] });
    // A call that was running when its instance ended never comes to an end; one that returned would count as done.
    this.unlessDead = async (result) => { const value = await result; return dead ? new Promise(() => {}) : value; };
    this.real = new Real(around(state, { storage: () => storage }), ownEnv);
  }

  async fetch(request) {
    const url = new URL(request.url);
    if (url.pathname === "/test/faults") {
      const fault = of(this.state.id.name);
      const told = { ...fault, log: [...fault.log] };
      if (request.method === "POST") Object.assign(fault, await request.json());
      return Response.json(told);
    }
    if (url.pathname === "/test/dump") {
      const all = (table) => this.state.storage.sql.exec("SELECT * FROM " + table).toArray();
      return Response.json(["meta", "turn", "outbox"].map(all));
    }
    return this.unlessDead(this.real.fetch(request));
  }

  alarm() { return this.unlessDead(this.real.alarm()); }
}
`;

/** Gives the path of its configuration. */
export const faultyChat = () => wrappedChat("faulty", ENTRY);
