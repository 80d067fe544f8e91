// The client that measures, the same for all: Node's plain HTTP, as its fetch costs more than the differences to be seen.
// Every answer is read whole and compared with what the model said, after the clock has stopped.
import { Agent, request } from "node:http";
import { BEGINS, answer, message } from "./script.mjs";

/** Turns of a session before the client begins another one. */
const SESSION_TURNS = 20;
/** Longest wait for an answer. */
const PATIENCE_MS = 30_000;

function post(agent, url, headers, value, marker) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(value);
    const began = performance.now();
    const sent = request(url, {
      method: "POST", agent, timeout: PATIENCE_MS,
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers },
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer in ${PATIENCE_MS} ms`)));
    let answered = false;
    sent.on("error", (error) => {
      // Servers close connections that were idle for some seconds: one that ended just then is asked again on a new one.
      const closed = sent.reusedSocket && error.code === "ECONNRESET" && !answered;
      if (closed) post(agent, url, headers, value, marker).then(resolve, reject);
      else reject(error);
    });
    sent.on("response", (response) => {
      answered = true;
      const whole = [];
      let firstMs;
      response.on("error", reject);
      response.on("data", (bytes) => {
        whole.push(bytes);
        // A token may be cut in two: what is there is looked at together until it is found.
        if (firstMs === undefined && marker?.test(whole.length === 1 ? bytes.latin1Slice() : Buffer.concat(whole).latin1Slice())) firstMs = performance.now() - began;
      });
      response.on("end", () => resolve({ status: response.statusCode, firstMs, totalMs: performance.now() - began, text: Buffer.concat(whole).toString() }));
    });
    sent.end(body);
  });
}

/** The data of each event, in order. */
const events = (text) => text.split(/\r?\n\r?\n/).flatMap((event) => event.split(/\r?\n/)).filter((line) => line.startsWith("data:"))
  .map((line) => line.slice("data:".length).trim());

/** An answer in one of the three forms: what was said, and how it ended. */
const FORMS = {
  stream(text) {
    const all = events(text);
    if (all.at(-1) !== "[DONE]") return { said: null, end: "no [DONE]" };
    const chunks = all.slice(0, -1).map((data) => JSON.parse(data));
    const choices = chunks.flatMap((chunk) => chunk.choices ?? []);
    return { said: choices.map(({ delta }) => delta?.content ?? "").join(""), end: choices.findLast((choice) => choice.finish_reason)?.finish_reason };
  },
  whole(text) {
    const [choice] = JSON.parse(text).choices;
    return { said: choice.message.content, end: choice.finish_reason };
  },
  turn(text) {
    const all = events(text);
    if (all.at(-1) !== "[DONE]") return { said: null, end: "no [DONE]" };
    const parts = all.slice(0, -1).map((data) => JSON.parse(data));
    const said = parts.filter(({ type }) => type === "text-delta").map(({ delta }) => delta).join("");
    return { said, end: parts.find(({ type }) => type === "finish")?.finishReason };
  },
};

/** Throws unless the answer is the one that the model gave, whole. */
export function check(form, { status, text }, words) {
  let got;
  try {
    if (status === 200) got = FORMS[form](text);
  } catch (error) {
    got = { end: error.message };
  }
  if (got?.said !== answer(words) || got.end !== "stop") throw new Error(`a wrong answer (${status}, ended with ${got?.end}): ${text.slice(-400)}`);
}

/** A target that is asked; `ask(lane)` gives what asks it, one request after another. */
function target(name, lane, { streamsOnly = false } = {}) {
  const agent = new Agent({ keepAlive: true, noDelay: true });
  const counted = { name, streamsOnly, answers: 0, close: () => agent.destroy() };
  counted.lane = (at) => {
    const ask = lane((...args) => post(agent, ...args), at);
    return async (spec) => {
      const got = await ask(spec).catch((error) => { throw new Error(`${name}: ${error.message}`, { cause: error }); });
      counted.answers += 1;
      return got;
    };
  };
  return counted;
}

/** Whoever speaks OpenAI's chat completions. */
export const completions = (name, url, { model = "mock-1", headers = {}, extra = () => ({}) } = {}) => target(name, (post, at) => async (spec) => {
  const body = {
    model, messages: [{ role: "user", content: message(spec) }], ...extra(at),
    ...(spec.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
  const got = await post(`${url}/chat/completions`, headers, body, spec.stream ? BEGINS : undefined);
  check(spec.stream ? "stream" : "whole", got, spec.words);
  return got;
});

/** The turn path: a guest with a session, and after twenty turns the next one. Making it is not in the turn's time. */
export const turns = (name, url) => target(name, (post) => {
  let session;
  let left = 0;
  return async (spec) => {
    if (left === 0) {
      const { text } = await post(`${url}/v1/sessions`, {}, { locale: "en-GB", timezone: "Europe/Berlin" });
      session = JSON.parse(text);
      left = SESSION_TURNS;
    }
    left -= 1;
    const headers = { authorization: `Bearer ${session.token}` };
    const got = await post(`${url}/v1/sessions/${session.session_id}/turns`, headers, { message: message(spec) }, BEGINS);
    check("turn", got, spec.words);
    return got;
  };
}, { streamsOnly: true });
