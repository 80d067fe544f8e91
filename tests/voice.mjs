// What the tests of voice share: mock providers as configuration, recordings that carry their text, and a live client.
import WebSocket from "ws";
import { start as openaiAudio } from "./speech/openai-audio.mjs";
import { bytesOf, hear, samplesOf, speak, wav } from "./speech/tones.mjs";
import { sleep, until } from "./stack.mjs";

export { hear, samplesOf, wav };
export const OUT_HZ = 24_000;
export const IN_HZ = 16_000;

/** A recording of a text. */
export const recording = (text, rate = IN_HZ) => wav(speak(text, rate), rate);

/** Two mock vendors, and the variables that make the voice Worker use them: the second where the first fails. */
export async function providers({ live = [] } = {}) {
  const [first, second] = await Promise.all([openaiAudio({ key: "sk-first" }), openaiAudio({ key: "sk-second" })]);
  const of = (name, url) => ({ name, kind: "openai", base_url: `${url}/v1` });
  return {
    first, second,
    vars: {
      STT: JSON.stringify([...live, { ...of("first", first.url), model: "whisper-1", detail: "verbose", micros_per_minute: 6_000 }, { ...of("second", second.url), model: "whisper-1", detail: "verbose" }]),
      TTS: JSON.stringify([{ ...of("first", first.url), model: "tts-1", voice: "alloy", voices: { de: "nova" }, micros_per_million_chars: 15_000_000 }, { ...of("second", second.url), model: "tts-1", voice: "echo" }]),
    },
    secrets: { SPEECH_KEY_FIRST: "sk-first", SPEECH_KEY_SECOND: "sk-second" },
    close: () => Promise.all([first.close(), second.close()]),
  };
}

/** What the mock recogniser hears in a run of PCM. */
export const heardIn = (pcm, rate = OUT_HZ) => hear(samplesOf(pcm), rate).map((part) => part.text).join(" ");

/** Letters and digits alone: speaking changes punctuation and layout. */
export const bare = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();

/** A client of a live conversation that plays what it gets in real time, as a page would. */
export class LiveClient {
  static async open(url, path, { token, query = "", headers = {} } = {}) {
    const client = new LiveClient();
    client.url = `${url.replace(/^http/, "ws")}${path}`;
    client.token = token;
    client.messages = [];
    client.turns = new Map();
    await client.connect(query, headers);
    return client;
  }

  async connect(query = "", headers = {}) {
    this.closed = null;
    const greeted = this.of("ready").length;
    const ws = new WebSocket(`${this.url}${query}`, { headers: { ...(this.token ? { authorization: `Bearer ${this.token}` } : {}), ...headers } });
    this.ws = ws;
    ws.on("message", (data, isBinary) => this.take(data, isBinary));
    ws.on("close", (code, reason) => { if (ws === this.ws) this.closed = { code, reason: String(reason) }; });
    await new Promise((resolve, reject) => {
      ws.once("open", resolve);
      ws.once("error", reject);
      ws.once("unexpected-response", (_, response) => {
        let text = "";
        response.on("data", (chunk) => { text += chunk; });
        response.on("end", () => reject(Object.assign(new Error(`refused with ${response.statusCode}`), { status: response.statusCode, text })));
      });
    });
    await until("ready", () => this.of("ready").length > greeted, { every: 5 });
  }

  turn(number) {
    if (!this.turns.has(number)) this.turns.set(number, { blocks: [], text: "", first_at: null, flushed_at: null, end: null });
    return this.turns.get(number);
  }

  take(data, isBinary) {
    const at = performance.now();
    if (isBinary) {
      const turn = this.turn(data.readUInt32LE(0));
      turn.first_at ??= at;
      turn.last_at = at;
      turn.blocks[data.readUInt32LE(4)] = data.subarray(8);
      return;
    }
    const message = { ...JSON.parse(data.toString()), at };
    this.messages.push(message);
    // After a lost connection it says all that was written until then.
    if (message.type === "ready" && message.turn) this.turn(message.turn.turn).text = message.turn.text;
    if (message.type === "text") this.turn(message.turn).text += message.delta;
    if (message.type === "turn-id") this.turn(message.turn).id = message.turn_id;
    if (message.type === "flush") this.turn(message.turn).flushed_at = at;
    if (message.type === "turn-end") this.turn(message.turn).end = message;
  }

  audio(number) { return Buffer.concat(this.turn(number).blocks.filter(Boolean)); }
  ms(number) { return (this.audio(number).length / 2 / OUT_HZ) * 1000; }
  of(type) { return this.messages.filter((message) => message.type === type); }
  tell(message) { this.ws.send(JSON.stringify(message)); }

  /** Sends PCM in messages of 20 ms, `pace` times as fast as it is. */
  async play(samples, { pace = 4, rate = IN_HZ } = {}) {
    const step = rate / 50;
    const began = performance.now();
    for (let n = 0; n * step < samples.length; n++) {
      if (this.ws.readyState !== WebSocket.OPEN) return;
      this.ws.send(bytesOf(samples.slice(n * step, (n + 1) * step)));
      const due = began + ((n + 1) * 20) / pace;
      await sleep(Math.max(0, due - performance.now()));
    }
  }

  silence(ms, options) { return this.play(new Int16Array((IN_HZ * ms) / 1000), options); }

  /** Says a text and stays silent until it counts as said. */
  async say(text, options) {
    await this.play(speak(text, IN_HZ), options);
    await this.silence(900, options);
  }

  /** Plays a turn's audio at once and says so, so that its end is not waited for. */
  async finish(number) {
    await until(`audio of turn ${number}`, () => this.of("audio-end").some((message) => message.turn === number) || this.turn(number).end, { every: 10 });
    this.tell({ type: "played", turn: number, played_ms: Math.ceil(this.ms(number)) });
    return until(`end of turn ${number}`, () => this.turn(number).end, { every: 10 });
  }

  async close() {
    this.ws.close();
    await until("close", () => this.closed, { every: 5 });
  }
}
