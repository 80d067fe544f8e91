// Anthropic's Messages API, in both of its versions.
// Sources: Anthropic, API reference: "Messages", "Streaming messages", "Errors", "Versions", "Structured outputs".
import { Refuse, event, isText, parse, plan, serve, structured, unknownKey } from "./kit.mjs";

const VERSIONS = ["2023-06-01", "2026-10-21"];
const FIELDS = ["model", "max_tokens", "messages", "system", "stream", "stop_sequences", "metadata", "output_config", "service_tier", "thinking", "tool_choice", "tools", "cache_control", "container", "inference_geo", "speed", "diagnostics"];
const SAMPLING = ["temperature", "top_p", "top_k"];
/** Models that answer 400 to a temperature whatever the version. */
const takesNone = (model) => /^claude-(opus-4-[78]|[a-z]+-5)/.test(model);

const TYPES = { 400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error" };
const MESSAGES = { 429: "This request would exceed your account's rate limit. Please try again later.", 529: "Overloaded" };

const REQUEST_ID = { "request-id": "req_mock" };
const error = (status, message) => ({ type: "error", error: { type: TYPES[status] ?? "api_error", message: message ?? MESSAGES[status] ?? "as planned" }, request_id: "req_mock" });
const refuse = (status, message) => new Refuse(status, error(status, message), REQUEST_ID);

function check(ask, version) {
  const known = version === "2023-06-01" ? [...FIELDS, ...SAMPLING] : FIELDS;
  const unknown = unknownKey(ask, known);
  if (unknown) throw refuse(400, `${unknown}: Extra inputs are not permitted`);
  for (const name of ["model", "max_tokens", "messages"]) if (ask[name] === undefined) throw refuse(400, `${name}: Field required`);
  if (!isText(ask.model)) throw refuse(400, "model: Input should be a valid string");
  if (ask.model === "missing") throw refuse(404, `model: ${ask.model}`);
  if (!(Number.isInteger(ask.max_tokens) && ask.max_tokens >= 1)) throw refuse(400, "max_tokens: Input should be greater than or equal to 1");
  if (!Array.isArray(ask.messages) || ask.messages.length === 0) throw refuse(400, "messages: at least one message is required");
  for (const [n, { role, content, ...more }] of ask.messages.entries()) {
    const extra = Object.keys(more)[0];
    if (extra) throw refuse(400, `messages.${n}.${extra}: Extra inputs are not permitted`);
    if (!["user", "assistant"].includes(role)) throw refuse(400, `messages.${n}.role: Input should be 'user' or 'assistant'`);
    const texts = isText(content) ? [content] : Array.isArray(content) ? content.map((block) => block.text ?? "-") : [];
    if (texts.length === 0 || texts.some((text) => text === "")) throw refuse(400, "messages: text content blocks must be non-empty");
    if (texts.some((text) => text.trim() === "")) throw refuse(400, "messages: text content blocks must contain non-whitespace text");
  }
  if (ask.messages[0].role !== "user") throw refuse(400, 'messages: first message must use the "user" role');
  if (ask.system !== undefined && !isText(ask.system) && !Array.isArray(ask.system)) throw refuse(400, "system: Input should be a valid string");
  if (ask.temperature !== undefined) {
    if (takesNone(ask.model)) throw refuse(400, "`temperature` is deprecated for this model.");
    if (!(ask.temperature >= 0 && ask.temperature <= 1)) throw refuse(400, "temperature: Input should be less than or equal to 1");
  }
  if (ask.stream !== undefined && typeof ask.stream !== "boolean") throw refuse(400, "stream: Input should be a valid boolean");
  const format = ask.output_config?.format;
  if (format !== undefined && (format.type !== "json_schema" || typeof format.schema !== "object")) throw refuse(400, "output_config.format.schema: Field required");
}

export async function start({ key = "sk-ant-mock", defaults = "" } = {}) {
  return serve({
    name: "anthropic",
    answer: async (call) => {
      const given = call.headers["x-api-key"] ?? /^Bearer (.+)$/.exec(call.headers.authorization ?? "")?.[1];
      if (given !== key) throw refuse(401, given ? "invalid x-api-key" : "x-api-key header is required");
      const version = call.headers["anthropic-version"];
      if (!version) throw refuse(400, "anthropic-version: header is required");
      if (!VERSIONS.includes(version)) throw refuse(400, `anthropic-version: "${version}" is not a valid version`);
      if (call.path === "/v1/models" && call.method === "GET") {
        const model = { type: "model", id: "claude-haiku-4-5-20251001", display_name: "Claude Haiku 4.5", created_at: "2025-10-15T00:00:00Z" };
        return call.json(200, { data: [model], has_more: true, first_id: model.id, last_id: model.id }, REQUEST_ID);
      }
      if (call.path !== "/v1/messages") throw refuse(404, "Not found");
      if (call.method !== "POST") throw new Refuse(405, error(405, "Method Not Allowed"), REQUEST_ID);
      if (!call.headers["content-type"]?.startsWith("application/json")) throw refuse(400, "content-type: must be application/json");
      const ask = parse(call.raw, () => refuse(400, "The request body is not valid JSON"));
      call.entry.ask = ask;
      check(ask, version);
      const content = ask.messages.at(-1).content;
      const said = `${isText(content) ? content : content.map((block) => block.text ?? "").join(" ")} ${defaults}`;
      call.entry.said = said;
      let how = plan(said, ask.max_tokens);
      if (how.fault === "status") return call.json(how.status, error(how.status), { ...REQUEST_ID, ...(how.retry ? { "retry-after": how.retry } : {}) });
      const format = ask.output_config?.format;
      if (format) how = structured(how, format.schema);
      const stop_reason = { stop: "end_turn", length: "max_tokens", refusal: "refusal", filter: "refusal" }[how.reason];
      const stop_details = stop_reason === "refusal" ? { type: "refusal", category: null, explanation: null } : null;
      const usage = (output_tokens) => ({ input_tokens: how.usage.input, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens, service_tier: "standard" });
      const message = { model: ask.model, id: "msg_mock", type: "message", role: "assistant", content: [], stop_reason: null, stop_sequence: null, stop_details: null };
      if (!ask.stream) {
        if (how.fault === "cut") return call.response.destroy();
        const content = how.text ? [{ type: "text", text: how.text }] : [];
        return call.json(200, { ...message, content, stop_reason, stop_details, usage: usage(how.usage.output) }, REQUEST_ID);
      }
      const send = (value) => event(value, value.type);
      await call.pour(how, {
        type: "text/event-stream; charset=utf-8",
        headers: REQUEST_ID,
        open: () => send({ type: "message_start", message: { ...message, usage: usage(1) } }) + send({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }) + send({ type: "ping" }),
        delta: (text) => send({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }),
        error: () => send({ type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: "req_mock" }),
        garbage: () => 'event: content_block_delta\ndata: {"type":"content_bl\n\n',
        close: () => send({ type: "content_block_stop", index: 0 }) + send({ type: "message_delta", delta: { stop_reason, stop_sequence: null, stop_details }, usage: { output_tokens: how.usage.output } }) + send({ type: "message_stop" }),
      });
    },
  });
}
