// What the mock speech services share: a server that remembers what it was asked and fails when it is told to.
//
// `fail(how)` is about the next request (or the next socket):
//   { status, body, headers }   an answer in place of the vendor's
//   { first_ms, delay_ms }      waits before the first block and between blocks
//   { cut: 3 }                  the connection breaks after three blocks or messages
//   { silence: 3 }              nothing comes after three
//   { garbage: 3 }              bytes that are not of the protocol after three
//   { empty: true }             200 and nothing
//   { other: true }             audio of another format than was asked for
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Refuse, sleep } from "../vendors/kit.mjs";

export { Refuse };

/** Blocks of audio are 100 ms of 16 kHz. */
const BLOCK = 3_200;

/**
 * Starts a server. `answer(call)` has `method`, `path`, `query`, `headers`, `raw`, `entry`, `fault`, `json(status, value,
 * headers)` and `stream(type, bytes, headers)`. `socket(call, ws)` takes upgrades, after `open(call)` has let them in.
 */
export async function serve({ name, answer, open, socket }) {
  const seen = [];
  const faults = [];
  const note = (request) => {
    const url = new URL(request.url, "http://mock");
    const entry = { method: request.method, target: request.url, path: url.pathname, query: url.searchParams, headers: request.headers, status: 0, text: null, began: performance.now(), ended: null, aborted: false };
    seen.push(entry);
    return { ...entry, entry, fault: faults.shift() ?? {} };
  };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const call = { ...note(request), raw: Buffer.concat(chunks) };
    const { entry, fault } = call;
    response.on("close", () => {
      entry.ended = performance.now();
      entry.aborted = !response.writableEnded;
    });
    const json = (status, value, headers = {}) => {
      entry.status = status;
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(value));
    };
    const stream = async (type, bytes, headers = {}) => {
      await sleep(fault.first_ms ?? 0);
      entry.status = 200;
      response.writeHead(200, { "content-type": type, ...headers });
      response.flushHeaders();
      const blocks = Array.isArray(bytes) ? bytes : Array.from({ length: Math.ceil(bytes.length / BLOCK) }, (_, n) => bytes.subarray(n * BLOCK, (n + 1) * BLOCK));
      for (const [n, block] of (fault.empty ? [] : blocks).entries()) {
        if (fault.cut === n) return void response.destroy();
        if (fault.silence === n) return;
        if (response.destroyed) return;
        response.write(fault.garbage === n ? Buffer.from("<html>no</html>\n") : block);
        if (fault.delay_ms) await sleep(fault.delay_ms);
      }
      response.end();
    };
    try {
      if (fault.status) return void json(fault.status, fault.body ?? {}, fault.headers);
      await answer({ ...call, json, stream });
    } catch (error) {
      if (response.headersSent) response.destroy();
      else if (error instanceof Refuse) json(error.status, error.body, error.headers);
      else json(500, { mock: name, bug: String(error?.stack) });
    }
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, stream, head) => {
    const call = note(request);
    const refuse = ({ status, body = {}, headers = {} }) => {
      call.entry.status = status;
      const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}\r\n`).join("");
      stream.end(`HTTP/1.1 ${status} No\r\ncontent-type: application/json\r\nconnection: close\r\n${lines}\r\n${JSON.stringify(body)}`);
    };
    try {
      if (!socket) throw new Refuse(404, {});
      if (call.fault.status) return refuse(call.fault);
      open(call);
    } catch (error) {
      return refuse(error instanceof Refuse ? error : { status: 500, body: { mock: name, bug: String(error?.stack) } });
    }
    sockets.handleUpgrade(request, stream, head, (ws) => {
      call.entry.status = 101;
      ws.on("close", () => { call.entry.ended = performance.now(); });
      let sent = 0;
      const send = (message) => {
        if (call.fault.cut === sent) return void ws.terminate();
        if (call.fault.silence <= sent || ws.readyState !== ws.OPEN) return;
        ws.send(call.fault.garbage === sent ? "{oops" : message);
        sent++;
      };
      socket({ ...call, send }, ws);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    seen,
    fail: (...how) => faults.push(...how),
    forgive: () => { faults.length = 0; },
    close: () => new Promise((resolve) => {
      for (const ws of sockets.clients) ws.terminate();
      server.closeAllConnections();
      server.close(resolve);
    }),
  };
}

/** The parts of a form (RFC 7578): `fields` with all values of each name, and the `file`. */
export function form(raw, type) {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)/i.exec(type ?? "")?.[1];
  if (!boundary) return null;
  const fields = {};
  let file = null;
  let at = raw.indexOf(`--${boundary}`);
  for (;;) {
    const head = at + boundary.length + 2;
    if (at < 0 || raw.toString("latin1", head, head + 2) === "--") return at < 0 ? null : { fields, file };
    const end = raw.indexOf("\r\n\r\n", head);
    const next = raw.indexOf(`\r\n--${boundary}`, end);
    if (end < 0 || next < 0) return null;
    const headers = raw.toString("utf8", head + 2, end);
    const name = /name="([^"]*)"/i.exec(headers)?.[1];
    const filename = /filename="([^"]*)"/i.exec(headers)?.[1];
    const value = raw.subarray(end + 4, next);
    if (filename !== undefined) file = { field: name, filename, type: /content-type: *(\S+)/i.exec(headers)?.[1], bytes: value };
    else (fields[name] ??= []).push(value.toString());
    at = next + 2;
  }
}

/** The body as an object, or `refuse()` is thrown. */
export function object(raw, refuse) {
  try {
    const value = JSON.parse(raw.toString());
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {}
  throw refuse();
}

/** Words with times, spread evenly over a stretch. */
export function words(text, start_ms, end_ms) {
  const all = text.split(/\s+/).filter(Boolean);
  const letters = all.join("").length || 1;
  let at = start_ms;
  return all.map((word) => {
    const start = at;
    at += ((end_ms - start_ms) * word.length) / letters;
    return { word, start: start / 1000, end: at / 1000 };
  });
}
