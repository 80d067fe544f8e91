// Amazon Bedrock: Converse and ConverseStream with real frames, and ListInferenceProfiles. Signatures are checked.
// Sources: AWS, Amazon Bedrock API reference; "Event stream encoding"; "Create a signed AWS API request".
import { createHash, createHmac } from "node:crypto";
import { crc32 } from "node:zlib";
import { Refuse, isText, parse, plan, serve, structured, unknownKey } from "./kit.mjs";

const FIELDS = ["messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields", "promptVariables", "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "serviceTier", "outputConfig"];
const NAMES = { 400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException", 408: "ModelTimeoutException", 424: "ModelErrorException", 429: "ThrottlingException", 500: "InternalServerException", 503: "ServiceUnavailableException" };
/** Models that take no temperature. */
const takesNone = (model) => /claude-(opus-4-[78]|[a-z]+-5)/.test(model);

const refuse = (status, message, name = NAMES[status] ?? "InternalServerException", headers = {}) =>
  new Refuse(status, { message }, { "x-amzn-errortype": `${name}:http://internal.amazon.com/coral/com.amazon.bedrock/`, "x-amzn-requestid": "mock", ...headers });

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Checks the signature of a request, from what arrived. `clock_ms` is the service's time. */
function verify(call, { accessKeyId, secretAccessKey, sessionToken, region, skewMs = 300_000 }) {
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(call.headers.authorization ?? "");
  if (!match) throw refuse(403, "Missing Authentication Token", "MissingAuthenticationTokenException");
  const [, id, date, itsRegion, service, names, signature] = match;
  if (id !== accessKeyId || (call.headers["x-amz-security-token"] ?? "") !== (sessionToken ?? "")) throw refuse(403, "The security token included in the request is invalid.", "UnrecognizedClientException");
  if (itsRegion !== region || service !== "bedrock") throw refuse(403, `Credential should be scoped to a valid region and service.`, "InvalidSignatureException");
  const stamp = call.headers["x-amz-date"] ?? "";
  const at = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!stamp.startsWith(date) || !(Math.abs(Date.now() - at) < skewMs)) throw refuse(403, `Signature expired: ${stamp} is now earlier than the service's time.`, "InvalidSignatureException");
  const signed = names.split(";");
  for (const name of ["host", "x-amz-date", ...(sessionToken ? ["x-amz-security-token"] : [])]) if (!signed.includes(name)) throw refuse(403, `'${name}' must be a 'SignedHeader' in the AWS Authorization.`, "InvalidSignatureException");
  const [path, query = ""] = call.target.split("?");
  const canonical = [
    call.method,
    // The path as it was sent, encoded once more.
    path.split("/").map(encode).join("/"),
    query.split("&").filter(Boolean).map((pair) => pair.split("=").map((part) => encode(decodeURIComponent(part)))).map(([name, value = ""]) => `${name}=${value}`).sort().join("&"),
    ...signed.map((name) => `${name}:${String(call.headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    names,
    sha256(call.raw),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", stamp, `${date}/${region}/bedrock/aws4_request`, sha256(canonical)].join("\n");
  const key = ["bedrock", "aws4_request"].reduce(hmac, hmac(hmac(`AWS4${secretAccessKey}`, date), region));
  if (hmac(key, toSign).toString("hex") !== signature) throw refuse(403, "The request signature we calculated does not match the signature you provided.", "InvalidSignatureException");
}

/** One frame of the event stream. */
export function frame(headers, payload) {
  const block = Buffer.concat(Object.entries(headers).map(([name, value]) => {
    const [n, v] = [Buffer.from(name), Buffer.from(value)];
    const out = Buffer.alloc(4 + n.length + v.length);
    out.writeUInt8(n.length, 0);
    n.copy(out, 1);
    out.writeUInt8(7, 1 + n.length);
    out.writeUInt16BE(v.length, 2 + n.length);
    v.copy(out, 4 + n.length);
    return out;
  }));
  const body = Buffer.from(JSON.stringify(payload));
  const out = Buffer.alloc(16 + block.length + body.length);
  out.writeUInt32BE(out.length, 0);
  out.writeUInt32BE(block.length, 4);
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8);
  block.copy(out, 12);
  body.copy(out, 12 + block.length);
  out.writeUInt32BE(crc32(out.subarray(0, out.length - 4)), out.length - 4);
  return out;
}

const event = (kind, payload) => frame({ ":event-type": kind, ":content-type": "application/json", ":message-type": "event" }, { ...payload, p: "abcdefgh" });
const exception = (kind, message) => frame({ ":exception-type": kind, ":content-type": "application/json", ":message-type": "exception" }, { message });

function check(ask, model) {
  const unknown = unknownKey(ask, FIELDS);
  if (unknown) throw refuse(400, `The model returned the following errors: ${unknown}: Extra inputs are not permitted`);
  if (model === "missing") throw refuse(400, "The provided model identifier is invalid.");
  if (!Array.isArray(ask.messages) || ask.messages.length === 0) throw refuse(400, "The messages field is required.");
  for (const [n, { role, content }] of ask.messages.entries()) {
    if (!["user", "assistant"].includes(role)) throw refuse(400, `1 validation error detected: Value '${role}' at 'messages.${n + 1}.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]`);
    if (!Array.isArray(content) || content.length === 0) throw refuse(400, `The content field in the Message object at messages.${n} is empty.`);
    for (const [at, block] of content.entries()) if (!isText(block.text) || block.text.trim() === "") throw refuse(400, `The text field in the ContentBlock object at messages.${n}.content.${at} is blank. Add text to the text field, and try again.`);
    if (n > 0 && role === ask.messages[n - 1].role) throw refuse(400, "A conversation must alternate between user and assistant roles.");
  }
  if (ask.messages[0].role !== "user") throw refuse(400, "A conversation must start with a user message. Try again with a conversation that starts with a user message.");
  if (ask.system !== undefined && !(Array.isArray(ask.system) && ask.system.every(({ text }) => isText(text) && text !== ""))) throw refuse(400, "Invalid length for parameter system[0].text, value: 0, valid min length: 1");
  const { maxTokens, temperature, ...more } = ask.inferenceConfig ?? {};
  const extra = unknownKey(more, ["topP", "stopSequences"]);
  if (extra) throw refuse(400, `inferenceConfig.${extra}: Extra inputs are not permitted`);
  if (maxTokens !== undefined && !(Number.isInteger(maxTokens) && maxTokens >= 1)) throw refuse(400, "Value at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1");
  if (temperature !== undefined && takesNone(model)) throw refuse(400, "The model returned the following errors: `temperature` is deprecated for this model.");
  if (temperature !== undefined && !(temperature >= 0 && temperature <= 1)) throw refuse(400, "Value at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1");
  const format = ask.outputConfig?.textFormat;
  if (format !== undefined) {
    if (format.type !== "json_schema" || !isText(format.structure?.jsonSchema?.schema)) throw refuse(400, "outputConfig.textFormat.structure.jsonSchema.schema is required.");
    try { return JSON.parse(format.structure.jsonSchema.schema); } catch { throw refuse(400, "outputConfig.textFormat.structure.jsonSchema.schema is not valid JSON."); }
  }
  return undefined;
}

/** `apiKey` allows a bearer key in place of a signature. */
export async function start({ accessKeyId = "AKIDMOCK", secretAccessKey = "mock/secret+key", sessionToken, apiKey, region = "eu-central-1", skewMs, defaults = "" } = {}) {
  return serve({
    name: "bedrock",
    answer: async (call) => {
      if (apiKey && call.headers.authorization?.startsWith("Bearer ")) {
        if (call.headers.authorization !== `Bearer ${apiKey}`) throw refuse(403, "Authentication failed: Please make sure your API Key is valid.");
      } else verify(call, { accessKeyId, secretAccessKey, sessionToken, region, skewMs });
      if (call.path === "/inference-profiles" && call.method === "GET") return call.json(200, { inferenceProfileSummaries: [{ inferenceProfileId: "eu.anthropic.claude-haiku-4-5-20251001-v1:0", inferenceProfileName: "EU", status: "ACTIVE", type: "SYSTEM_DEFINED", models: [] }], nextToken: "mock" });
      const [, encoded, action] = /^\/model\/([^/]+)\/(converse|converse-stream)$/.exec(call.path) ?? [];
      if (!action || call.method !== "POST") throw refuse(404, "Unable to determine service/operation name to be authorized", "UnknownOperationException");
      const model = decodeURIComponent(encoded);
      const ask = parse(call.raw, () => refuse(400, "Unable to parse request body", "SerializationException"));
      call.entry.ask = ask;
      call.entry.model = model;
      const schema = check(ask, model);
      const said = `${ask.messages.at(-1).content.map(({ text }) => text).join(" ")} ${defaults}`;
      call.entry.said = said;
      let how = plan(said, ask.inferenceConfig?.maxTokens);
      if (how.fault === "status") throw refuse(how.status, "as planned", undefined, how.retry ? { "retry-after": how.retry } : {});
      if (schema) how = structured(how, schema);
      const stopReason = { stop: "end_turn", length: "max_tokens", refusal: "refusal", filter: "guardrail_intervened" }[how.reason];
      const usage = { inputTokens: how.usage.input, outputTokens: how.usage.output, totalTokens: how.usage.input + how.usage.output, cacheReadInputTokens: 0, cacheWriteInputTokens: 0 };
      const metrics = { latencyMs: 5 };
      if (action === "converse") {
        if (how.fault === "cut") return call.response.destroy();
        return call.json(200, { output: { message: { role: "assistant", content: how.text ? [{ text: how.text }] : [] } }, stopReason, usage, metrics });
      }
      await call.pour(how, {
        type: "application/vnd.amazon.eventstream",
        headers: { "x-amzn-requestid": "mock" },
        open: () => event("messageStart", { role: "assistant" }),
        delta: (text) => event("contentBlockDelta", { contentBlockIndex: 0, delta: { text } }),
        error: () => exception("modelStreamErrorException", "as planned"),
        // A frame whose checksum does not hold.
        garbage: () => { const bad = event("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "bad" } }); bad[bad.length - 6] ^= 1; return bad; },
        close: () => Buffer.concat([event("contentBlockStop", { contentBlockIndex: 0 }), event("messageStop", { stopReason }), event("metadata", { usage, metrics })]),
      });
    },
  });
}
