// Spoken turns over HTTP and the OpenAI-compatible audio endpoints, on workerd, with vendors whose sound carries its text.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import OpenAI, { toFile } from "openai";
import { python } from "../../scripts/python.mjs";
import { mockLlm } from "../mock-llm.mjs";
import { start as openaiAudio } from "../speech/openai-audio.mjs";
import { bytesOf, readWav, speak, wav } from "../speech/tones.mjs";
import { Guest, all, root, startStack, textOf, until } from "../stack.mjs";
import { bare, hear, heardIn, providers, recording } from "../voice.mjs";

let stack, llm, vendors, key;
before(async () => {
  llm = await mockLlm();
  vendors = await providers();
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url }, voiceVars: vendors.vars, voiceSecrets: vendors.secrets });
  key = (await stack.admin().post("/api-keys", { name: "audio", scopes: ["audio"], reason: "speak through the door" })).body.secret;
});
after(async () => { await stack.close(); await Promise.all([llm.close(), vendors.close()]); });

const post = (guest, body, { query = "", type = "audio/wav", headers = {} } = {}) =>
  fetch(`${stack.url}${guest.path}/voice-turns${query}`, { method: "POST", body, headers: { authorization: `Bearer ${guest.token}`, "content-type": type, ...headers } });
const parts = (events, type) => events.filter(({ data }) => data.type === `data-${type}`).map(({ data }) => data.data);
const soundOf = (events) => Buffer.concat(parts(events, "audio").map(({ base64 }) => Buffer.from(base64, "base64")));
const begin = (body) => Guest.begin(stack.url, body);
const problem = async (response) => [response.status, (await response.json()).type.split("/").at(-1)];

test("a recording is written down, answered and spoken, in one stream and through the same pipeline", async () => {
  const guest = await begin();
  const response = await post(guest, recording("voice-one words=8"));
  assert.equal(response.status, 200);
  assert.match(response.headers.get("x-turn-id"), /^trn_/);
  const events = await all(response);
  assert.deepEqual(events.slice(0, -1).map(({ id }) => id), events.slice(0, -1).map((_, n) => n));
  assert.equal(parts(events, "transcript")[0].text, "voice-one words=8");
  const text = textOf(events);
  assert.equal(text, Array.from({ length: 8 }, (_, n) => `word${n}. `).join(""));
  assert.equal(bare(heardIn(soundOf(events))), bare(text));
  assert.equal(events.at(-1).data, "[DONE]");
  assert.equal(events.at(-2).data.type, "finish");
  assert.ok(parts(events, "audio").every(({ format, sample_rate_hz }) => format === "pcm" && sample_rate_hz === 24_000));
  assert.ok(new Set(parts(events, "audio").map(({ chunk }) => chunk)).size > 1);
  const { messages } = await guest.history();
  assert.deepEqual(messages.map(({ role, parts: [part] }) => [role, part.text]), [["user", "voice-one words=8"], ["assistant", text]]);
  assert.equal(llm.about("voice-one").length, 1);

  const [row] = await until("the figures", async () => { const rows = await stack.rows("SELECT * FROM voice_turns WHERE session_id = ?", guest.id); return rows.length > 0 && rows; });
  const figures = JSON.parse(row.figures);
  assert.deepEqual([row.channel, figures.stt_provider, figures.tts_provider, figures.error], ["http", "first", "first", null]);
  assert.ok(figures.said_ms > 500 && figures.answered_ms > 500 && figures.tts_chars > 30 && row.first_audio_ms >= 0 && row.cost_micros > 0, JSON.stringify(row));
  const [event] = await stack.rows("SELECT event_id FROM turn_events WHERE event_id = ?", row.event_id);
  assert.equal(event.event_id, row.event_id);
});

