// Amazon Transcribe: a live transcription over a WebSocket with a signed URL, in frames of the event stream.
// Source: Amazon Transcribe developer guide, "Setting up a WebSocket stream"; AWS, "Event stream encoding".
import { crc32 } from "node:zlib";
import { Refuse, serve, words } from "./kit.mjs";
import { fault as faultOf } from "./sigv4.mjs";
import { hear, samplesOf } from "./tones.mjs";

const RESULT_MS = 400;

const refuse = (status, name, Message) => new Refuse(status, { Message }, { "x-amzn-errortype": name });

/** A frame with headers of text. */
export function encode(headers, payload) {
  const block = Buffer.concat(Object.entries(headers).map(([name, value]) => {
    const length = Buffer.alloc(3);
    length.writeUInt8(7, 0);
    length.writeUInt16BE(Buffer.byteLength(value), 1);
    return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), length, Buffer.from(value)]);
  }));
  const out = Buffer.alloc(16 + block.length + payload.length);
  out.writeUInt32BE(out.length, 0);
  out.writeUInt32BE(block.length, 4);
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8);
  block.copy(out, 12);
  payload.copy(out, 12 + block.length);
  out.writeUInt32BE(crc32(out.subarray(0, out.length - 4)), out.length - 4);
  return out;
}

/** One whole frame, or null where its checksums do not hold. */
export function decode(bytes) {
  if (bytes.length < 16 || bytes.readUInt32BE(0) !== bytes.length || crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8) || crc32(bytes.subarray(0, -4)) !== bytes.readUInt32BE(bytes.length - 4)) return null;
  const end = 12 + bytes.readUInt32BE(4);
  const headers = {};
  for (let at = 12; at < end; ) {
    const name = bytes.toString("utf8", at + 1, at + 1 + bytes[at]);
    at += 1 + bytes[at];
    if (bytes[at] !== 7) return null;
    const length = bytes.readUInt16BE(at + 1);
    headers[name] = bytes.toString("utf8", at + 3, at + 3 + length);
    at += 3 + length;
  }
  return { headers, payload: bytes.subarray(end, bytes.length - 4) };
}

const event = (value) => encode({ ":content-type": "application/json", ":event-type": "TranscriptEvent", ":message-type": "event" }, Buffer.from(JSON.stringify(value)));
const exception = (name, Message) => encode({ ":content-type": "application/json", ":exception-type": name, ":message-type": "exception" }, Buffer.from(JSON.stringify({ Message })));

export function start({ accessKeyId = "AKIDMOCK", secretAccessKey = "mock-secret", sessionToken = "", region = "us-east-1" } = {}) {
  const open = (call) => {
    const wrong = faultOf(call, { accessKeyId, secretAccessKey, sessionToken, region, service: "transcribe" });
    if (wrong) throw refuse(403, wrong, "The request signature we calculated does not match the signature you provided.");
    if (call.path !== "/stream-transcription-websocket") throw refuse(404, "UnknownOperationException", "");
    const has = (name) => call.query.has(name);
    if (has("language-code") === has("identify-language") || (has("identify-language") && (call.query.get("language-options") ?? "").split(",").length < 2)) throw refuse(400, "BadRequestException", "One of language-code and identify-language is wanted.");
    if (has("language-code") && !/^[a-z]{2}-[A-Z]{2}$/.test(call.query.get("language-code"))) throw refuse(400, "BadRequestException", "The language is not supported.");
    if (call.query.get("media-encoding") !== "pcm" || !(Number(call.query.get("sample-rate")) >= 8000)) throw refuse(400, "BadRequestException", "This mock wants PCM.");
  };
  return serve({ name: "transcribe", answer: () => { throw refuse(404, "UnknownOperationException", ""); }, open, socket: live });
}

function live({ query, entry, send }, ws) {
  const rate = Number(query.get("sample-rate"));
  let sound = Buffer.alloc(0);
  let [told, number] = [0, 0];
  const ms = () => (sound.length / 2 / rate) * 1000;
  const result = (part, IsPartial) => ({
    Alternatives: [{ Transcript: part.text, Items: words(part.text, part.start_ms, part.end_ms).map((word) => ({ Content: word.word, StartTime: word.start, EndTime: word.end, Type: "pronunciation", VocabularyFilterMatch: false, ...(IsPartial ? {} : { Confidence: 0.98 }) })) }],
    StartTime: part.start_ms / 1000,
    EndTime: part.end_ms / 1000,
    IsPartial,
    ResultId: `r${number++}`,
    ...(query.has("language-code") ? {} : { LanguageCode: query.get("language-options").split(",")[0] }),
  });
  ws.on("message", (data, isBinary) => {
    const frame = isBinary ? decode(data) : null;
    if (frame?.headers[":event-type"] !== "AudioEvent" || frame.headers[":message-type"] !== "event") {
      send(exception("BadRequestException", "Could not decode the audio stream that you provided."));
      return ws.close(1000);
    }
    if (frame.payload.length > 32_000) {
      send(exception("BadRequestException", "Your stream is too big."));
      return ws.close(1000);
    }
    if (frame.payload.length === 0) {
      const parts = hear(samplesOf(sound), rate);
      entry.text = parts.map((part) => part.text).join(" ");
      send(event({ Transcript: { Results: parts.map((part) => result(part, false)) } }));
      return ws.close(1000);
    }
    sound = Buffer.concat([sound, frame.payload]);
    if (ms() - told < RESULT_MS) return undefined;
    told = ms();
    return send(event({ Transcript: { Results: hear(samplesOf(sound), rate).slice(-1).map((part) => result(part, true)) } }));
  });
}
