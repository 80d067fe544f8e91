// Ollama's own protocol.
// Source: Ollama, API reference ("Generate a chat message", "Version", "List local models").
import { Refuse, isText, parse, plan, serve, structured } from "./kit.mjs";

const refuse = (status, message) => new Refuse(status, { error: message });
const MESSAGES = { 503: "server busy, please try again.  maximum pending requests exceeded" };

/** Without `key` nobody is asked for one, as by an installation of one's own. */
export async function start({ key, models = ["llama3.2"], defaults = "" } = {}) {
  return serve({
    name: "ollama",
    answer: async (call) => {
      if (key && call.headers.authorization !== `Bearer ${key}`) throw refuse(401, "unauthorized");
      if (call.path === "/api/version" && call.method === "GET") return call.json(200, { version: "0.12.6" });
      if (call.path === "/api/tags" && call.method === "GET") return call.json(200, { models: models.map((name) => ({ name: `${name}:latest`, model: `${name}:latest`, size: 1 })) });
      if (call.path !== "/api/chat") {
        call.response.writeHead(404, { "content-type": "text/plain" });
        return call.response.end("404 page not found");
      }
      if (call.method !== "POST") throw refuse(405, "method not allowed");
      const ask = parse(call.raw, () => refuse(400, "invalid character 'o' looking for beginning of object key string"));
      call.entry.ask = ask;
      // Like every Go server it ignores what it does not know, but not a wrong type.
      if (!isText(ask.model) || ask.model === "") throw refuse(400, "model is required");
      if (ask.messages !== undefined && !(Array.isArray(ask.messages) && ask.messages.every(({ role, content }) => isText(role) && isText(content)))) throw refuse(400, "json: cannot unmarshal into Go struct field ChatRequest.messages");
      if (ask.stream !== undefined && typeof ask.stream !== "boolean") throw refuse(400, "json: cannot unmarshal into Go struct field ChatRequest.stream of type bool");
      if (ask.options?.num_predict !== undefined && !Number.isInteger(ask.options.num_predict)) throw refuse(400, 'option "num_predict" must be of type integer');
      if (ask.options?.temperature !== undefined && typeof ask.options.temperature !== "number") throw refuse(400, 'option "temperature" must be of type float32');
      if (!models.includes(ask.model.replace(/:latest$/, ""))) throw refuse(404, `model '${ask.model}' not found`);
      const line = (message, more = {}) => ({ model: ask.model, created_at: new Date().toISOString(), message: { role: "assistant", ...message }, done: false, ...more });
      if (!ask.messages?.length) return call.json(200, line({ content: "" }, { done: true, done_reason: "load" }));
      const said = `${ask.messages.at(-1).content} ${defaults}`;
      call.entry.said = said;
      const limit = ask.options?.num_predict;
      let how = plan(said, limit >= 0 ? limit : Infinity);
      if (how.fault === "status") throw refuse(how.status, MESSAGES[how.status] ?? "as planned");
      if (ask.format && ask.format !== "json") how = structured(how, ask.format);
      // There is no word for a refusal: the model just stops.
      const done = () => line({ content: "" }, { done: true, done_reason: how.reason === "length" ? "length" : "stop", total_duration: 5_000_000, load_duration: 1_000, prompt_eval_count: how.usage.input, prompt_eval_duration: 1_000, eval_count: how.usage.output, eval_duration: 1_000 });
      if (ask.stream === false) {
        if (how.fault === "cut") return call.response.destroy();
        return call.json(200, { ...done(), message: { role: "assistant", content: how.text } });
      }
      const send = (value) => `${JSON.stringify(value)}\n`;
      await call.pour(how, {
        type: "application/x-ndjson",
        delta: (content) => send(line({ content })),
        error: () => send({ error: "an error was encountered while running the model: unexpected EOF" }),
        garbage: () => "{oops\n",
        close: () => send(done()),
      });
    },
  });
}
