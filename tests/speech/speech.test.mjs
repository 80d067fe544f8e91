// The mock speech services, against themselves and against clients written here by the vendors' documents.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createHash, createHmac } from "node:crypto";
import WebSocket from "ws";
import * as deepgram from "./deepgram.mjs";
import * as elevenlabs from "./elevenlabs.mjs";
import * as openai from "./openai-audio.mjs";
import * as polly from "./polly.mjs";
import { fault as faultOf } from "./sigv4.mjs";
import { bytesOf, hear, readWav, samplesOf, speak, wav } from "./tones.mjs";
import * as transcribe from "./transcribe.mjs";

const SAID = "I slept badly, and the day was long. ¿Qué hago? 你好。";
const open = [];
const start = async (module, options) => {
  const mock = await module.start(options);
  open.push(mock);
  return mock;
};
after(() => Promise.all(open.map((mock) => mock.close())));

const post = (url, headers, body) => fetch(url, { method: "POST", headers, body: typeof body === "object" && !(body instanceof Buffer || body instanceof FormData) ? JSON.stringify(body) : body });
const bytes = async (response) => Buffer.from(await response.arrayBuffer());
const text = (samples, rate) => hear(samples, rate).map((part) => part.text).join(" ");

test("text survives as sound: rates, silence before, noise, quieter", () => {
  for (const rate of [8_000, 16_000, 22_050, 24_000, 48_000]) assert.equal(text(speak(SAID, rate), rate), SAID, String(rate));
  const late = Int16Array.from([...new Int16Array(5_003), ...speak(SAID, 16_000), ...new Int16Array(8_000), ...speak("Second.", 16_000)]);
  let seed = 7;
  const noisy = late.map((sample) => sample * 0.5 + ((seed = (seed * 16_807) % 2_147_483_647) % 300) - 150);
  assert.equal(text(noisy, 16_000), `${SAID} Second.`);
  const [first, second] = hear(late, 16_000);
  assert.ok(Math.abs(first.start_ms - 313) < 3 && second.text === "Second." && second.start_ms > first.end_ms + 400);
  assert.deepEqual(hear(new Int16Array(16_000), 16_000), []);
  // By linear interpolation to another rate, worse than any resampler.
  const half = speak(SAID, 24_000);
  const other = Int16Array.from({ length: Math.floor((half.length * 16) / 24) }, (_, n) => half[Math.floor((n * 24) / 16)]);
  assert.equal(text(other, 16_000), SAID);
});

test("OpenAI: speech to transcription, in every form", async () => {
  const mock = await start(openai);
  const auth = { authorization: "Bearer sk-mock" };
  const json = { ...auth, "content-type": "application/json" };
  const ask = { model: "gpt-4o-mini-tts", input: SAID, voice: "alloy", response_format: "wav" };
  const spoken = await post(`${mock.url}/v1/audio/speech`, json, ask);
  const file = await bytes(spoken);
  assert.equal(readWav(file).rate, 24_000);
  const pcm = await bytes(await post(`${mock.url}/v1/audio/speech`, json, { ...ask, response_format: "pcm" }));
  assert.equal(text(samplesOf(pcm), 24_000), SAID);
  const form = (fields) => {
    const out = new FormData();
    out.append("file", new Blob([file]), "speech.wav");
    for (const [name, value] of fields) out.append(name, value);
    return out;
  };
  const write = (fields, headers = auth) => post(`${mock.url}/v1/audio/transcriptions`, headers, form(fields));
  assert.equal((await (await write([["model", "whisper-1"]])).json()).text, SAID);
  const verbose = await (await write([["model", "whisper-1"], ["response_format", "verbose_json"], ["timestamp_granularities[]", "word"]])).json();
  assert.equal(verbose.words.map((word) => word.word).join(" "), SAID);
  const events = await (await write([["model", "gpt-4o-transcribe"], ["stream", "true"]])).text();
  assert.match(events, /^data: \{"type":"transcript.text.delta","delta":"I"\}\n\n/);
  assert.ok(events.endsWith("data: [DONE]\n\n") && events.includes(JSON.stringify(SAID)));
  for (const [fields, status, headers] of [
    [[["model", "whisper-1"]], 401, {}],
    [[], 400],
    [[["model", "gpt-4o-transcribe"], ["response_format", "verbose_json"]], 400],
    [[["model", "whisper-1"], ["language", "en-US"]], 400],
    [[["model", "whisper-1"], ["timestamp_granularities[]", "word"]], 400],
  ]) {
    const response = await write(fields, headers);
    assert.equal(response.status, status, JSON.stringify(fields));
    assert.ok((await response.json()).error.message);
  }
  for (const wrong of [{ input: "" }, { input: "x".repeat(4097) }, { voice: "nobody" }, { extra: 1 }]) assert.equal((await post(`${mock.url}/v1/audio/speech`, json, { ...ask, ...wrong })).status, 400);
  assert.equal(mock.seen.at(0).text, SAID);
});