test("raw PCM, WAV answers, and a turn that is asked for twice", async () => {
  const guest = await begin();
  const pcm = bytesOf(speak("voice-raw words=2", 16_000));
  const twice = await Promise.all([1, 2].map(() => post(guest, pcm, { type: "audio/L16; rate=16000", query: "?format=wav", headers: { "idempotency-key": "raw-1" } }).then(all)));
  assert.equal(llm.about("voice-raw").length, 1);
  for (const events of twice) {
    assert.equal(textOf(events), "word0. word1. ");
    const file = Buffer.from(parts(events, "audio")[0].base64, "base64");
    assert.equal(file.toString("latin1", 0, 4), "RIFF");
    const sound = readWav(Buffer.concat(parts(events, "audio").map(({ base64 }) => Buffer.from(base64, "base64"))));
    assert.equal(bare(hear(sound.samples, sound.rate).map(({ text }) => text).join(" ")), "word0 word1");
  }
});

test("the text begins before the voice, and a voice that fails takes nothing from it", async () => {
  const guest = await begin();
  vendors.first.fail({}, { status: 500 });
  vendors.second.fail({ cut: 1 });
  const events = await all(await post(guest, recording("voice-mute words=12 delay=5")));
  assert.equal(textOf(events).split(" ").length, 13);
  assert.deepEqual([events.at(-2).data.type, events.at(-1).data], ["finish", "[DONE]"]);
  assert.equal(parts(events, "speech")[0].status, "failed");
  assert.match(parts(events, "voice")[0].error, /^speech-/);
  const after_ = await all(await post(guest, recording("voice-again words=2")));
  assert.equal(bare(heardIn(soundOf(after_))), "word0 word1");
});

test("where the first provider is away the next one hears and speaks, and a breaker spares the first", async () => {
  const guest = await begin();
  for (let n = 0; n < 8; n++) vendors.first.fail({ status: 503 });
  const before_ = vendors.first.seen.length;
  for (let n = 0; n < 4; n++) {
    const events = await all(await post(guest, recording(`voice-failover${n} words=2`)));
    assert.equal(bare(heardIn(soundOf(events))), "word0 word1");
    const [figures] = parts(events, "voice");
    assert.deepEqual([figures.stt_provider, figures.tts_provider], ["second", "second"]);
  }
  assert.ok(vendors.first.seen.length - before_ <= 6, `asked ${vendors.first.seen.length - before_} times`);
});

test("a crisis is answered with the fixed text, spoken, and spoken from the cache when no voice is to be had", async () => {
  const guest = await begin({ locale: "en-GB" });
  const first = await all(await post(guest, recording("I want to kill myself tonight voice-crisis")));
  assert.equal(llm.about("voice-crisis").length, 0);
  const [{ level, resources }] = first.filter(({ data }) => data.type === "data-safety").map(({ data }) => data.data);
  assert.ok(level >= 3 && resources.length > 0);
  const text = textOf(first);
  assert.equal(bare(heardIn(soundOf(first))), bare(text));
  assert.equal(parts(first, "voice")[0].cached_chunks, 0);

  const spoken = () => [...vendors.first.seen, ...vendors.second.seen].filter(({ path }) => path === "/v1/audio/speech").length;
  const count = spoken();
  const again = await all(await post(await begin({ locale: "en-GB" }), recording("I want to kill myself tonight voice-crisis")));
  assert.equal(textOf(again), text);
  assert.equal(bare(heardIn(soundOf(again))), bare(text));
  assert.ok(parts(again, "voice")[0].cached_chunks > 0);
  assert.equal(spoken(), count, "the fixed text was synthesised once");

  // In a language that was never spoken, with every voice away, it still stands there.
  for (const vendor of [vendors.first, vendors.second]) vendor.fail({}, ...Array(6).fill({ status: 500 }));
  vendors.first.fail();
  const german = await all(await post(await begin({ locale: "de-DE" }), recording("Ich will mich heute umbringen voice-krise")));
  for (const vendor of [vendors.first, vendors.second]) vendor.forgive();
  assert.match(textOf(german), /^Ruf bitte/);
  assert.equal(parts(german, "speech")[0].status, "failed");
  assert.equal(parts(german, "audio").length, 0);
  const objects = await stack.bucket.list({ prefix: "tts/" });
  assert.ok(objects.objects.length > 0 && objects.objects.every(({ key: name }) => /^tts\/[0-9a-f]{64}\.pcm$/.test(name)));
});

