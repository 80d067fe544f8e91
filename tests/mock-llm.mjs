// A model server that speaks OpenAI's chat completions, and misbehaves on request.
// What it does is asked for in the last message: `words=12 delay=20 first=100 fault=cut@3 status=500`.
import { createServer } from "node:http";

const option = (text, name, fallback) => new RegExp(`${name}=(\\S+)`).exec(text)?.[1] ?? fallback;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts it on a free port; `requests` tells what was asked, when it ended and whether the client went away. */
export async function mockLlm({ defaults = "" } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const ask = JSON.parse(body);
    const said = `${ask.messages.at(-1).content} ${defaults}`;
    const entry = { ask, said, headers: request.headers, began: performance.now(), ended: null, aborted: false, words: 0 };
    requests.push(entry);
    response.on("close", () => {
      entry.ended = performance.now();
      entry.aborted = !response.writableEnded;
    });
    const status = Number(option(said, "status", "200"));
    if (status !== 200) {
      response.writeHead(status, { "content-type": "application/json", "retry-after": "3" });
      return response.end(JSON.stringify({ error: { message: "no", type: "server_error" } }));
    }
    const words = Number(option(said, "words", "6"));
    const delay = Number(option(said, "delay", "5"));
    const [fault, at = "0"] = option(said, "fault", "none").split("@");
    const send = (value) => response.write(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
    const model = option(said, "model", "mock-1");
    const chunk = (delta, finish_reason = null) => ({ id: "c1", object: "chat.completion.chunk", created: 1, model, choices: [{ index: 0, delta, finish_reason }] });
    await sleep(Number(option(said, "first", "0")));
    response.writeHead(200, { "content-type": "text/event-stream" });
    send(chunk({ role: "assistant", content: "" }));
    // As the gate's second stage it says the level; `say=` gives an answer of its own.
    const whole = ask.model === "judge" ? option(said, "judge", "0") : option(said, "say", "").replaceAll("_", " ");
    if (whole) send(chunk({ content: whole }));
    for (let n = 0; n < (whole ? 0 : words); n++) {
      if (fault === "cut" && n === Number(at)) return response.destroy();
      if (fault === "silence" && n === Number(at)) return undefined;
      if (fault === "garbage" && n === Number(at)) send("{oops");
      if (fault === "error" && n === Number(at)) send({ error: { message: "overloaded" } });
      if (response.destroyed) return undefined;
      send(chunk({ content: `word${n}. ` }));
      entry.words = n + 1;
      if (delay > 0) await sleep(delay);
    }
    if (fault !== "unfinished") send(chunk({}, "stop"));
    send({ id: "c1", object: "chat.completion.chunk", model, choices: [], usage: { prompt_tokens: 11, completion_tokens: words } });
    send("[DONE]");
    return response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    requests,
    about: (marker) => requests.filter((entry) => entry.said.includes(marker)),
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}
