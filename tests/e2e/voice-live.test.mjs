// Live conversations over a WebSocket, on workerd, with vendors whose sound carries its text: turns, interruptions, lost
// connections, failing vendors, and what is no conversation at all. Asked at workerd's own socket: the harness's proxy passes
// on neither aborts nor sockets of vendors.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startPlatform } from "../bench/stack.mjs";
import { mockLlm } from "../mock-llm.mjs";
import { start as deepgram } from "../speech/deepgram.mjs";
import { bytesOf, speak } from "../speech/tones.mjs";
import { Guest, sleep, until } from "../stack.mjs";
import { IN_HZ, LiveClient, bare, heardIn, providers } from "../voice.mjs";

let stack, llm, vendors, ears;
before(async () => {
  llm = await mockLlm();
  ears = await deepgram({ key: "dg" });
  vendors = await providers();
  stack = await startPlatform(llm.url, { voiceVars: { ...vendors.vars, ...vendors.secrets } });
});
after(async () => { await stack.close(); await Promise.all([llm.close(), vendors.close(), ears.close()]); });

const begin = (body) => Guest.begin(stack.url, body);
const live = (guest, options = {}) => LiveClient.open(stack.url, `${guest.path}/live`, { token: guest.token, ...options });
const states = (client) => client.of("state").map(({ state }) => state);
const refused = (open) => open.then((client) => client.close().then(() => 101), ({ status }) => status);
/** What the model was given as the answer before a message. */
const remembered = (marker) => llm.about(marker).at(-1).ask.messages.filter(({ role }) => role === "assistant").at(-1)?.content;

test("what is said is answered aloud, and the voice begins before the answer is written", async () => {
  const guest = await begin();
  const client = await live(guest);
  assert.deepEqual(client.messages[0].output, { format: "pcm_s16le", sample_rate_hz: 24_000, channels: 1 });
  await client.say("live-one words=14 delay=120");
  const first = await until("audio", () => client.turn(0).first_at, { every: 5 });
  const lastText = () => client.of("text").at(-1).at;
  const { outcome, figures, turn_id } = await client.finish(0);
  assert.equal(client.of("transcript").at(-1).text, "live-one words=14 delay=120");
  assert.equal(outcome, "finished");
  assert.ok(first < lastText(), "overlap");
  assert.equal(bare(heardIn(client.audio(0))), bare(client.turn(0).text));
  await until("idle", () => states(client).at(-1) === "idle", { every: 5 });
  assert.deepEqual(states(client), ["listening", "thinking", "speaking", "idle"]);
  assert.ok(figures.said_ms > 900 && figures.first_audio_ms > 0 && figures.cost_micros > 0, JSON.stringify(figures));
  const [row] = await until("the figures", async () => { const rows = await stack.rows("SELECT * FROM voice_turns WHERE session_id = ?", guest.id); return rows.length > 0 && rows; });
  assert.equal(row.channel, "live");
  const [event] = await stack.rows("SELECT turn_id FROM turn_events WHERE event_id = ?", row.event_id);
  assert.equal(event.turn_id, turn_id);

  client.tell({ type: "text", text: "live-typed words=2" });
  assert.equal((await client.finish(1)).outcome, "finished");
  assert.equal(bare(heardIn(client.audio(1))), "word0 word1");
  client.tell({ type: "hang-up" });
  await until("the end", () => client.closed, { every: 5 });
  assert.deepEqual([client.of("closed")[0].reason, client.closed.code], ["hung-up", 1000]);
});

test("an interruption stops generation and speech at once, and only what was heard is remembered", async () => {
  const guest = await begin();
  const client = await live(guest);
  await client.say("live-long words=80 delay=60");
  await until("the voice", () => client.turn(0).blocks.length >= 8, { every: 5 });
  client.tell({ type: "played", turn: 0, played_ms: 800 });
  const began = performance.now();
  await client.play(speak("stopitpleasenow live-after words=1", IN_HZ), { pace: 1 });
  const flushed = await until("the flush", () => client.turn(0).flushed_at, { every: 5 });
  // A voice counts as an interruption after 240 ms (EndpointConfig::barge_in_ms).
  const reaction = flushed - began - 240;
  assert.ok(reaction <= 200, `stopped ${Math.round(reaction)} ms after the voice counted`);
  assert.ok(client.turn(0).last_at <= flushed, "no audio after the flush");
  const asked = llm.about("live-long")[0];
  await until("generation to stop", () => asked.ended, { every: 5 });
  assert.ok(asked.aborted && asked.ended - flushed <= 200, `the model stopped after ${Math.round(asked.ended - flushed)} ms`);
  await client.silence(900);
  const { outcome, heard_bytes } = client.turn(0).end ?? await until("the end", () => client.turn(0).end, { every: 5 });
  assert.equal(outcome, "stopped");
  await client.finish(1);
  const heard = remembered("live-after");
  const answer = client.turn(0).text;
  assert.ok(heard.endsWith("…") && answer.startsWith(heard.slice(0, -1)) && heard.length < answer.length, `${heard} of ${answer}`);
  assert.equal(Buffer.byteLength(heard) - 3, heard_bytes);
  // About what 0.8 to 1.6 s of the mock's voice say: a word takes 0.3 s or more.
  assert.ok(heard.split(" ").length <= 6, heard);
  const { messages } = await guest.history();
  assert.equal(messages[1].parts[0].text, answer, "what was written stays stored");
  await client.close();
});

