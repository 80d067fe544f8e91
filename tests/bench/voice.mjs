// `npm run bench:voice`: what the live path adds to the vendors' own time, with one caller and with fifty at a time.
//
// Measured from the frame of silence that ends a turn, as it is sent, to the first audio at the client; the vendors' own time
// (from being asked to the first byte, of recogniser, model and voice) is taken off, as each of them noted it for that turn.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Guest, sleep } from "../stack.mjs";
import { LiveClient } from "../voice.mjs";
import { closeAll, memoryFolder, startPlatform } from "./stack.mjs";
import { RATE, WAIT_MS, voice } from "./voice-signal.mjs";

const AIM_MS = 30;
const CALLERS = Number(process.env.BENCH_CALLERS ?? 50);
const TURNS = Number(process.env.BENCH_TURNS ?? 6);
const SAID_MS = 1_000;
const SILENCE_MS = 1_400;
const FRAME = RATE / 50;

const vendors = fork(fileURLToPath(new URL("voice-vendors.mjs", import.meta.url)), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
const [{ url }] = await once(vendors, "message");
const of = { name: "bench", kind: "openai", base_url: `${url}/v1` };
const stack = await startPlatform(`${url}/v1`, {
  folder: memoryFolder(),
  voiceVars: { STT: JSON.stringify([{ ...of, model: "whisper-1" }]), TTS: JSON.stringify([{ ...of, model: "tts-1", voice: "alloy" }]) },
});

const now = () => performance.timeOrigin + performance.now();
const memoryMb = () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${stack.pid}/status`, "utf8"))[1]) / 1024);
const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)];

class Caller {
  constructor(who) { this.who = who; this.sent = []; this.firsts = []; }

  async open() {
    const guest = await Guest.begin(stack.url);
    this.client = await LiveClient.open(stack.url, `${guest.path}/live`, { token: guest.token });
    this.client.take = ((take) => (data, isBinary) => {
      if (isBinary && data.readUInt32LE(4) === 0) this.firsts[data.readUInt32LE(0)] ??= now();
      take.call(this.client, data, isBinary);
    })(this.client.take);
  }

  async call(turn) {
    const silence = new Int16Array(FRAME);
    const said = voice(this.who, SAID_MS);
    const frames = (SAID_MS + SILENCE_MS) / 20;
    const times = [];
    const began = performance.now();
    for (let n = 0; n < frames; n++) {
      const frame = (n + 1) * FRAME <= said.length ? said.subarray(n * FRAME, (n + 1) * FRAME) : silence;
      times.push(now());
      this.client.ws.send(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength));
      await sleep(Math.max(0, began + (n + 1) * 20 - performance.now()));
    }
    this.sent[turn] = times;
    await this.client.finish(turn);
    this.client.turn(turn).blocks = [];
  }
}

async function run(callers, turns) {
  const all = Array.from({ length: callers }, (_, who) => new Caller(who));
  for (const caller of all) await caller.open();
  await Promise.all(all.map(async (caller) => {
    await sleep(Math.random() * 3_000);
    for (let turn = 0; turn < turns; turn++) {
      await caller.call(turn);
      await sleep(Math.random() * 500);
    }
  }));
  const memory = memoryMb();
  for (const caller of all) await caller.client.close();
  vendors.send("notes");
  const [{ notes }] = await once(vendors, "message");
  const found = new Map();
  for (const note of notes) found.set(`${note.who} ${note.what}`, note);
  const added = [];
  const whole = [];
  for (const caller of all) {
    for (let turn = 0; turn < turns; turn++) {
      const [stt, llm, tts] = ["stt", "llm", "tts"].map((what) => found.get(`${caller.who}-${turn} ${what}`));
      const ended = caller.sent[turn].filter((at) => at <= stt.began).at(-1);
      const total = caller.firsts[turn] - ended;
      whole.push(total);
      added.push(total - [stt, llm, tts].reduce((sum, note) => sum + note.first - note.began, 0));
    }
  }
  const sorted = added.sort((a, b) => a - b);
  const wholes = whole.sort((a, b) => a - b);
  return { callers, turns: added.length, added_p50_ms: quantile(sorted, 0.5), added_p99_ms: quantile(sorted, 0.99), whole_p50_ms: quantile(wholes, 0.5), whole_p99_ms: quantile(wholes, 0.99), workerd_mb: memory };
}

try {
  await run(1, 2);
  console.log(`Three vendors of ${WAIT_MS} ms each; aim: at most ${AIM_MS} ms added.`);
  for (const [callers, turns] of [[1, 20], [CALLERS, TURNS]]) {
    const figures = await run(callers, turns);
    console.log(`${String(callers).padStart(3)} at a time, ${figures.turns} turns: added p50 ${figures.added_p50_ms.toFixed(1)} ms, p99 ${figures.added_p99_ms.toFixed(1)} ms; end of turn to first audio p50 ${figures.whole_p50_ms.toFixed(0)} ms, p99 ${figures.whole_p99_ms.toFixed(0)} ms; workerd ${figures.workerd_mb} MB`);
    console.log(JSON.stringify(figures));
  }
} finally {
  await closeAll();
  vendors.disconnect();
}
process.exit(0);
