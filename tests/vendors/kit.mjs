// What the mock servers of vendors share: a server that remembers what it was asked, and a plan for the answer.
//
// The plan is in the last message, and in `defaults` for all of them:
//   words=12 delay=20 first=100    twelve words, 20 ms apart, the first after 100 ms
//   say=Yes,_of_course.            an answer of its own (`_` is a space)
//   split=7                        the bytes of the answer in pieces of seven
//   retry=3                        the wait that an error asks for, in seconds
//   fault=status:529               an error in place of an answer, in the vendor's form
//   fault=cut@3                    the connection breaks after three words
//   fault=silence@3                nothing comes after three words
//   fault=error@3                  an error in the vendor's form after three words
//   fault=garbage@3                bytes that are not of the protocol after three words
//   fault=unfinished@3             a clean end after three words, without a stop reason
//   fault=refusal@3, filter@3      the model or the vendor's filter ends the answer after three words
import { createServer } from "node:http";

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const option = (text, name, fallback) => new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(text)?.[1] ?? fallback;

/** Reads a plan. A word counts as one token; `limit` cuts the answer as `max_tokens` does. */
export function plan(said, limit = Infinity) {
  const [fault, at = "0"] = option(said, "fault", "none").split("@");
  const own = option(said, "say", "").replaceAll("_", " ");
  const all = own ? own.match(/\S+\s*/g) : Array.from({ length: Number(option(said, "words", "6")) }, (_, n) => `word${n}. `);
  const status = /^status:(\d+)$/.exec(fault)?.[1];
  const stops = ["refusal", "filter"].includes(fault);
  const words = stops ? all.slice(0, Number(at)) : all.slice(0, limit);
  return {
    words,
    text: words.join(""),
    reason: stops ? fault : all.length > words.length ? "length" : "stop",
    delay: Number(option(said, "delay", "2")),
    first: Number(option(said, "first", "0")),
    split: Number(option(said, "split", "0")),
    retry: option(said, "retry", undefined),
    fault: status ? "status" : fault,
    at: Number(at),
    status: Number(status ?? "200"),
    usage: { input: 11, output: words.length },
  };
}

/** An answer that a server gives at once: thrown by whoever checks a request. */
export class Refuse extends Error {
  constructor(status, body, headers = {}) {
    super(`${status} ${JSON.stringify(body)}`);
    Object.assign(this, { status, body, headers });
  }
}

/**
 * Starts a server on a free port of this machine. `answer(call)` has `method`, `path`, `query`, `headers`, `raw` (the
 * body's bytes), `entry` (what `seen` keeps), `response`, and
 *   `json(status, value, headers)` to answer at once,
 *   `pour(plan, wire)` to answer piece by piece: `wire` has `type` and, each giving text or bytes or nothing, `open()`,
 *   `delta(word)`, `error()`, `garbage()`, `close(reason)`, and `unfinished()` where even a cut answer has an end.
 */
export async function serve({ name, answer }) {
  const seen = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url, "http://mock");
    const entry = { method: request.method, target: request.url, path: url.pathname, query: url.searchParams, headers: request.headers, ask: null, said: "", status: 0, words: 0, began: performance.now(), ended: null, aborted: false };
    seen.push(entry);
    response.on("close", () => {
      entry.ended = performance.now();
      entry.aborted = !response.writableEnded;
    });
    const json = (status, value, headers = {}) => {
      entry.status = status;
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(value === undefined ? "" : JSON.stringify(value));
    };
    try {
      await answer({ ...entry, raw: Buffer.concat(chunks), entry, response, json, pour: (how, wire) => pour(entry, response, how, wire) });
    } catch (error) {
      if (response.headersSent) response.destroy();
      else if (error instanceof Refuse) json(error.status, error.body, error.headers);
      else json(500, { mock: name, bug: String(error?.stack) });
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    seen,
    about: (marker) => seen.filter((entry) => entry.said.includes(marker)),
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}

async function pour(entry, response, how, wire) {
  const write = async (bytes) => {
    if (bytes === undefined || bytes === null || response.destroyed) return;
    const all = Buffer.from(bytes);
    const step = how.split > 0 ? how.split : all.length;
    for (let at = 0; at < all.length; at += step) {
      response.write(all.subarray(at, at + step));
      if (how.split > 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await sleep(how.first);
  entry.status = 200;
  response.writeHead(200, { "content-type": wire.type, "cache-control": "no-cache", ...wire.headers });
  response.flushHeaders();
  if (how.fault === "silence" && how.at === 0) return;
  await write(wire.open?.());
  for (const [n, word] of [...how.words, null].entries()) {
    if (n === how.at) {
      if (how.fault === "cut") return void response.destroy();
      if (how.fault === "silence") return;
      if (how.fault === "garbage") await write(wire.garbage());
      if (how.fault === "error") {
        await write(wire.error());
        return void response.end();
      }
      if (how.fault === "unfinished") {
        await write(wire.unfinished?.());
        return void response.end();
      }
    }
    if (word === null || response.destroyed) break;
    await write(wire.delta(word));
    entry.words = n + 1;
    if (how.delay > 0) await sleep(how.delay);
  }
  if (response.destroyed) return;
  await write(wire.close(how.reason));
  response.end();
}

/** The body as JSON, or `refuse()` is thrown. */
export function parse(raw, refuse) {
  try {
    const value = JSON.parse(raw.toString());
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {}
  throw refuse();
}

/** The first key of `value` that is not among `known`. */
export const unknownKey = (value, known) => Object.keys(value).find((key) => !known.includes(key));

export const isText = (value) => typeof value === "string";

/** The answer of structured output: the least value that the schema allows, as far as objects and scalars go. */
export function example(schema) {
  if (schema?.enum) return schema.enum[0];
  switch (schema?.type) {
    case "object": return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, example(inner)]));
    case "array": return [];
    case "integer": case "number": return schema.minimum ?? 0;
    case "boolean": return false;
    default: return "text";
  }
}

/** A plan whose words are JSON that the schema allows. */
export function structured(how, schema) {
  const text = JSON.stringify(example(schema));
  return { ...how, words: how.reason === "stop" ? text.match(/.{1,8}/g) : how.words, text };
}

/** An event of a stream of server-sent events. */
export const event = (value, name) => `${name ? `event: ${name}\n` : ""}data: ${isText(value) ? value : JSON.stringify(value)}\n\n`;