test("faults: a status, a cut, another format", async () => {
  const mock = await start(openai);
  const speech = () => post(`${mock.url}/v1/audio/speech`, { authorization: "Bearer sk-mock" }, { model: "m", input: SAID, voice: "alloy", response_format: "pcm" });
  mock.fail({ status: 503, headers: { "retry-after": "2" } }, { cut: 2 }, { other: true }, { empty: true });
  const busy = await speech();
  assert.deepEqual([busy.status, busy.headers.get("retry-after")], [503, "2"]);
  await assert.rejects(speech().then(bytes));
  assert.equal((await bytes(await speech())).toString("latin1", 0, 4), "OggS");
  assert.equal((await bytes(await speech())).length, 0);
  assert.equal(text(samplesOf(await bytes(await speech())), 24_000), SAID);
});

test("Deepgram: speak, listen to the recording, listen live", async () => {
  const mock = await start(deepgram);
  const auth = { authorization: "Token dg-mock" };
  const spoken = await post(`${mock.url}/v1/speak?model=aura-2-thalia-en&encoding=linear16&container=none&sample_rate=16000`, auth, { text: SAID });
  assert.equal(spoken.headers.get("dg-char-count"), String([...SAID].length));
  const pcm = await bytes(spoken);
  const listen = await (await post(`${mock.url}/v1/listen?model=nova-3`, auth, wav(samplesOf(pcm), 16_000))).json();
  assert.equal(listen.results.channels[0].alternatives[0].transcript, SAID);
  assert.equal((await post(`${mock.url}/v1/listen?model=nova-3`, auth, Buffer.from("no sound"))).status, 400);
  assert.equal((await post(`${mock.url}/v1/listen?model=nova-3`, {}, pcm)).status, 401);

  const url = `${mock.url.replace("http", "ws")}/v1/listen?model=nova-3&encoding=linear16&sample_rate=16000&interim_results=true&vad_events=true&endpointing=300`;
  const ws = new WebSocket(url, { headers: auth });
  const messages = [];
  const closed = new Promise((resolve) => ws.on("close", resolve));
  ws.on("message", (data) => messages.push(JSON.parse(data)));
  await new Promise((resolve) => ws.on("open", resolve));
  for (let at = 0; at < pcm.length; at += 640) ws.send(pcm.subarray(at, at + 640));
  ws.send(JSON.stringify({ type: "Finalize" }));
  ws.send(JSON.stringify({ type: "CloseStream" }));
  assert.equal(await closed, 1000);
  assert.deepEqual([messages[0].type, messages.at(-1).type], ["SpeechStarted", "Metadata"]);
  const results = messages.filter((message) => message.type === "Results");
  assert.ok(results.some((message) => !message.is_final && SAID.startsWith(message.channel.alternatives[0].transcript.slice(0, 5))));
  assert.ok(results.some((message) => message.from_finalize));
  const finals = results.filter((message) => message.is_final).map((message) => message.channel.alternatives[0].transcript);
  assert.equal(finals.filter(Boolean).join(" "), SAID);
  const refused = new WebSocket(url, { headers: { authorization: "Token wrong" } });
  assert.match(String(await new Promise((resolve) => refused.on("error", resolve))), /401/);
});

test("ElevenLabs: sound and times", async () => {
  const mock = await start(elevenlabs);
  const headers = { "xi-api-key": "xi-mock" };
  const url = (times) => `${mock.url}/v1/text-to-speech/v1/stream${times}?output_format=pcm_16000`;
  const ask = { text: SAID, model_id: "eleven_flash_v2_5" };
  assert.equal(text(samplesOf(await bytes(await post(url(""), headers, ask))), 16_000), SAID);
  const lines = (await (await post(url("/with-timestamps"), headers, ask)).text()).trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.flatMap((line) => line.alignment.characters).join(""), SAID);
  assert.equal(text(samplesOf(Buffer.concat(lines.map((line) => Buffer.from(line.audio_base64, "base64")))), 16_000), SAID);
  assert.equal((await post(url(""), {}, ask)).status, 401);
  assert.equal((await post(url(""), headers, { ...ask, language_code: "en-GB" })).status, 400);
  assert.equal((await post(url(""), headers, { ...ask, surprise: 1 })).status, 422);
});

