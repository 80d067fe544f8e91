// Google's Gemini API.
// Sources: Google, Gemini API reference: "Generating content", "Troubleshooting"; `google.rpc` error details.
import { Refuse, isText, parse, plan, serve, structured, unknownKey } from "./kit.mjs";

const FIELDS = ["contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig", "cachedContent"];
const CONFIG = ["stopSequences", "responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities", "candidateCount", "maxOutputTokens", "temperature", "topP", "topK", "seed", "presencePenalty", "frequencyPenalty", "responseLogprobs", "logprobs", "thinkingConfig", "mediaResolution", "speechConfig"];
const STATUS = { 400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED" };

const error = (code, message, details) => ({ error: { code, message, status: STATUS[code] ?? "UNKNOWN", ...(details ? { details } : {}) } });
const refuse = (code, message, details) => new Refuse(code, error(code, message, details));
const unknownName = (name, where) => refuse(400, `Invalid JSON payload received. Unknown name "${name}"${where ? ` at '${where}'` : ""}: Cannot find field.`);

function check(ask) {
  const unknown = unknownKey(ask, FIELDS);
  if (unknown) throw unknownName(unknown, "");
  if (!Array.isArray(ask.contents) || ask.contents.length === 0) throw refuse(400, "* GenerateContentRequest.contents: contents is not specified\n");
  for (const [n, content] of ask.contents.entries()) {
    const extra = unknownKey(content, ["role", "parts"]);
    if (extra) throw unknownName(extra, `contents[${n}]`);
    if (![undefined, "user", "model"].includes(content.role)) throw refuse(400, "Please use a valid role: user, model.");
    if (!Array.isArray(content.parts) || content.parts.length === 0) throw refuse(400, `* GenerateContentRequest.contents[${n}].parts: contents.parts must not be empty.\n`);
    if (content.parts.some(({ text }) => !isText(text) || text === "")) throw refuse(400, "Unable to submit request because it must have a text parameter.");
    if (n > 0 && (content.role ?? "user") === (ask.contents[n - 1].role ?? "user")) throw refuse(400, "Please ensure that multiturn requests alternate between user and model.");
  }
  const instruction = ask.systemInstruction;
  if (instruction !== undefined && !(Array.isArray(instruction.parts) && instruction.parts.every(({ text }) => isText(text)))) throw refuse(400, "Invalid value at 'system_instruction'");
  const config = ask.generationConfig ?? {};
  const extra = unknownKey(config, CONFIG);
  if (extra) throw unknownName(extra, "generation_config");
  if (config.maxOutputTokens !== undefined && !(Number.isInteger(config.maxOutputTokens) && config.maxOutputTokens >= 1)) throw refuse(400, "max_output_tokens must be positive.");
  if (config.temperature !== undefined && !(config.temperature >= 0 && config.temperature <= 2)) throw refuse(400, "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n");
  const schema = config.responseJsonSchema ?? config.responseSchema;
  if (schema && config.responseMimeType !== "application/json") throw refuse(400, "Function calling or response schema requires response_mime_type application/json.");
  return schema;
}

export async function start({ key = "AIzaMock", defaults = "" } = {}) {
  const server = await serve({
    name: "gemini",
    answer: async (call) => {
      const given = call.headers["x-goog-api-key"] ?? call.query.get("key");
      if (!given) throw refuse(403, "Method doesn't allow unregistered callers (callers without established identity).");
      if (given !== key) throw refuse(400, "API key not valid. Please pass a valid API key.", [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID", domain: "googleapis.com" }]);
      if (/^\/v1(beta)?\/models$/.test(call.path) && call.method === "GET") return call.json(200, { models: [{ name: "models/gemini-2.5-flash", version: "001", displayName: "Gemini 2.5 Flash" }], nextPageToken: "mock" });
      const [, model, action] = /^\/v1(?:beta)?\/models\/([^/:]+):(streamGenerateContent|generateContent)$/.exec(call.path) ?? [];
      if (!action || call.method !== "POST") throw refuse(404, "Requested entity was not found.");
      if (model === "missing") throw refuse(404, `models/${model} is not found for API version v1beta, or is not supported for generateContent.`);
      const ask = parse(call.raw, () => refuse(400, "Invalid JSON payload received."));
      call.entry.ask = ask;
      call.entry.model = model;
      const schema = check(ask);
      const said = `${ask.contents.at(-1).parts.map(({ text }) => text).join(" ")} ${defaults}`;
      call.entry.said = said;
      let how = plan(said, ask.generationConfig?.maxOutputTokens);
      if (how.fault === "status") {
        const details = how.status === 429 ? [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${how.retry ?? 30}s` }] : undefined;
        throw refuse(how.status, "as planned", details);
      }
      if (schema) how = structured(how, schema);
      const chunk = (text, finishReason, output, blocked) => ({
        ...(blocked ? { promptFeedback: { blockReason: "PROHIBITED_CONTENT" } } : { candidates: [{ ...(text === undefined ? {} : { content: { parts: [{ text }], role: "model" } }), ...(finishReason ? { finishReason } : {}), index: 0 }] }),
        usageMetadata: { promptTokenCount: how.usage.input, ...(output ? { candidatesTokenCount: output } : {}), totalTokenCount: how.usage.input + output },
        modelVersion: model,
        responseId: "mock",
      });
      const finish = { stop: "STOP", length: "MAX_TOKENS", filter: "SAFETY", refusal: "PROHIBITED_CONTENT" }[how.reason];
      // A prompt that is blocked has no candidate at all.
      const blocked = how.reason === "refusal" && how.words.length === 0;
      if (action === "generateContent") {
        if (how.fault === "cut") return call.response.destroy();
        return call.json(200, chunk(how.text || undefined, finish, how.usage.output, blocked));
      }
      // Without `alt=sse` the stream is one JSON array.
      const sse = call.query.get("alt") === "sse";
      let sent = 0;
      let count = 0;
      const send = (value) => (sse ? `data: ${JSON.stringify(value)}\r\n\r\n` : `${sent++ === 0 ? "[" : ",\r\n"}${JSON.stringify(value)}`);
      await call.pour(how, {
        type: sse ? "text/event-stream" : "application/json; charset=UTF-8",
        delta: (word) => send(chunk(word, undefined, ++count)),
        error: () => send(error(503, "The model is overloaded. Please try again later.")) + (sse ? "" : "]"),
        garbage: () => "data: {oops\r\n\r\n",
        unfinished: () => (sse ? "" : "]"),
        close: () => send(chunk(["stop", "length"].includes(how.reason) ? "" : undefined, finish, count, blocked)) + (sse ? "" : "]"),
      });
    },
  });
  return { ...server, url: `${server.url}/v1beta` };
}
