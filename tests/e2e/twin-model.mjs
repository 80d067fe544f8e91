// A model server that knows nothing but its prompt: it answers about names and markers by looking them up there.
// A message can ask it to fail: `status=500`, or `cut` in the middle of an answer; `slowly` gets no end.
import { createServer } from "node:http";

function answer(messages) {
  const all = messages.map(({ content }) => content).join("\n");
  const asked = messages.at(-1).content;
  if (/what is my name/i.test(asked)) {
    const name = [...all.matchAll(/(?:my name is|- name:) (\w+)/gi)].at(-1)?.[1];
    return name ? `Your name is ${name}.` : "I do not know your name yet.";
  }
  if (/marker/i.test(asked)) return `My marker is ${/MARKER-\w+/.exec(messages[0].content)?.[0] ?? "nowhere"}.`;
  return "I hear you.";
}

/** Starts it on a free port; `prompts` are the messages of each request. */
export async function twinModel() {
  const prompts = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { messages } = JSON.parse(body);
    prompts.push(messages);
    const status = /status=(\d+)/.exec(messages.at(-1).content)?.[1];
    if (status) return response.writeHead(Number(status), { "content-type": "application/json" }).end('{"error":{"message":"no"}}');
    response.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = (delta, finish_reason = null) => response.write(`data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "prompt-reader", choices: [{ index: 0, delta, finish_reason }] })}\n\n`);
    chunk({ role: "assistant", content: "" });
    for (const word of answer(messages).split(/(?<= )/)) chunk({ content: word });
    if (/\bcut\b/.test(messages.at(-1).content)) return response.destroy();
    if (/\bslowly\b/.test(messages.at(-1).content)) return chunk({ content: " Well," });
    chunk({}, "stop");
    return response.end("data: [DONE]\n\n");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`, prompts,
    /** The prompts whose newest message holds a text. */
    about: (text) => prompts.filter((messages) => messages.at(-1).content.includes(text)),
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
  };
}