const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/** Signed as AWS's documents say, for one header each and an empty or JSON body. */
function signature({ method, path, query = "", headers, body, scope, stamp }) {
  const names = Object.keys(headers).sort();
  const canonical = [method, path, query, ...names.map((name) => `${name}:${headers[name]}`), "", names.join(";"), sha256(body)].join("\n");
  const key = scope.split("/").slice(1).reduce(hmac, hmac("AWS4mock-secret", scope.split("/")[0]));
  return hmac(key, ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n")).toString("hex");
}

const stampOf = (at) => new Date(at).toISOString().replace(/[-:]|\.\d+/g, "");

test("signatures made by botocore hold, and changed ones do not", () => {
  const body = '{"Engine":"neural","LanguageCode":"en-GB","OutputFormat":"pcm","SampleRate":"16000","Text":"I am listening.","TextType":"text","VoiceId":"v1"}';
  const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", sessionToken: "TOKEN+/=", region: "eu-central-1", now: Date.parse("2026-11-21T10:01:00Z") };
  const call = {
    method: "POST", target: "/v1/speech", raw: Buffer.from(body),
    headers: { host: "polly.eu-central-1.amazonaws.com", "content-type": "application/json", "x-amz-date": "20261121T100000Z", "x-amz-security-token": "TOKEN+/=", authorization: "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-central-1/polly/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=2d3050946a003a8106e560986fd197bd89c531a4b6f0e2e66dd8925d8abec9d5" },
  };
  assert.equal(faultOf(call, { ...keys, service: "polly" }), null);
  assert.equal(faultOf({ ...call, raw: Buffer.from(body.replace("listening", "listeninG")) }, { ...keys, service: "polly" }), "InvalidSignatureException");
  assert.equal(faultOf(call, { ...keys, service: "polly", now: keys.now + 3_600_000 }), "InvalidSignatureException");
  assert.equal(faultOf(call, { ...keys, service: "polly", sessionToken: "" }), "UnrecognizedClientException");
  const target = "/stream-transcription-websocket?language-code=en-US&media-encoding=pcm&sample-rate=16000&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Feu-central-1%2Ftranscribe%2Faws4_request&X-Amz-Date=20261121T100000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Security-Token=TOKEN%2B%2F%3D&X-Amz-Signature=38527e41037bce1d30b85eeff05bc3b41ff85d10968d5e8795b7992802c96ee4";
  const socket = { method: "GET", target, headers: { host: "transcribestreaming.eu-central-1.amazonaws.com:8443" } };
  assert.equal(faultOf(socket, { ...keys, service: "transcribe" }), null);
  assert.equal(faultOf({ ...socket, target: target.replace("16000", "8000") }, { ...keys, service: "transcribe" }), "InvalidSignatureException");
});

test("Polly to Transcribe, both signed", async () => {
  const voice = await start(polly);
  const body = JSON.stringify({ Engine: "neural", OutputFormat: "pcm", SampleRate: "16000", Text: SAID, TextType: "text", VoiceId: "Joanna" });
  const stamp = stampOf(Date.now());
  const scope = `${stamp.slice(0, 8)}/us-east-1/polly/aws4_request`;
  const headers = { "content-type": "application/json", host: new URL(voice.url).host, "x-amz-date": stamp };
  const sign = signature({ method: "POST", path: "/v1/speech", headers, body, scope, stamp });
  const authorization = `AWS4-HMAC-SHA256 Credential=AKIDMOCK/${scope}, SignedHeaders=content-type;host;x-amz-date, Signature=${sign}`;
  voice.fail(polly.throttled);
  const throttled = await post(`${voice.url}/v1/speech`, { ...headers, authorization }, body);
  assert.deepEqual([throttled.status, throttled.headers.get("x-amzn-errortype").split(":")[0]], [400, "ThrottlingException"]);
  const spoken = await post(`${voice.url}/v1/speech`, { ...headers, authorization }, body);
  assert.equal(spoken.headers.get("x-amzn-requestcharacters"), String([...SAID].length));
  const pcm = await bytes(spoken);
  assert.equal((await post(`${voice.url}/v1/speech`, { ...headers, authorization }, body.replace("long", "lonG"))).status, 403);

  const mock = await start(transcribe);
  const host = new URL(mock.url).host;
  const itsScope = `${stamp.slice(0, 8)}/us-east-1/transcribe/aws4_request`;
  const query = Object.entries({ "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": `AKIDMOCK/${itsScope}`, "X-Amz-Date": stamp, "X-Amz-Expires": "300", "X-Amz-SignedHeaders": "host", "language-code": "en-US", "media-encoding": "pcm", "sample-rate": "16000" }).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  const itsSign = signature({ method: "GET", path: "/stream-transcription-websocket", query, headers: { host }, body: "", scope: itsScope, stamp });
  const ws = new WebSocket(`ws://${host}/stream-transcription-websocket?${query}&X-Amz-Signature=${itsSign}`);
  const results = [];
  ws.on("message", (data) => results.push(...JSON.parse(transcribe.decode(data).payload).Transcript.Results));
  const closed = new Promise((resolve, reject) => ws.on("close", resolve).on("error", reject));
  await new Promise((resolve, reject) => ws.on("open", resolve).on("error", reject));
  const audio = (chunk) => ws.send(transcribe.encode({ ":content-type": "application/octet-stream", ":event-type": "AudioEvent", ":message-type": "event" }, chunk));
  for (let at = 0; at < pcm.length; at += 3_200) audio(pcm.subarray(at, at + 3_200));
  audio(Buffer.alloc(0));
  assert.equal(await closed, 1000);
  assert.ok(results.some((result) => result.IsPartial));
  assert.equal(results.filter((result) => !result.IsPartial).map((result) => result.Alternatives[0].Transcript).join(" "), SAID);
});

test("samples and bytes are the same thing", () => {
  const samples = Int16Array.from([0, 1, -1, 32_767, -32_768]);
  assert.deepEqual(samplesOf(bytesOf(samples)), samples);
  assert.deepEqual(readWav(wav(samples, 16_000)), { rate: 16_000, samples });
  assert.equal(readWav(Buffer.from("RIFF")), null);
});
