// OpenAI's chat completions, and those who speak them with a dialect: vLLM, Groq, llama.cpp.
// Sources: OpenAI, API reference and "Error codes"; vLLM, Groq and llama.cpp, their servers' documents.
import { Refuse, event, isText, parse, plan, serve, structured, unknownKey } from "./kit.mjs";

const FIELDS = ["messages", "model", "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty", "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options"];
const ROLES = ["developer", "system", "user", "assistant", "tool", "function"];
/** Models that think take neither `max_tokens` nor a temperature of their own. */
const thinks = (model) => /^(o\d|gpt-5)/.test(model);

const TYPES = { 401: ["invalid_request_error", "invalid_api_key"], 402: ["insufficient_quota", "billing_hard_limit_reached"], 429: ["requests", "rate_limit_exceeded"], 503: ["service_unavailable", "slow_down"] };

export const error = (status, message, { type, code, param = null } = {}) => {
  const [ofStatus, codeOfStatus] = TYPES[status] ?? [status >= 500 ? "server_error" : "invalid_request_error", null];
  return { error: { message, type: type ?? ofStatus, param, code: code ?? codeOfStatus } };
};

/** Checks a body as the API does. `extra` are fields that a vendor adds; a tolerant server ignores what it does not know. */
export function check(ask, { extra = [], tolerant = false } = {}) {
  const refuse = (message, more) => new Refuse(400, error(400, message, more));
  const unknown = unknownKey(ask, [...FIELDS, ...extra]);
  if (unknown && !tolerant) throw refuse(`Unrecognized request argument supplied: ${unknown}`);
  if (!isText(ask.model) || ask.model === "") throw refuse("you must provide a model parameter");
  if (ask.model === "missing") throw new Refuse(404, error(404, `The model \`${ask.model}\` does not exist or you do not have access to it.`, { code: "model_not_found" }));
  if (!Array.isArray(ask.messages)) throw refuse("Missing required parameter: 'messages'.", { param: "messages", code: "missing_required_parameter" });
  if (ask.messages.length === 0) throw refuse("Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.", { param: "messages", code: "empty_array" });
  for (const [n, message] of ask.messages.entries()) {
    if (!ROLES.includes(message.role)) throw refuse(`Invalid value: '${message.role}'. Supported values are: ${ROLES.join(", ")}.`, { param: `messages[${n}].role`, code: "invalid_value" });
    if (!isText(message.content) && !Array.isArray(message.content)) throw refuse(`Invalid type for 'messages[${n}].content'.`, { param: `messages[${n}].content`, code: "invalid_type" });
  }
  if (ask.max_tokens !== undefined && ask.max_completion_tokens !== undefined) throw refuse("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.");
  for (const name of ["max_tokens", "max_completion_tokens"]) {
    if (ask[name] !== undefined && !(Number.isInteger(ask[name]) && ask[name] >= 1)) throw refuse(`Invalid '${name}': integer below minimum value.`, { param: name, code: "integer_below_min_value" });
  }
  if (thinks(ask.model) && ask.max_tokens !== undefined) throw refuse("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", { param: "max_tokens", code: "unsupported_parameter" });
  if (thinks(ask.model) && (ask.temperature ?? 1) !== 1) throw refuse(`Unsupported value: 'temperature' does not support ${ask.temperature} with this model. Only the default (1) value is supported.`, { param: "temperature", code: "unsupported_value" });
  if (ask.temperature !== undefined && !(ask.temperature >= 0 && ask.temperature <= 2)) throw refuse("Invalid 'temperature': decimal out of range.", { param: "temperature", code: "decimal_above_max_value" });
  if (ask.stream !== undefined && typeof ask.stream !== "boolean") throw refuse("Invalid type for 'stream': expected a boolean.", { param: "stream", code: "invalid_type" });
  if (ask.stream_options !== undefined && ask.stream !== true) throw refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.", { param: "stream_options" });
  const format = ask.response_format;
  if (format?.type === "json_schema") {
    if (!/^[a-zA-Z0-9_-]{1,64}$/.test(format.json_schema?.name ?? "")) throw refuse("Missing required parameter: 'response_format.json_schema.name'.", { param: "response_format.json_schema.name" });
    const schema = format.json_schema.schema;
    if (format.json_schema.strict && schema?.type === "object" && schema.additionalProperties !== false) throw refuse(`Invalid schema for response_format '${format.json_schema.name}': In context=(), 'additionalProperties' is required to be supplied and to be false.`, { param: "response_format" });
  }
}

