// Workers AI, as the binding sees it (workerd's `cloudflare-internal:ai-api` posts to `/run?version=3`) and as REST.
// Sources: workerd, `ai-api.ts`; Cloudflare, Workers AI: "Text generation", "JSON mode", "Errors".
//
// In workerd's configuration the binding is `wrapped`, its inner binding `fetcher` an external service at this address.
import { Refuse, event, isText, parse, plan, serve, structured, unknownKey } from "./kit.mjs";

const FIELDS = ["messages", "prompt", "stream", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "seed", "repetition_penalty", "frequency_penalty", "presence_penalty", "response_format", "tools", "functions", "raw", "lora"];
/** Cloudflare's own number for a status. */
const CODES = { 400: 5004, 403: 5018, 404: 3042, 408: 3007, 413: 3006, 429: 3040 };
const MESSAGES = { 3040: "Capacity temporarily exceeded, please try again.", 3036: "you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan if you would like to continue usage." };

/** `shape` is Cloudflare's `own` or `openai`, by model as in reality: those of OpenAI's kind answer in OpenAI's shape. */
const shapeOf = (model) => (/^@cf\/(openai|zai-org|moonshotai)\//.test(model) ? "openai" : "own");

function check(inputs, refuse) {
  const unknown = unknownKey(inputs, FIELDS);
  if (unknown) throw refuse(400, `Error: unknown properties: '${unknown}'`);
  if (inputs.prompt === undefined && !Array.isArray(inputs.messages)) throw refuse(400, "Error: required properties at '/' are 'messages'");
  for (const [n, { role, content }] of (inputs.messages ?? []).entries()) {
    if (!isText(role) || !isText(content)) throw refuse(400, `Error: type mismatch of '/messages/${n}/content', 'string' not in 'object'`);
  }
  if (inputs.max_tokens !== undefined && !Number.isInteger(inputs.max_tokens)) throw refuse(400, "Error: type mismatch of '/max_tokens', 'integer' not in 'number'");
  if (inputs.temperature !== undefined && !(inputs.temperature >= 0 && inputs.temperature <= 5)) throw refuse(400, "Error: '/temperature' must be <= 5");
  const format = inputs.response_format;
  if (format?.type === "json_schema") {
    if (typeof format.json_schema !== "object") throw refuse(400, "Error: '/response_format/json_schema' must be an object");
    if (inputs.stream) throw refuse(400, "JSON Mode is not supported with streaming");
  }
}

export async function start({ token = "cf-mock", defaults = "" } = {}) {
  return serve({
    name: "workers-ai",
    answer: async (call) => {
      const rest = /^\/client\/v4\/accounts\/[^/]+\/ai\/run\/(.+)$/.exec(call.path);
      const refuse = (status, message, code = CODES[status] ?? 3043, headers = {}) => new Refuse(status, rest
        ? { errors: [{ message: `AiError: ${message}`, code }], success: false, result: {}, messages: [] }
        : { internalCode: code, name: "AiError", message: "AiError", description: message }, headers);
      if (call.method !== "POST" || !(rest || (call.path === "/run" && call.query.get("version") === "3"))) throw refuse(404, "not found", 7003);
      if (rest && call.headers.authorization !== `Bearer ${token}`) throw new Refuse(401, { errors: [{ code: 10000, message: "Authentication error" }], success: false, result: null, messages: [] });
      const body = parse(call.raw, () => refuse(400, "could not parse the body", 3003));
      const model = rest ? rest[1] : call.headers["cf-consn-model-id"];
      const inputs = rest ? body : body.inputs;
      if (!model || !inputs || (!rest && !call.headers["cf-consn-sdk-version"])) throw refuse(400, "Request is missing headers or body", 3003);
      call.entry.ask = inputs;
      call.entry.model = model;
      if (!model.startsWith("@cf/") || model.endsWith("/missing")) throw refuse(400, `No such model ${model} or task`, 5007);
      check(inputs, refuse);
      const said = `${inputs.prompt ?? inputs.messages.at(-1).content} ${defaults}`;
      call.entry.said = said;
      let how = plan(said, inputs.max_tokens ?? 256);
      if (how.fault === "quota") throw refuse(429, MESSAGES[3036], 3036);
      if (how.fault === "status") throw refuse(how.status, MESSAGES[CODES[how.status]] ?? "as planned", undefined, how.retry ? { "retry-after": how.retry } : {});
      const schema = inputs.response_format?.json_schema;
      if (schema) how = structured(how, schema);
      const openai = shapeOf(model) === "openai";
      const usage = { prompt_tokens: how.usage.input, completion_tokens: how.usage.output, total_tokens: how.usage.input + how.usage.output };
      const finish = how.reason === "length" ? "length" : "stop";
      if (!inputs.stream) {
        if (how.fault === "cut") return call.response.destroy();
        const result = openai
          ? { id: "chatcmpl-mock", object: "chat.completion", created: 1, model, choices: [{ index: 0, message: { role: "assistant", content: how.text }, finish_reason: finish }], usage }
          : { response: schema ? JSON.parse(how.text) : how.text, tool_calls: [], usage };
        return call.json(200, rest ? { result, success: true, errors: [], messages: [] } : result, { "cf-ai-req-id": "mock" });
      }
      const chunk = (delta, finish_reason = null) => event({ id: "chatcmpl-mock", object: "chat.completion.chunk", created: 1, model, choices: [{ index: 0, delta, finish_reason }] });
      await call.pour(how, {
        type: "text/event-stream",
        headers: { "cf-ai-req-id": "mock" },
        open: () => (openai ? chunk({ role: "assistant", content: "" }) : ""),
        delta: (word) => (openai ? chunk({ content: word }) : event({ response: word, p: "abcdefghijk" })),
        error: () => event({ error: { message: `3040: ${MESSAGES[3040]}`, stage: "pipeline", code: "internal_error" } }),
        garbage: () => "data: {oops\n\n",
        close: () => (openai ? chunk({}, finish) + event({ id: "chatcmpl-mock", object: "chat.completion.chunk", created: 1, model, choices: [], usage }) : event({ response: "", usage })) + "data: [DONE]\n\n",
      });
    },
  });
}
