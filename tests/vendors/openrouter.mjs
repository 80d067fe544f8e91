// OpenRouter: chooses who serves by the `provider` object, says what a call cost, and reports errors under status 200.
// Sources: OpenRouter, "Provider routing", "Streaming", "Usage accounting", "Errors and debugging".
import { Refuse, event, isText, parse, plan, serve, structured, unknownKey } from "./kit.mjs";
import { check, lastSaid } from "./openai.mjs";

const ROUTING = ["order", "only", "ignore", "allow_fallbacks", "require_parameters", "data_collection", "zdr", "max_price", "quantizations", "sort", "preferred_max_latency", "preferred_min_throughput", "enforce_distillable_text"];
const COMMENT = ": OPENROUTER PROCESSING\n\n";
/** Micros of a dollar for a token, read and written. */
const PRICE = { input: 1, output: 5 };

const error = (code, message, metadata) => ({ error: { code, message, ...(metadata ? { metadata } : {}) }, user_id: "user_mock" });

/** Who serves, by OpenRouter's rules; `served` are `{slug, name, collects, keeps}`. */
function route(routing, served) {
  const unknown = unknownKey(routing, ROUTING);
  if (unknown) throw new Refuse(400, error(400, `provider.${unknown}: Unrecognized key`));
  for (const name of ["order", "only", "ignore"]) {
    if (routing[name] !== undefined && !(Array.isArray(routing[name]) && routing[name].every(isText))) throw new Refuse(400, error(400, `provider.${name}: Expected array of strings`));
  }
  for (const name of ["allow_fallbacks", "require_parameters", "zdr"]) {
    if (routing[name] !== undefined && typeof routing[name] !== "boolean") throw new Refuse(400, error(400, `provider.${name}: Expected boolean`));
  }
  if (!["allow", "deny", undefined].includes(routing.data_collection)) throw new Refuse(400, error(400, "provider.data_collection: Invalid option"));
  const only = routing.only ?? [];
  const order = routing.order ?? [];
  const allowed = served.filter(({ slug, collects, keeps }) =>
    (only.length === 0 || only.includes(slug)) && !(routing.ignore ?? []).includes(slug)
    && !(routing.data_collection === "deny" && collects) && !(routing.zdr && keeps)
    && (routing.allow_fallbacks !== false || order.length === 0 || order.includes(slug)));
  if (allowed.length === 0) throw new Refuse(404, error(404, routing.data_collection === "deny" ? "No endpoints found matching your data policy." : "No allowed providers are available for the selected model."));
  const rank = ({ slug }) => (order.includes(slug) ? order.indexOf(slug) : order.length);
  return allowed.sort((a, b) => rank(a) - rank(b))[0];
}

const SERVED = [
  { slug: "cheap", name: "Cheap", collects: true, keeps: true },
  { slug: "anthropic", name: "Anthropic", collects: false, keeps: true },
  { slug: "amazon-bedrock", name: "Amazon Bedrock", collects: false, keeps: false },
];

export async function start({ key = "sk-or-v1-mock", defaults = "", served = SERVED } = {}) {
  const server = await serve({
    name: "openrouter",
    answer: async (call) => {
      if (call.headers.authorization !== `Bearer ${key}`) throw new Refuse(401, error(401, call.headers.authorization ? "User not found." : "No auth credentials found"));
      if (call.path === "/api/v1/key" && call.method === "GET") return call.json(200, { data: { label: "sk-or-v1-moc...ock", usage: 0, limit: null, is_free_tier: false, limit_remaining: null } });
      if (call.path === "/api/v1/models" && call.method === "GET") return call.json(200, { data: [{ id: "anthropic/claude-haiku-4.5", name: "mock" }] });
      if (call.path !== "/api/v1/chat/completions" || call.method !== "POST") throw new Refuse(404, error(404, "Not Found"));
      const ask = parse(call.raw, () => new Refuse(400, error(400, "Invalid JSON")));
      call.entry.ask = ask;
      try {
        check(ask, { extra: ["provider", "models", "route", "transforms", "plugins", "usage", "reasoning", "top_k", "min_p", "repetition_penalty"] });
      } catch (refusal) {
        throw refusal instanceof Refuse ? new Refuse(400, error(400, refusal.body.error.message)) : refusal;
      }
      if (!ask.model.includes("/")) throw new Refuse(400, error(400, `${ask.model} is not a valid model ID`));
      const provider = route(ask.provider ?? {}, served);
      call.entry.provider = provider.slug;
      const said = `${lastSaid(ask.messages)} ${defaults}`;
      call.entry.said = said;
      let how = plan(said, ask.max_completion_tokens ?? ask.max_tokens);
      if (how.fault === "status") {
        const metadata = how.status === 403 ? { reasons: ["self-harm"], flagged_input: "…", provider_name: provider.name, model_slug: ask.model } : { provider_name: provider.name };
        return call.json(how.status, error(how.status, "as planned", metadata), how.retry ? { "retry-after": how.retry } : {});
      }
      const schema = ask.response_format?.json_schema?.schema;
      if (schema) how = structured(how, schema);
      const cost = (how.usage.input * PRICE.input + how.usage.output * PRICE.output) / 1e6;
      const usage = { prompt_tokens: how.usage.input, completion_tokens: how.usage.output, total_tokens: how.usage.input + how.usage.output, cost, is_byok: false, prompt_tokens_details: { cached_tokens: 0 }, completion_tokens_details: { reasoning_tokens: 0 } };
      const finish = { length: ["length", "max_tokens"], filter: ["content_filter", "content_filter"], refusal: ["content_filter", "refusal"], stop: ["stop", "end_turn"] };
      const [reason, native] = finish[how.reason];
      const base = { id: "gen-mock", provider: provider.name, model: ask.model, created: 1 };
      if (!ask.stream) {
        if (how.fault === "cut") return call.response.destroy();
        // Once the model has begun, the status is 200 whatever happens.
        if (how.fault === "error") return call.json(200, { ...base, ...error(502, "Provider returned error") });
        return call.json(200, { ...base, object: "chat.completion", choices: [{ index: 0, logprobs: null, finish_reason: reason, native_finish_reason: native, message: { role: "assistant", content: how.text, refusal: null, reasoning: null } }], usage });
      }
      const chunk = (delta, finish_reason = null, native_finish_reason = null, more = {}) => event({ ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta: { role: "assistant", ...delta }, finish_reason, native_finish_reason, logprobs: null }], ...more });
      const last = () => chunk({ content: "" }, null, null, { usage }) + "data: [DONE]\n\n";
      await call.pour(how, {
        type: "text/event-stream",
        headers: { "x-generation-id": "gen-mock" },
        open: () => COMMENT + COMMENT,
        delta: (word) => COMMENT + chunk({ content: word }),
        error: () => event({ ...base, object: "chat.completion.chunk", error: { code: 502, message: "Provider disconnected unexpectedly" }, choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }] }),
        garbage: () => "data: {oops\n\n",
        unfinished: last,
        close: () => chunk({ content: "" }, reason, native) + last(),
      });
    },
  });
  return { ...server, url: `${server.url}/api/v1` };
}
