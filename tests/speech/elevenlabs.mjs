// ElevenLabs: streams of speech, plain and with the times of characters.
// Source: ElevenLabs API reference, "Stream speech", "Stream speech with timing"; help, "API error codes".
import { Refuse, object, serve } from "./kit.mjs";
import { bytesOf, speak } from "./tones.mjs";

const FIELDS = ["text", "model_id", "language_code", "voice_settings", "pronunciation_dictionary_locators", "seed", "previous_text", "next_text", "previous_request_ids", "next_request_ids", "apply_text_normalization", "apply_language_text_normalization", "use_pvc_as_ivc"];
const LINE_CHARS = 12;

const refuse = (status, name, message) => new Refuse(status, { detail: { status: name, message } });

export function start({ key = "xi-mock", voices = ["v1"] } = {}) {
  return serve({
    name: "elevenlabs",
    answer: ({ method, path, query, headers, raw, entry, stream, fault }) => {
      const route = /^\/v1\/text-to-speech\/([^/]+)\/stream(\/with-timestamps)?$/.exec(path);
      if (method !== "POST" || !route) throw new Refuse(404, { detail: "Not Found" });
      if (headers["xi-api-key"] !== key) throw refuse(401, "invalid_api_key", "Invalid API key");
      const [, voice, timed] = route;
      if (!voices.includes(decodeURIComponent(voice))) throw refuse(400, "voice_not_found", "A voice for the voice_id was not found.");
      const ask = object(raw, () => new Refuse(422, { detail: [{ type: "json_invalid", loc: ["body", 0], msg: "JSON decode error" }] }));
      const unknown = Object.keys(ask).find((name) => !FIELDS.includes(name));
      if (unknown || typeof ask.text !== "string") throw new Refuse(422, { detail: [{ type: "extra_forbidden", loc: ["body", unknown ?? "text"], msg: "wrong field" }] });
      if (!ask.text.trim()) throw refuse(400, "input_text_empty", "The text is empty.");
      if ([...ask.text].length > 40_000) throw refuse(400, "max_character_limit_exceeded", "The text is too long.");
      if (ask.language_code && !/^[a-z]{2}$/.test(ask.language_code)) throw refuse(400, "unsupported_language", "Use ISO 639-1.");
      const rate = Number(/^pcm_(8000|16000|22050|24000|44100|48000)$/.exec(query.get("output_format") ?? "")?.[1]);
      if (!rate) throw refuse(400, "invalid_output_format", "this mock makes PCM");
      entry.text = ask.text;
      const pcm = bytesOf(speak(ask.text, rate));
      const billed = { "character-cost": String(Math.ceil([...ask.text].length / 2)), "request-id": "mock" };
      if (fault.other) return stream("audio/mpeg", Buffer.from(`ID3${"\0".repeat(200)}`), billed);
      return timed ? stream("application/json", lines(ask.text, pcm, rate), billed) : stream("audio/pcm", pcm, billed);
    },
  });
}

/** The sound in lines of a dozen characters, each with the part of the sound that they take. */
function lines(text, pcm, rate) {
  const all = [...text];
  const second = pcm.length / 2 / rate / all.length;
  const out = [];
  for (let at = 0; at < all.length; at += LINE_CHARS) {
    const characters = all.slice(at, at + LINE_CHARS);
    const cut = (n) => 2 * Math.round((pcm.length / 2 / all.length) * Math.min(n, all.length));
    const alignment = { characters, character_start_times_seconds: characters.map((_, n) => (at + n) * second), character_end_times_seconds: characters.map((_, n) => (at + n + 1) * second) };
    out.push(Buffer.from(`${JSON.stringify({ audio_base64: pcm.subarray(cut(at), cut(at + LINE_CHARS)).toString("base64"), alignment, normalized_alignment: alignment })}\n`));
  }
  return out;
}