test("what is no recording is refused with a reason, and the session lives", async () => {
  const guest = await begin();
  const noise = (level) => { let seed = 7; return Int16Array.from({ length: 16_000 }, () => { seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; return ((seed / 2 ** 31) - 0.5) * 2 * level; }); };
  const asked = vendors.first.seen.length + vendors.second.seen.length;
  for (const [name, body, options, expected] of [
    ["0 bytes", Buffer.alloc(0), {}, [400, "audio-empty"]],
    ["0 bytes of PCM", Buffer.alloc(0), { type: "audio/L16;rate=16000" }, [400, "audio-empty"]],
    ["a page", Buffer.from("<!doctype html><title>no</title>"), {}, [415, "audio-unknown"]],
    ["the beginning of a WAV", recording("x").subarray(0, 8), {}, [400, "audio-truncated"]],
    ["more than 25 MiB", Buffer.alloc((25 << 20) + 1, 1), {}, [413, "audio-too-large"]],
    ["silence", wav(new Int16Array(16_000), 16_000), {}, [422, "no-speech"]],
    ["a rate that nobody has", Buffer.alloc(100), { type: "audio/L16;rate=1" }, [400, "invalid-request"]],
    ["a format that nobody has", recording("x"), { query: "?format=midi" }, [400, "invalid-request"]],
  ]) assert.deepEqual(await problem(await post(guest, body, options)), expected, name);
  assert.equal(vendors.first.seen.length + vendors.second.seen.length, asked, "nobody was asked");
  assert.deepEqual(await problem(await post(guest, wav(noise(200), 16_000))), [422, "no-speech"], "noise");
  const compressed = readFileSync(join(root, "shared/core/src/voice/testdata/speech.mp3"));
  assert.equal((await post(guest, compressed, { type: "audio/mpeg" })).status, 422, "the mock reads no MP3");
  const flood = await fetch(`${stack.url}${guest.path}/voice-turns`, { method: "POST", body: recording("x"), headers: { authorization: "Bearer nobody" } });
  assert.equal(flood.status, 401);
  const stranger = await begin();
  assert.deepEqual(await problem(await fetch(`${stack.url}${guest.path}/voice-turns`, { method: "POST", body: recording("x"), headers: { authorization: `Bearer ${stranger.token}` } })), [404, "not-found"]);
  assert.deepEqual(await problem(await fetch(`${stack.url}${guest.path}/voice-turns`, { method: "POST", body: recording("x"), headers: { authorization: `Bearer ${guest.token}`, origin: "https://elsewhere.example" } })), [403, "forbidden-origin"]);
  assert.equal((await fetch(`${stack.url}${guest.path}/voice-turns`, { headers: { authorization: `Bearer ${guest.token}` } })).status, 405);
  for (const path of ["/voice", "/turns/trn_00000000000000000000000000/heard"]) {
    assert.equal((await guest.ask(path.endsWith("heard") ? "POST" : "GET", guest.path + path, path.endsWith("heard") ? { body: { bytes: 0 } } : {})).status, 404, "internal");
  }
  assert.equal(textOf(await all(await post(guest, recording("voice-lives words=1")))), "word0. ");
});

