// Deepgram: listen over HTTP and WebSocket, speak over HTTP.
// Source: Deepgram API reference, "Listen", "Speak"; docs, "Live streaming", "Finalize", "Close stream", "Errors".
import { randomUUID } from "node:crypto";
import { Refuse, object, serve, words } from "./kit.mjs";
import { bytesOf, hear, readWav, samplesOf, speak, wav } from "./tones.mjs";

/** Sound after which live results come, and the silence in which the socket is closed. */
const RESULT_MS = 400;
const IDLE_MS = 10_000;
const RATES = [8000, 16000, 24000, 32000, 48000];

const refuse = (status, err_code, err_msg) => new Refuse(status, { err_code, err_msg, request_id: randomUUID() });

const alternative = (parts, offset_ms = 0) => ({
  transcript: parts.map((part) => part.text).join(" "),
  confidence: parts.length ? 0.99 : 0,
  words: parts.flatMap((part) => words(part.text, part.start_ms + offset_ms, part.end_ms + offset_ms)).map((word) => ({ ...word, word: word.word.toLowerCase().replace(/\W+$/, ""), confidence: 0.98, punctuated_word: word.word })),
});

export function start({ key = "dg-mock" } = {}) {
  const allow = (call) => {
    if (call.headers.authorization !== `Token ${key}`) throw refuse(401, "INVALID_AUTH", "Invalid credentials.");
    if (!call.query.get("model")) throw refuse(400, "Bad Request", "Bad Request: no model");
  };
  const answer = (call) => {
    allow(call);
    if (call.path === "/v1/listen" && call.method === "POST") return listen(call);
    if (call.path === "/v1/speak" && call.method === "POST") return say(call);
    throw refuse(404, "NOT_FOUND", "Not found.");
  };
  const open = (call) => {
    allow(call);
    if (call.path !== "/v1/listen") throw refuse(404, "NOT_FOUND", "Not found.");
    if (call.query.get("encoding") !== "linear16" || !call.query.get("sample_rate")) throw refuse(400, "Bad Request", "Bad Request: this mock wants linear16 and a sample rate");
    if (call.query.get("detect_language")) throw refuse(400, "Bad Request", "Bad Request: detect_language is not supported for streaming");
  };
  return serve({ name: "deepgram", answer, open, socket: live });
}

function listen({ raw, query, entry, json }) {
  if (raw.length === 0) throw refuse(400, "Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data");
  const rate = Number(query.get("sample_rate"));
  const sound = query.get("encoding") === "linear16" ? { rate, samples: samplesOf(raw) } : readWav(raw);
  if (!sound?.rate) throw refuse(400, "Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data");
  const best = alternative(hear(sound.samples, sound.rate));
  entry.text = best.transcript;
  const channel = { alternatives: [best], ...(query.get("detect_language") === "true" ? { detected_language: "en", language_confidence: 0.99 } : {}) };
  json(200, { metadata: { transaction_key: "deprecated", request_id: randomUUID(), sha256: "0", created: new Date().toISOString(), duration: sound.samples.length / sound.rate, channels: 1, models: [], model_info: {} }, results: { channels: [channel] } });
}

/** Results come as the sound does: interim ones every 400 ms, final ones after silence, a request or the end. */
function live({ query, entry, send }, ws) {
  const rate = Number(query.get("sample_rate"));
  const endpointing_ms = Number(query.get("endpointing") ?? 10);
  let sound = Buffer.alloc(0);
  let [done, told, began, idle] = [0, 0, false, null];
  const wait = () => {
    clearTimeout(idle);
    idle = setTimeout(() => ws.close(1011, "NET-0001"), IDLE_MS);
  };
  const ms = (bytes) => (bytes / 2 / rate) * 1000;
  const results = (to, flags) => {
    const parts = hear(samplesOf(sound.subarray(done, to)), rate);
    send(JSON.stringify({ type: "Results", channel_index: [0, 1], start: ms(done) / 1000, duration: ms(to - done) / 1000, is_final: false, speech_final: false, from_finalize: false, channel: { alternatives: [alternative(parts, ms(done))] }, metadata: { request_id: "mock", model_info: {}, model_uuid: "mock" }, ...flags }));
    if (flags.is_final) {
      entry.text = [entry.text, ...parts.map((part) => part.text)].filter(Boolean).join(" ");
      [done, began] = [to, false];
    }
  };
  const close = () => {
    results(sound.length, { is_final: true, speech_final: true });
    send(JSON.stringify({ type: "Metadata", transaction_key: "deprecated", request_id: "mock", sha256: "0", created: new Date().toISOString(), duration: ms(sound.length) / 1000, channels: 1 }));
    ws.close(1000);
  };
  ws.on("close", () => clearTimeout(idle));
  ws.on("message", (data, isBinary) => {
    wait();
    if (!isBinary) {
      const type = JSON.parse(data.toString()).type;
      if (type === "Finalize") results(sound.length, { is_final: true, from_finalize: true });
      else if (type === "CloseStream") close();
      else if (type !== "KeepAlive") ws.close(1008, "DATA-0000");
      return;
    }
    if (data.length === 0) return close();
    sound = Buffer.concat([sound, data]);
    const parts = hear(samplesOf(sound.subarray(done)), rate);
    if (parts.length && !began) {
      began = true;
      if (query.get("vad_events") === "true") send(JSON.stringify({ type: "SpeechStarted", channel: [0, 1], timestamp: (ms(done) + parts[0].start_ms) / 1000 }));
    }
    const silence = parts.length ? ms(sound.length - done) - parts.at(-1).end_ms : 0;
    if (parts.length && silence >= Math.max(endpointing_ms, 200)) results(sound.length, { is_final: true, speech_final: true });
    else if (query.get("interim_results") === "true" && ms(sound.length) - told >= RESULT_MS) results(sound.length, {});
    else return;
    told = ms(sound.length);
  });
  wait();
}

function say({ raw, query, entry, stream, fault }) {
  const ask = object(raw, () => refuse(400, "INVALID_JSON", "Invalid JSON submitted."));
  if (typeof ask.text !== "string" || Object.keys(ask).length !== 1) throw refuse(400, "INVALID_JSON", "Exactly `text` is expected.");
  if (!ask.text) throw refuse(400, "Bad Request", "Text is empty.");
  if ([...ask.text].length > 2000) throw refuse(413, "INPUT_TEXT_TOO_LONG", "Input text exceeds maximum character limit of 2000.");
  if ((query.get("encoding") ?? "mp3") !== "linear16") throw refuse(400, "UNSUPPORTED_AUDIO_FORMAT", "this mock makes linear16");
  const rate = Number(query.get("sample_rate") ?? 24000);
  if (!RATES.includes(rate)) throw refuse(400, "UNSUPPORTED_AUDIO_FORMAT", `Unsupported audio format: sample_rate ${rate} for linear16`);
  entry.text = ask.text;
  const samples = speak(ask.text, rate);
  const headers = { "dg-model-name": query.get("model"), "dg-char-count": String([...ask.text].length), "dg-request-id": randomUUID() };
  if (fault.other) return stream("audio/mpeg", Buffer.from(`ID3${"\0".repeat(200)}`), headers);
  return (query.get("container") ?? "wav") === "none" ? stream(`audio/l16;rate=${rate};channels=1`, bytesOf(samples), headers) : stream("audio/wav", wav(samples, rate, { whole: false }), headers);
}
