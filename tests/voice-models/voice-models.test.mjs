// `npm run test:voice-models`: a talk with real models on this machine, through the live path. A sentence that Piper speaks is
// written down by Whisper, answered by SmolLM2, spoken by Piper, and what is heard is written down again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { installSpeech, speechVars, startSpeech } from "../../scripts/speech-models.mjs";
import { startPlatform } from "../bench/stack.mjs";
import { readWav, samplesOf, wav } from "../speech/tones.mjs";
import { Guest, freePort, root, until } from "../stack.mjs";
import { IN_HZ, LiveClient, bare } from "../voice.mjs";

const SENTENCE = "I had a long day at work, and now I would like to talk about something nice.";
const LEAST = 0.85;

let speech, model, stack, modelUrl;
before(async () => {
  await installSpeech();
  const port = await freePort();
  model = spawn(process.execPath, [join(root, "scripts/models.mjs")], { env: { ...process.env, MODEL_PORT: String(port) }, stdio: ["ignore", "ignore", "inherit"] });
  modelUrl = `http://127.0.0.1:${port}`;
  speech = await startSpeech(await freePort());
  await until("the language model", () => fetch(`${modelUrl}/health`).then(({ ok }) => ok, () => false), { timeout: 180_000, every: 500 });
  stack = await startPlatform(`${modelUrl}/v1`, { vars: { LLM_MODEL: "smollm2", LLM_IDLE_TIMEOUT_MS: "120000", LLM_TOTAL_TIMEOUT_MS: "240000" }, voiceVars: speechVars(speech.url) });
}, { timeout: 400_000 });
after(async () => {
  await stack?.close();
  await speech?.close();
  model?.kill("SIGTERM");
});

/** The share of a text's words that are heard, in order (longest common subsequence). */
function kept(text, heard) {
  const [a, b] = [text, heard].map((one) => bare(one).split(" "));
  let row = new Array(b.length + 1).fill(0);
  for (const word of a) {
    const next = [0];
    for (let n = 1; n <= b.length; n++) next[n] = word === b[n - 1] ? row[n - 1] + 1 : Math.max(row[n], next[n - 1]);
    row = next;
  }
  return row.at(-1) / a.length;
}

async function transcribe(samples, rate) {
  const form = new FormData();
  form.set("model", "tiny.en");
  form.set("language", "en");
  form.set("file", new Blob([wav(samples, rate)]), "heard.wav");
  return (await (await fetch(`${speech.url}/audio/transcriptions`, { method: "POST", body: form })).json()).text;
}

/** The samples at another rate; straight lines between them do for a recogniser. */
const resampled = ({ samples, rate }, to) => Int16Array.from({ length: Math.floor((samples.length * to) / rate) }, (_, n) => {
  const at = (n * rate) / to;
  const [low, share] = [Math.floor(at), at % 1];
  return samples[low] * (1 - share) + (samples[low + 1] ?? 0) * share;
});

test("a spoken sentence goes through the live path, and the answer is understood", { timeout: 240_000 }, async () => {
  const spoken = await fetch(`${speech.url}/audio/speech`, { method: "POST", body: JSON.stringify({ input: SENTENCE, voice: "joe", model: "joe" }) });
  const said = resampled(readWav(Buffer.from(await spoken.arrayBuffer())), IN_HZ);
  const guest = await Guest.begin(stack.url, { locale: "en-US" });
  const client = await LiveClient.open(stack.url, `${guest.path}/live`, { token: guest.token });
  await client.play(said, { pace: 1 });
  await client.silence(1_500, { pace: 1 });
  await until("the turn", () => client.of("turn")[0], { timeout: 30_000 });
  const understood = client.of("turn")[0].text;
  assert.ok(kept(SENTENCE, understood) >= LEAST, `understood: ${understood}`);
  await until("the whole answer", () => client.of("audio-end").length > 0 || client.turn(0).end, { timeout: 180_000 });
  const { outcome, figures } = await client.finish(0);
  assert.equal(outcome, "finished");
  const answer = client.turn(0).text;
  // Whisper's window is 30 s: of a long answer its beginning counts.
  const sound = samplesOf(client.audio(0));
  const heard = await transcribe(sound, 24_000);
  const share = kept(answer, heard);
  console.log(JSON.stringify({ understood, answer, heard, share, figures }));
  assert.ok(share >= LEAST, `${Math.round(share * 100)} % of the words: ${heard}`);
  await client.close();
});