test("recordings are kept only with consent, sealed, heard by link and in parts, and go when that is wanted", async () => {
  const keys = async (prefix) => (await stack.bucket.list({ prefix })).objects.map(({ key: name }) => name);
  const guest = await begin();
  const prefix = `audio/${guest.personId()}/`;
  assert.deepEqual(await guest.json("GET", "/v1/me/voice-consent"), { store_audio: false });
  await all(await post(guest, recording("voice-private words=2")));
  assert.deepEqual(await keys(prefix), []);

  assert.deepEqual(await guest.json("PUT", "/v1/me/voice-consent", { store_audio: true }), { store_audio: true });
  const long = recording(`voice-kept words=2 ${"la ".repeat(60)}`);
  await all(await post(guest, long));
  const kept = await until("both recordings", async () => { const { recordings } = await guest.json("GET", `${guest.path}/recordings`); return recordings.length === 2 && recordings; });
  const said = kept.find(({ side }) => side === "said");
  const whole = await fetch(stack.url + said.url);
  assert.deepEqual([whole.status, whole.headers.get("content-type")], [200, "audio/wav"]);
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), long);
  assert.ok(long.length > 3 * 65_536, "several segments");
  for (const [range, from, to] of [["bytes=0-3", 0, 3], ["bytes=65530-65545", 65_530, 65_545], ["bytes=131000-", 131_000, long.length - 1], ["bytes=-10", long.length - 10, long.length - 1]]) {
    const part = await fetch(stack.url + said.url, { headers: { range } });
    assert.deepEqual([part.status, part.headers.get("content-range")], [206, `bytes ${from}-${to}/${long.length}`], range);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), long.subarray(from, to + 1), range);
  }
  assert.equal((await fetch(stack.url + said.url, { headers: { range: `bytes=${long.length}-` } })).status, 416);
  const answered = readWav(Buffer.from(await (await fetch(stack.url + kept.find(({ side }) => side === "answered").url)).arrayBuffer()));
  assert.equal(bare(hear(answered.samples, answered.rate).map(({ text }) => text).join(" ")), "word0 word1");
  const stored = Buffer.from(await (await stack.bucket.get((await keys(prefix)).find((name) => name.endsWith("/said")))).arrayBuffer());
  assert.equal(stored.indexOf("RIFF"), -1);
  assert.equal((await fetch(`${stack.url}${said.url.slice(0, -2)}xx`)).status, 404);
  assert.equal((await fetch(`${stack.url}/v1/audio/recordings/${guest.token}`)).status, 404);

  await guest.json("PUT", "/v1/me/voice-consent", { store_audio: false });
  assert.deepEqual(await keys(prefix), []);
  assert.equal((await fetch(stack.url + said.url)).status, 404);

  await guest.json("PUT", "/v1/me/voice-consent", { store_audio: true });
  const other = await Guest.begin(stack.url, { locale: "en-GB" }, guest.token);
  for (const one of [guest, other]) await all(await post(one, recording("voice-kept words=1")));
  await until("four recordings", async () => (await keys(prefix)).length === 4);
  assert.equal((await other.ask("DELETE", other.path)).status, 204);
  await until("the session's recordings to go", async () => (await keys(prefix)).length === 2);
  assert.equal((await guest.ask("DELETE", "/v1/me")).status, 202);
  await until("the person's recordings to go", async () => (await keys(prefix)).length === 0);
  await until("the figures to go", async () => (await stack.rows("SELECT 1 FROM voice_turns WHERE person_id = ?", guest.personId())).length === 0);
});