test("a fixed text of the gate is spoken, and remembered whole although it was interrupted", async () => {
  const client = await live(await begin());
  await client.say("I want to talk to a real human");
  await until("the voice", () => client.turn(0).first_at, { every: 5 });
  client.tell({ type: "stop" });
  assert.equal((await until("the end", () => client.turn(0).end, { every: 5 })).outcome, "stopped");
  const fixed = client.turn(0).text;
  assert.ok(client.of("part").some(({ part }) => part.type === "data-safety"), "the help is shown");
  client.tell({ type: "text", text: "live-gate words=1" });
  await client.finish(1);
  assert.equal(remembered("live-gate"), fixed);

  await client.say("I am going to kill myself tonight live-crisis");
  await client.finish(2);
  assert.equal(llm.about("live-crisis").length, 0);
  assert.equal(bare(heardIn(client.audio(2))), bare(client.turn(2).text));
  await client.close();
});

test("a lost connection loses neither turn nor audio", async () => {
  const client = await live(await begin());
  await client.say("live-lost words=40 delay=40");
  await until("the voice", () => client.turn(0).blocks.length >= 5, { every: 5 });
  client.ws.terminate();
  await sleep(700);
  const received = client.turn(0).blocks.length;
  await client.connect(`?turn=0&received=${received}`);
  const ready = client.of("ready").at(-1);
  assert.deepEqual([ready.resumed, ready.turn.turn], [true, 0]);
  assert.equal((await client.finish(0)).outcome, "finished");
  const whole = Array.from({ length: 40 }, (_, n) => `word${n}`).join(" ");
  assert.equal(bare(client.turn(0).text), whole);
  assert.equal(bare(heardIn(client.audio(0))), whole);

  // A second socket of the same session takes over while the first is still there.
  const old = client.ws;
  const ended = new Promise((resolve) => old.once("close", resolve));
  await client.connect();
  assert.equal(await ended, 4_001);
  await client.say("live-second words=1");
  assert.equal((await client.finish(1)).outcome, "finished");
  await client.close();
});

test("a voice that fails leaves the text, one that stalls is stopped, and the talk goes on", async () => {
  const client = await live(await begin());
  for (const vendor of [vendors.first, vendors.second]) vendor.fail(...Array(8).fill({ status: 400 }));
  client.tell({ type: "text", text: "live-mute words=4" });
  assert.equal((await until("the end", () => client.turn(0).end, { every: 5 })).outcome, "failed");
  assert.equal(client.turn(0).text, "word0. word1. word2. word3. ");
  assert.match(client.of("error")[0].error, /^speech-/);
  for (const vendor of [vendors.first, vendors.second]) vendor.forgive();
  // Breakers that opened let one call through after their time.
  await until("a voice", async () => {
    const number = client.of("turn").length;
    client.tell({ type: "text", text: `live-back${number} words=2` });
    return (await client.finish(number)).outcome === "finished";
  }, { timeout: 45_000, every: 3_000 });
  await client.close();
});

test("silence and noise begin nothing; what is malformed is named; the session lives", async () => {
  const guest = await begin();
  const client = await live(guest);
  await client.silence(2_000, { pace: 20 });
  let seed = 7;
  const noise = Int16Array.from({ length: IN_HZ * 4 }, () => { seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; return ((seed / 2 ** 31) - 0.5) * 6_000; });
  await client.play(noise, { pace: 20 });
  client.ws.send(Buffer.alloc(3));
  client.ws.send(Buffer.alloc(300_000));
  client.ws.send("{oops");
  client.tell({ type: "dance" });
  client.tell({ type: "text", text: " " });
  client.tell({ type: "played", turn: 99, played_ms: 1 });
  client.tell({ type: "ping" });
  await until("the answers", () => client.of("pong").length > 0);
  assert.deepEqual(client.of("error").map(({ error }) => error), ["audio-odd-length", "audio-too-large", "message-malformed", "message-malformed", "message-malformed"]);
  assert.deepEqual([client.of("turn").length, states(client).includes("thinking")], [0, false]);
  await client.silence(1_500, { pace: 20 });
  await client.say("live-alive words=1");
  assert.equal((await client.finish(0)).outcome, "finished");
  // Far more sound than time: somebody sends a file, not a voice.
  const flood = new Int16Array(IN_HZ * 5);
  for (let n = 0; n < 40 && !client.closed; n++) client.ws.send(bytesOf(flood));
  assert.equal((await until("the end", () => client.closed)).code, 1_008);
  const again = await live(guest);
  again.tell({ type: "text", text: "live-once-more words=1" });
  assert.equal((await again.finish(0)).outcome, "finished");
  await again.close();
});

