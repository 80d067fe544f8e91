// The model's server, in a process of its own: OpenAI's chat completions, whole or streamed, every token a write of its own.
// It takes traces too, as a collector would, so that sending them is in the figures.
import { createServer } from "node:http";
import { answer, asked, tokens } from "./script.mjs";

const event = (value) => Buffer.from(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
const chunk = (base, delta, finish_reason = null) => event({ ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, logprobs: null, finish_reason }] });
const usage = (words) => ({ prompt_tokens: 11, completion_tokens: words, total_tokens: 11 + words });

// Made once for each model and length: what is measured is others' work.
const made = new Map();
function parts(model, words) {
  const key = `${words} ${model}`;
  if (!made.has(key)) {
    const base = { id: "chatcmpl-1", created: 1, model };
    made.set(key, {
      stream: [chunk(base, { role: "assistant", content: "" }), ...tokens(words).map((content) => chunk(base, { content })), chunk(base, {}, "stop")],
      usage: event({ ...base, object: "chat.completion.chunk", choices: [], usage: usage(words) }),
      whole: Buffer.from(JSON.stringify({
        ...base, object: "chat.completion", usage: usage(words),
        choices: [{ index: 0, message: { role: "assistant", content: answer(words), refusal: null }, logprobs: null, finish_reason: "stop" }],
      })),
    });
  }
  return made.get(key);
}
const DONE = event("[DONE]");

function stream(response, list) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  let at = 0;
  // One turn of the loop for each, so that none waits to be sent with the next one.
  const next = () => {
    if (response.destroyed) return;
    response.write(list[at]);
    at += 1;
    if (at < list.length) setImmediate(next);
    else response.end();
  };
  next();
}

function complete(ask, response) {
  const { content } = ask.messages.at(-1);
  const wish = asked(typeof content === "string" ? content : content.map(({ text }) => text).join(""));
  if (!wish) return response.writeHead(400, { "content-type": "application/json" }).end('{"error":{"message":"no script","type":"invalid_request_error"}}');
  const said = parts(ask.model, wish.words);
  const say = () => (ask.stream
    ? stream(response, [...said.stream, ...(ask.stream_options?.include_usage ? [said.usage] : []), DONE])
    : response.writeHead(200, { "content-type": "application/json", "content-length": said.whole.length }).end(said.whole));
  return wish.first > 0 ? setTimeout(say, wish.first) : say();
}

const server = createServer((request, response) => {
  const body = [];
  request.on("data", (bytes) => body.push(bytes));
  request.on("end", () => {
    if (request.url.endsWith("/chat/completions")) return complete(JSON.parse(Buffer.concat(body)), response);
    const status = request.url === "/v1/traces" ? 200 : 404;
    return response.writeHead(status, { "content-type": "application/json" }).end("{}");
  });
});
// Whoever keeps a connection finds it open.
server.keepAliveTimeout = 600_000;
server.listen(0, "127.0.0.1", () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));
process.on("disconnect", () => process.exit(0));
