// OpenAI's audio API: transcriptions (JSON, verbose JSON, text, stream) and speech.
// Source: OpenAI API reference, "Create transcription", "Create speech".
import { Refuse, form, object, serve, words } from "./kit.mjs";
import { bytesOf, hear, readWav, speak, wav } from "./tones.mjs";

const FORMATS = ["json", "text", "srt", "verbose_json", "vtt", "diarized_json"];
const ENDINGS = ["flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm"];
const VOICES = ["alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse", "marin", "cedar"];
const PCM_RATE = 24_000;
/** Only Whisper knows times, and only the others stream. */
const isWhisper = (model) => /whisper/.test(model);

const refuse = (status, message, param = null, code = null, type = "invalid_request_error") => new Refuse(status, { error: { message, type, param, code } });

/** `key` is demanded where given; `voices: null` takes any, as local servers do; `rate` is that of the voice. */
export function start({ key = "sk-mock", voices = VOICES, rate = PCM_RATE } = {}) {
  const answer = (call) => {
    if (key && call.headers.authorization !== `Bearer ${key}`) throw refuse(401, "Incorrect API key provided", null, "invalid_api_key");
    if (call.method !== "POST") throw refuse(405, `Not allowed to ${call.method}`);
    if (call.path === "/v1/audio/transcriptions") return transcribe(call);
    if (call.path === "/v1/audio/speech") return say(call, voices, rate);
    throw refuse(404, `Invalid URL (${call.method} ${call.path})`);
  };
  return serve({ name: "openai-audio", answer });
}

async function transcribe({ raw, headers, entry, json, stream, fault }) {
  const sent = form(raw, headers["content-type"]);
  if (!sent) throw refuse(400, "Could not parse multipart form");
  const { fields, file } = sent;
  const one = (name) => fields[name]?.[0];
  if (file?.field !== "file") throw refuse(400, "you must provide a file to transcribe", "file");
  const model = one("model");
  if (!model) throw refuse(400, "you must provide a model parameter", "model");
  const known = ["model", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]", "stream", "include[]", "chunking_strategy"];
  const unknown = Object.keys(fields).find((name) => !known.includes(name));
  if (unknown) throw refuse(400, `Unrecognized request argument supplied: ${unknown}`, unknown);
  const format = one("response_format") ?? "json";
  if (!FORMATS.includes(format)) throw refuse(400, `Invalid response_format '${format}'`, "response_format");
  if (!isWhisper(model) && format !== "json" && format !== "text") throw refuse(400, `response_format '${format}' is not compatible with model '${model}'. Use 'json' or 'text' instead.`, "response_format", "unsupported_value");
  if (fields["timestamp_granularities[]"] && format !== "verbose_json") throw refuse(400, "timestamp_granularities[] requires verbose_json", "timestamp_granularities");
  if (one("language") && !/^[a-z]{2}$/.test(one("language"))) throw refuse(400, `Invalid language '${one("language")}'. Language parameter must be specified in ISO-639-1 format.`, "language", "invalid_language_format");
  if (!ENDINGS.includes(file.filename.split(".").at(-1))) throw refuse(400, `Invalid file format. Supported formats: ${JSON.stringify(ENDINGS)}`, "file");
  if (file.bytes.length > 25 << 20) throw refuse(413, "Maximum content size limit (26214400) exceeded");
  const sound = readWav(file.bytes);
  if (!sound) throw refuse(400, "The audio file could not be decoded or its format is not supported.", null, "invalid_value");
  const duration = sound.samples.length / sound.rate;
  if (duration < 0.1) throw refuse(400, "Audio file is too short. Minimum audio length is 0.1 seconds.", "file", "audio_too_short");
  const parts = hear(sound.samples, sound.rate);
  const text = parts.map((part) => part.text).join(" ");
  entry.text = text;
  if (one("stream") === "true" && !isWhisper(model)) {
    const events = [
      ...text.split(/(?= )/).filter(Boolean).map((delta) => ({ type: "transcript.text.delta", delta })),
      { type: "transcript.text.done", text, usage: { type: "tokens", input_tokens: 10, output_tokens: 5, total_tokens: 15 } },
    ];
    return stream("text/event-stream; charset=utf-8", [...events.map((event) => Buffer.from(`data: ${JSON.stringify(event)}\n\n`)), Buffer.from("data: [DONE]\n\n")]);
  }
  if (format === "text") return stream("text/plain", Buffer.from(`${text}\n`));
  const body = format === "json" ? { text, usage: { type: "duration", seconds: Math.ceil(duration) } } : {
    task: "transcribe",
    language: "english",
    duration,
    text,
    segments: parts.map((part, id) => ({ id, seek: 0, start: part.start_ms / 1000, end: part.end_ms / 1000, text: ` ${part.text}`, tokens: [], temperature: 0, avg_logprob: -0.2, compression_ratio: 1, no_speech_prob: 0.01 })),
    ...(fields["timestamp_granularities[]"]?.includes("word") ? { words: parts.flatMap((part) => words(part.text, part.start_ms, part.end_ms)) } : {}),
    usage: { type: "duration", seconds: Math.ceil(duration) },
  };
  if (fault.garbage !== undefined || fault.cut !== undefined) return stream("application/json", [Buffer.from(JSON.stringify(body).slice(0, 20)), Buffer.from("…")]);
  return json(200, body);
}

function say({ raw, entry, stream, fault }, voices, rate) {
  const ask = object(raw, () => refuse(400, "We could not parse the JSON body of your request."));
  const known = ["model", "input", "voice", "response_format", "speed", "instructions", "stream_format"];
  const unknown = Object.keys(ask).find((name) => !known.includes(name));
  if (unknown) throw refuse(400, `Unrecognized request argument supplied: ${unknown}`, unknown);
  if (typeof ask.model !== "string") throw refuse(400, "you must provide a model parameter", "model");
  if (typeof ask.input !== "string" || ask.input === "") throw refuse(400, "Invalid 'input': empty string.", "input");
  if ([...ask.input].length > 4096) throw refuse(400, "String should have at most 4096 characters", "input", "string_above_max_length");
  if (typeof ask.voice !== "string" || (voices && !voices.includes(ask.voice))) throw refuse(400, `Input should be one of ${voices}`, "voice");
  const format = ask.response_format ?? "mp3";
  entry.text = ask.input;
  const samples = speak(ask.input, rate);
  if (fault.other) return stream("audio/ogg", Buffer.from(`OggS${"\0".repeat(200)}`));
  if (format === "pcm") return stream("audio/pcm", bytesOf(samples));
  if (format === "wav") return stream("audio/wav", wav(samples, rate, { whole: false }));
  throw refuse(400, `this mock makes no ${format}`, "response_format");
}