test("a socket that is stalled holds up nobody", async () => {
  const guest = await begin();
  const client = await live(guest);
  client.tell({ type: "text", text: "live-stalled words=60 delay=1" });
  await until("the voice", () => client.turn(0).first_at, { every: 5 });
  client.ws.pause();
  const other = await live(guest);
  assert.equal(other.of("ready")[0].resumed, true);
  other.tell({ type: "stop" });
  other.tell({ type: "text", text: "live-unstalled words=1" });
  assert.equal((await other.finish(1)).outcome, "finished");
  client.ws.terminate();
  await other.close();
});

test("only the session's person gets in, by header, cookie or query", async () => {
  const [guest, stranger] = [await begin(), await begin()];
  const open = (options) => refused(LiveClient.open(stack.url, `${guest.path}/live`, options));
  assert.equal(await open({ token: guest.token }), 101);
  assert.equal(await open({ query: `?token=${guest.token}` }), 101);
  assert.equal(await open({ headers: { cookie: `si_token=${guest.token}`, origin: stack.url } }), 101);
  assert.equal(await open({ headers: { cookie: `si_token=${guest.token}`, origin: "https://elsewhere.example" } }), 403);
  assert.equal(await open({}), 401);
  assert.equal(await open({ token: stranger.token }), 404);
  assert.equal(await open({ token: guest.token, query: "?rate=1" }), 400);
  assert.equal((await fetch(`${stack.url}${guest.path}/live`, { headers: { authorization: `Bearer ${guest.token}` } })).status, 426);
});

test("a conversation in which nothing happens sleeps, and wakes with the next word", async () => {
  const client = await live(await begin());
  await client.say("live-before words=1");
  await client.finish(0);
  // workerd lets an object hibernate after ten seconds without anything to do.
  await sleep(12_000);
  client.turns.clear();
  await client.say("live-awake words=1", { pace: 2 });
  const number = (await until("the turn", () => client.of("turn").filter(({ text }) => text.includes("live-awake"))[0], { every: 10 })).turn;
  assert.equal((await client.finish(number)).outcome, "finished");
  assert.equal(client.of("ready").length - 1, number === 0 ? 1 : 0);
  await client.close();
});

test("recordings of a talk are kept with consent", async () => {
  const guest = await begin();
  await guest.json("PUT", "/v1/me/voice-consent", { store_audio: true });
  const client = await live(guest);
  await client.say("live-kept words=2");
  await client.finish(0);
  await client.close();
  const kept = await until("both sides", async () => { const { recordings } = await guest.json("GET", `${guest.path}/recordings`); return recordings.length === 2 && recordings; });
  const heard = {};
  for (const { side, url } of kept) heard[side] = bare(heardIn(Buffer.from(await (await fetch(stack.url + url)).arrayBuffer()).subarray(44), side === "said" ? IN_HZ : 24_000));
  assert.deepEqual(heard, { said: "live kept words 2", answered: "word0 word1" });
});

test("a vendor that listens live writes down as it is said; where its socket breaks, the recording is used", async () => {
  const both = await providers({ live: [{ name: "ears", kind: "deepgram", base_url: ears.url, model: "nova-3" }] });
  const other = await startPlatform(llm.url, { voiceVars: { ...both.vars, ...both.secrets, SPEECH_KEY_EARS: "dg" } });
  try {
    const guest = await Guest.begin(other.url);
    const client = await LiveClient.open(other.url, `${guest.path}/live`, { token: guest.token });
    await client.say("live-ears words=2 and a few more words", { pace: 1 });
    const { figures } = await client.finish(0);
    assert.equal(figures.stt_provider, "ears");
    assert.ok(client.of("transcript").some(({ final }) => !final), "words came while it was said");
    assert.equal(client.of("turn")[0].text, "live-ears words=2 and a few more words");
    ears.fail({ cut: 0 });
    await client.say("live-broken words=2", { pace: 2 });
    const second = await client.finish(1);
    assert.deepEqual([second.outcome, second.figures.stt_provider, second.figures.stt_failovers], ["finished", "ears", 1]);
    assert.deepEqual(ears.seen.map(({ status }) => status), [101, 101, 200], "two sockets, of which one broke, and a recording");
    assert.equal(client.of("turn")[1].text, "live-broken words=2");
    await client.close();
  } finally {
    await other.close();
    await both.close();
  }
});