/** The last thing said by the person, with the plan in it. */
export const lastSaid = (messages) => {
  const content = messages.at(-1).content;
  return isText(content) ? content : content.map((part) => part.text ?? "").join(" ");
};

/** `flavour` is `openai`, `vllm`, `groq` or `llama-cpp`; without `key` nobody is asked for one. */
export async function start({ key, defaults = "", flavour = "openai" } = {}) {
  const server = await serve({
    name: "openai",
    answer: async (call) => {
      if (key && call.headers.authorization !== `Bearer ${key}`) throw new Refuse(401, error(401, call.headers.authorization ? "Incorrect API key provided." : "You didn't provide an API key."));
      if (call.path === "/v1/models" && call.method === "GET") return call.json(200, { object: "list", data: [{ id: "mock-1", object: "model", created: 1, owned_by: flavour }] });
      if (call.path !== "/v1/chat/completions") throw new Refuse(404, error(404, `Invalid URL (${call.method} ${call.path})`));
      if (call.method !== "POST") throw new Refuse(405, error(405, "Only POST requests are accepted.", { code: "method_not_supported" }));
      const ask = parse(call.raw, () => new Refuse(400, error(400, "We could not parse the JSON body of your request.")));
      call.entry.ask = ask;
      check(ask, { tolerant: flavour !== "openai" });
      const said = `${lastSaid(ask.messages)} ${defaults}`;
      call.entry.said = said;
      let how = plan(said, ask.max_completion_tokens ?? ask.max_tokens);
      if (how.fault === "status") return call.json(how.status, error(how.status, "as planned"), { "x-request-id": "req_mock", ...(how.retry ? { "retry-after": how.retry } : {}) });
      const schema = ask.response_format?.json_schema?.schema;
      if (schema) how = structured(how, schema);
      const model = ask.model === "gpt-4o-mini" ? "gpt-4o-mini-2024-07-18" : ask.model;
      const usage = { prompt_tokens: how.usage.input, completion_tokens: how.usage.output, total_tokens: how.usage.input + how.usage.output, prompt_tokens_details: { cached_tokens: 3 }, completion_tokens_details: { reasoning_tokens: 0 } };
      const finish = { length: "length", filter: "content_filter", refusal: "stop", stop: "stop" };
      if (!ask.stream) {
        const message = how.reason === "refusal" ? { role: "assistant", content: null, refusal: "I can't help with that." } : { role: "assistant", content: how.text, refusal: null };
        if (how.fault === "cut") return call.response.destroy();
        return call.json(200, { id: "chatcmpl-mock", object: "chat.completion", created: 1, model, choices: [{ index: 0, message, logprobs: null, finish_reason: finish[how.reason] }], usage });
      }
      const chunk = (delta, reason = null, more = {}) => event({ id: "chatcmpl-mock", object: "chat.completion.chunk", created: 1, model, system_fingerprint: "fp_mock", choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }], ...(ask.stream_options?.include_usage ? { usage: null } : {}), ...more });
      const last = () => {
        const counted = ask.stream_options?.include_usage ? event({ id: "chatcmpl-mock", object: "chat.completion.chunk", created: 1, model, choices: [], usage }) : "";
        return `${counted}data: [DONE]\n\n`;
      };
      await call.pour(how, {
        type: "text/event-stream; charset=utf-8",
        open: () => chunk({ role: "assistant", content: how.reason === "refusal" ? null : "", refusal: how.reason === "refusal" ? "" : null }),
        delta: (word) => (flavour === "vllm" ? chunk({ reasoning_content: "hm" }) : "") + chunk({ content: word }),
        error: () => flavour === "vllm" ? event({ error: { message: "Internal server error", type: "InternalServerError", param: null, code: 500 } }) + "data: [DONE]\n\n" : event(error(500, "The server had an error while processing your request.")),
        garbage: () => "data: {oops\n\n",
        unfinished: last,
        close: (reason) => {
          const refusal = reason === "refusal" ? chunk({ refusal: "I can't help with that." }) : "";
          const groq = flavour === "groq" ? { x_groq: { id: "req_mock", usage } } : {};
          return refusal + chunk({}, finish[reason], groq) + last();
        },
      });
    },
  });
  return { ...server, url: `${server.url}/v1` };
}