test("OpenAI's Node SDK transcribes and speaks, and understands our errors", async () => {
  const client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 });
  const file = () => toFile(recording("hello from the door"), "speech.wav");
  const plain = await client.audio.transcriptions.create({ file: await file(), model: "whisper-1", language: "en" });
  assert.equal(plain.text, "hello from the door");
  const verbose = await client.audio.transcriptions.create({ file: await file(), model: "whisper-1", response_format: "verbose_json", timestamp_granularities: ["word"] });
  assert.equal(verbose.words.map(({ word }) => word).join(" "), "hello from the door");
  assert.ok(verbose.duration > 0.5);
  const streamed = await Array.fromAsync(await client.audio.transcriptions.create({ file: await file(), model: "gpt-4o-transcribe", stream: true }));
  assert.deepEqual([streamed.at(-1).type, streamed.at(-1).text], ["transcript.text.done", "hello from the door"]);
  assert.match(await client.audio.transcriptions.create({ file: await file(), model: "whisper-1", response_format: "vtt" }), /^WEBVTT\n\n00:00:00\.000 --> 00:00:0\d\.\d{3}\nhello/);
  assert.equal((await client.audio.transcriptions.create({ file: await toFile(wav(new Int16Array(8_000), 16_000), "a.wav"), model: "whisper-1" })).text, "");

  const spoken = await client.audio.speech.create({ model: "gpt-4o-mini-tts", voice: "coral", input: "Good morning.", response_format: "wav" });
  const sound = readWav(Buffer.from(await spoken.arrayBuffer()));
  assert.deepEqual([sound.rate, hear(sound.samples, sound.rate)[0].text], [24_000, "Good morning."]);
  const pcm = Buffer.from(await (await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "Good evening.", response_format: "pcm" })).arrayBuffer());
  assert.equal(heardIn(pcm), "Good evening.");

  const error = (call) => call.then(() => "none", ({ status, code, param }) => [status, code, param]);
  assert.deepEqual(await error(client.audio.speech.create({ model: "tts-9", voice: "alloy", input: "x" })), [404, "model_not_found", "model"]);
  assert.deepEqual(await error(client.audio.speech.create({ model: "tts-1", voice: "nobody", input: "x" })), [400, "unsupported_value", "voice"]);
  assert.deepEqual(await error(client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "x".repeat(4_097) })), [400, "string_above_max_length", "input"]);
  assert.deepEqual(await error(client.audio.transcriptions.create({ file: await toFile(Buffer.from("no audio at all, only text"), "a.wav"), model: "whisper-1" })), [400, "audio-unknown", "file"]);
  assert.deepEqual(await error(new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: "si_nobody", maxRetries: 0 }).audio.speech.create({ model: "tts-1", voice: "alloy", input: "x" })), [401, "invalid_api_key", null]);
  const chatKey = (await stack.admin().post("/api-keys", { name: "chat", scopes: ["chat"], reason: "of another door" })).body.secret;
  assert.deepEqual(await error(new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: chatKey, maxRetries: 0 }).audio.speech.create({ model: "tts-1", voice: "alloy", input: "x" })), [403, "insufficient_scope", null]);
});

test("the Python SDK does the same", async () => {
  const child = spawn(await python(), [join(root, "tests/python/audio.py")], { env: { ...process.env, DOOR_URL: `${stack.url}/v1`, DOOR_KEY: key }, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(recording("hello from python"));
  let text = "";
  child.stdout.on("data", (chunk) => { text += chunk; });
  assert.equal(await new Promise((resolve) => child.once("close", resolve)), 0);
  const said = JSON.parse(text);
  assert.equal(heardIn(Buffer.from(said.speech, "base64")), "Good night.");
  delete said.speech;
  assert.deepEqual(said, { text: "hello from python", words: "hello from python", streamed: "hello from python", errors: ["NotFoundError:model_not_found", "AuthenticationError:invalid_api_key"] });
});

test("without a configured provider voice is away, and says so", async () => {
  const dumb = await openaiAudio();
  const url = dumb.url;
  await dumb.close();
  const entry = { name: "gone", kind: "openai", base_url: `${url}/v1`, model: "m", voice: "v" };
  const bare_ = await startStack({ voiceVars: { STT: JSON.stringify([{ ...entry, voice: undefined }]), TTS: "" } });
  try {
    const guest = await bare_.guest();
    const response = await fetch(`${bare_.url}${guest.path}/voice-turns`, { method: "POST", body: recording("x y z"), headers: { authorization: `Bearer ${guest.token}` } });
    assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "2"]);
  } finally {
    await bare_.close();
  }
});
