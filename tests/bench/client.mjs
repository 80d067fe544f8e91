// The client that measures: Node's plain HTTP, because its fetch costs more than the differences to be seen.
import { Agent, request } from "node:http";

const SAID = "I had a long day at work and would like to think it over with you.";
const UI_STREAM = { marker: '"type":"text-delta"', end: '"finishReason":"stop"' };
const OPENAI_STREAM = { marker: '"content":"word0', end: "data: [DONE]" };

/** The message; what the model server shall do stands in it, so that every path carries it there. */
const message = ({ first, words, delay }) => `${SAID} first=${first} words=${words} delay=${delay}`;

/** Posts JSON; tells the milliseconds until `marker` was there and until the end, and fails where `end` is missing. */
function post(agent, url, headers, value, { marker, end }) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(value);
    const began = performance.now();
    const sent = request(url, {
      method: "POST", agent, headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers },
    });
    sent.on("error", reject);
    sent.on("response", (response) => {
      let text = "";
      let firstMs;
      response.setEncoding("utf8");
      response.on("error", reject);
      response.on("data", (chunk) => {
        text += chunk;
        if (firstMs === undefined && text.includes(marker)) firstMs = performance.now() - began;
      });
      response.on("end", () => {
        const totalMs = performance.now() - began;
        if (response.statusCode < 300 && firstMs !== undefined && text.includes(end)) resolve({ firstMs, totalMs, text });
        else reject(new Error(`${response.statusCode}: ${text.slice(-300)}`));
      });
    });
    sent.end(body);
  });
}

function target(name, session) {
  const agent = new Agent({ keepAlive: true, noDelay: true });
  const counted = { name, turns: 0, close: () => agent.destroy() };
  counted.session = async () => {
    const turn = await session((...args) => post(agent, ...args));
    return async (spec) => {
      const done = await turn(spec);
      counted.turns += 1;
      return done;
    };
  };
  return counted;
}

/** The platform; each session is a guest's of its own. */
export const platform = (url, name = "platform") => target(name, async (post) => {
  const { text } = await post(`${url}/v1/sessions`, {}, { locale: "en-GB", timezone: "Europe/Berlin" }, { marker: "token", end: "}" });
  const { session_id: id, token } = JSON.parse(text);
  const headers = { authorization: `Bearer ${token}` };
  return (spec) => post(`${url}/v1/sessions/${id}/turns`, headers, { message: message(spec) }, UI_STREAM);
});

/** The plain JavaScript Worker. */
export const plain = (url) => target("plain", async (post) => (spec) => post(url, {}, { message: message(spec) }, UI_STREAM));

/** The model server itself. */
export const direct = (url) => target("direct", async (post) => (spec) => post(`${url}/chat/completions`, {},
  { model: "mock-1", stream: true, messages: [{ role: "user", content: message(spec) }] }, OPENAI_STREAM));
