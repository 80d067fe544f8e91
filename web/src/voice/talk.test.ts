import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Playback } from "./playback";
import { type Ears, Talk } from "./talk";
import type { ClientMessage, ServerMessage } from "./wire";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

/** A talk with a server that is played by the test. */
function begin() {
  const sockets: { query: Record<string, number>; ears: Ears; sent: (ClientMessage | ArrayBuffer)[]; closed: boolean }[] = [];
  const clock = { now: 0 };
  const silenced = { count: 0 };
  const playback = new Playback({ now: () => clock.now, latency: () => 0, play: () => () => { silenced.count++; } });
  const talk = new Talk({
    connect: (query, ears) => {
      const socket = { query, ears, sent: [] as (ClientMessage | ArrayBuffer)[], closed: false };
      sockets.push(socket);
      return { send: (data) => socket.sent.push(typeof data === "string" ? JSON.parse(data) : data), close: () => { socket.closed = true; } };
    },
    playback,
    wait: (ms, then) => { const timer = setTimeout(then, ms); return () => clearTimeout(timer); },
    changed: () => {},
  });
  const last = () => sockets.at(-1) as (typeof sockets)[number];
  return {
    talk, playback, clock, sockets, silenced, last,
    tell: (message: ServerMessage) => last().ears.text(JSON.stringify(message)),
    ready: (resumed = false, turn: Extract<ServerMessage, { type: "ready" }>["turn"] = null) => last().ears.text(JSON.stringify({ type: "ready", resumed, turn })),
    sound: (turn: number, block: number, ms = 100) => {
      const bytes = new ArrayBuffer(8 + 48 * ms);
      new Uint32Array(bytes, 0, 2).set([turn, block]);
      last().ears.bytes(bytes);
    },
    drop: (code = 1_006) => last().ears.close(code),
    types: () => last().sent.map((sent) => (sent instanceof ArrayBuffer ? "sound" : sent.type)),
  };
}

/** A talk in which turn 0 is being answered. */
function answering() {
  const all = begin();
  all.ready();
  all.tell({ type: "state", state: "listening" });
  all.tell({ type: "transcript", utterance: 0, text: "the rain", final: true });
  all.tell({ type: "turn", turn: 0, text: "the rain" });
  all.tell({ type: "state", state: "thinking" });
  all.tell({ type: "turn-id", turn: 0, turn_id: "trn_0", message_id: "msg_0" });
  all.tell({ type: "text", turn: 0, delta: "It rains. " });
  all.sound(0, 0);
  all.tell({ type: "state", state: "speaking" });
  return all;
}

test("a turn from its first words to its end", () => {
  const { talk, tell, ready, last } = begin();
  expect(talk.view.phase).toBe("opening");
  ready();
  tell({ type: "state", state: "listening" });
  tell({ type: "transcript", utterance: 0, text: "the", final: false });
  tell({ type: "transcript", utterance: 0, text: "the rain", final: false });
  expect(talk.view.caption).toBe("the rain");
  tell({ type: "transcript", utterance: 0, text: "the rain", final: true });
  tell({ type: "transcript", utterance: 1, text: "kept", final: false });
  expect(talk.view.caption).toBe("the rain kept");
  tell({ type: "turn", turn: 0, text: "the rain kept me awake" });
  expect(talk.view.caption).toBe("");
  tell({ type: "turn-id", turn: 0, turn_id: "trn_0", message_id: "msg_0" });
  tell({ type: "part", turn: 0, part: { type: "data-safety", data: { level: 2 } } });
  tell({ type: "text", turn: 0, delta: "It " });
  tell({ type: "text", turn: 0, delta: "rains." });
  tell({ type: "state", state: "speaking" });
  const [turn] = talk.view.turns;
  expect(turn).toMatchObject({ said: "the rain kept me awake", id: "trn_0", messageId: "msg_0", text: "It rains.", outcome: null, parts: [{ type: "data-safety" }] });
  tell({ type: "turn-end", turn: 0, turn_id: "trn_0", outcome: "finished" });
  tell({ type: "state", state: "idle" });
  expect([talk.view.turns[0]?.outcome, talk.view.state]).toEqual(["finished", "idle"]);
  talk.forget(turn?.key ?? "");
  expect([talk.view.turns.length, last().sent]).toEqual([0, []]);
});

test("what is said before there is a connection is heard after it, in order", () => {
  const { talk, ready, last } = begin();
  const pieces = Array.from({ length: 1_600 }, () => new ArrayBuffer(640));
  pieces.forEach((piece) => talk.sound(piece));
  talk.say("written");
  ready();
  expect(last().sent[0]).toEqual({ type: "text", text: "written" });
  // Half a minute of it; what is older is dropped.
  expect(last().sent.slice(1)).toEqual(pieces.slice(-1_500));
  const more = new ArrayBuffer(640);
  talk.sound(more);
  expect(last().sent.at(-1)).toBe(more);
});

test("speaking into an answer silences it at once, and what was heard was told", () => {
  const { talk, playback, clock, tell, sound, silenced, last } = answering();
  sound(0, 1);
  clock.now = 0.08 + 0.12;
  talk.report();
  talk.report();
  expect(last().sent).toEqual([{ type: "played", turn: 0, played_ms: 120 }]);
  tell({ type: "flush", turn: 0 });
  expect([playback.isPlaying, silenced.count]).toEqual([false, 1]);
  sound(0, 2);
  expect(playback.isPlaying).toBe(false);
  tell({ type: "turn-end", turn: 0, turn_id: "trn_0", outcome: "stopped" });
  tell({ type: "state", state: "listening" });
  tell({ type: "turn", turn: 1, text: "wait" });
  sound(1, 0);
  expect([playback.isPlaying, playback.turn, talk.view.turns.length]).toEqual([true, 1, 2]);
});

test("a stop by hand is silent before the server knows", () => {
  const { talk, playback, clock, last } = answering();
  clock.now = 0.08 + 0.03;
  talk.stop();
  expect(playback.isPlaying).toBe(false);
  expect(last().sent).toEqual([{ type: "played", turn: 0, played_ms: 30 }, { type: "stop" }]);
});

test("a lost connection comes back with what is here, and the turn goes on", () => {
  const { talk, playback, tell, ready, sound, sockets, drop, last } = answering();
  sound(0, 1);
  drop();
  expect([talk.view.phase, playback.isPlaying]).toEqual(["lost", true]);
  talk.sound(new ArrayBuffer(640));
  vi.advanceTimersByTime(300);
  expect([sockets.length, last().query]).toEqual([2, { turn: 0, received: 2 }]);
  drop();
  vi.advanceTimersByTime(600);
  ready(true, { turn: 0, turn_id: "trn_0", text: "It rains. And it" });
  tell({ type: "state", state: "speaking" });
  sound(0, 1);
  sound(0, 2);
  tell({ type: "text", turn: 0, delta: " stops." });
  expect(talk.view).toMatchObject({ phase: "open", state: "speaking", turns: [{ text: "It rains. And it stops.", outcome: null }] });
  expect(playback.received).toBe(3);
  expect(last().sent.length).toBe(1);
  // A socket of before says nothing more.
  sockets[0]?.ears.text(JSON.stringify({ type: "text", turn: 0, delta: "late" }));
  sockets[0]?.ears.close(1_006);
  expect([talk.view.phase, talk.view.turns[0]?.text]).toEqual(["open", "It rains. And it stops."]);
});

test("what ended or began while nobody heard it is made good", () => {
  const ended = answering();
  ended.drop();
  vi.advanceTimersByTime(300);
  ended.ready(true, { turn: 0, turn_id: "trn_0", text: "It rains." });
  ended.tell({ type: "state", state: "idle" });
  expect(ended.talk.view.turns[0]?.outcome).toBe("stopped");

  const begun = answering();
  begun.drop();
  vi.advanceTimersByTime(300);
  begun.ready(true, { turn: 1, turn_id: "trn_1", text: "Yes" });
  expect(begun.talk.view.turns.map(({ number, said, id, text }) => [number, said, id, text])).toEqual([[0, "the rain", "trn_0", "It rains. "], [1, null, "trn_1", "Yes"]]);

  // The server forgot the talk: its turns are counted anew.
  const forgotten = answering();
  const key = forgotten.talk.view.turns[0]?.key;
  forgotten.drop();
  vi.advanceTimersByTime(300);
  forgotten.ready(false);
  forgotten.tell({ type: "turn", turn: 0, text: "again" });
  forgotten.sound(0, 0);
  expect(forgotten.talk.view.turns.map(({ said, outcome }) => [said, outcome])).toEqual([["the rain", "stopped"], ["again", null]]);
  expect(forgotten.talk.view.turns[1]?.key).not.toBe(key);
  expect(forgotten.playback.received).toBe(1);
});

test("an answer that another page left behind is not heard here", () => {
  const { talk, playback, ready, sound, tell, types } = begin();
  ready(true, { turn: 4, turn_id: "trn_4", text: "From before" });
  sound(4, 0);
  expect([talk.view.turns, playback.isPlaying, types()]).toEqual([[], false, ["stop"]]);
  tell({ type: "turn", turn: 5, text: "new" });
  sound(5, 0);
  expect(playback.isPlaying).toBe(true);
});

test("a connection that does not come back ends the talk, and one that never comes too", () => {
  const { talk, drop, sockets, tell } = answering();
  drop();
  for (let ms = 0; ms < 21_000 && talk.view.phase === "lost"; ms += 100) {
    vi.advanceTimersByTime(100);
    if (sockets.length > 1 && ms % 1_000 === 0) drop();
  }
  expect(talk.view).toMatchObject({ phase: "over", ending: "gone", turns: [{ outcome: "stopped" }] });
  const count = sockets.length;
  vi.advanceTimersByTime(60_000);
  tell({ type: "text", turn: 0, delta: "late" });
  expect([sockets.length, talk.view.turns[0]?.text]).toEqual([count, "It rains. "]);

  const never = begin();
  for (let n = 0; n < 40; n++) {
    never.drop();
    vi.advanceTimersByTime(500);
  }
  expect(never.talk.view).toMatchObject({ phase: "over", ending: "unreachable" });
});

test("a talk that is taken over by another window, or quiet for long, says so and ends", () => {
  const replaced = answering();
  replaced.drop(4_001);
  expect([replaced.talk.view.phase, replaced.talk.view.ending, replaced.playback.isPlaying]).toEqual(["over", "replaced", false]);
  vi.advanceTimersByTime(60_000);
  expect(replaced.sockets.length).toBe(1);

  const quiet = begin();
  quiet.ready();
  quiet.tell({ type: "closed", reason: "idle" });
  expect([quiet.talk.view.ending, quiet.last().closed]).toEqual(["quiet", true]);
});

test("hanging up is silent at once, sends no more sound, and still writes down the end", () => {
  const { talk, playback, tell, sound, types, last, drop } = answering();
  talk.end();
  expect([talk.view.phase, talk.view.ending, playback.isPlaying, types()]).toEqual(["over", null, false, ["played", "hang-up"]]);
  talk.sound(new ArrayBuffer(640));
  sound(0, 1);
  tell({ type: "text", turn: 0, delta: "So it" });
  tell({ type: "turn-end", turn: 0, turn_id: "trn_0", outcome: "stopped" });
  tell({ type: "closed", reason: "hung-up" });
  drop(1_000);
  expect(talk.view.turns).toMatchObject([{ text: "It rains. So it", outcome: "stopped" }]);
  expect([types().length, playback.isPlaying, last().closed]).toEqual([2, false, false]);

  // A server that says nothing more does not keep the turn open.
  const mute = answering();
  mute.talk.end();
  vi.advanceTimersByTime(5_000);
  expect([mute.talk.view.turns[0]?.outcome, mute.last().closed]).toEqual(["stopped", true]);
});

test("a voice that stays silent is told once the text is whole; one that comes back is not", () => {
  const { talk, tell } = answering();
  tell({ type: "error", error: "speech-busy" });
  expect(talk.view.trouble).toBeNull();
  tell({ type: "turn-end", turn: 0, turn_id: "trn_0", outcome: "failed" });
  expect(talk.view.trouble).toBe("mute");
  tell({ type: "turn", turn: 1, text: "and now" });
  expect(talk.view.trouble).toBeNull();
  tell({ type: "error", error: "speech-busy" });
  tell({ type: "text", turn: 1, delta: "Better." });
  tell({ type: "turn-end", turn: 1, turn_id: "trn_1", outcome: "finished" });
  expect(talk.view.trouble).toBeNull();
  // No turn: it was the person who was not understood, and words that come too late are not shown.
  tell({ type: "error", error: "speech-timeout" });
  tell({ type: "state", state: "idle" });
  tell({ type: "transcript", utterance: 3, text: "late", final: true });
  expect([talk.view.trouble, talk.view.caption]).toEqual(["unheard", ""]);
  tell({ type: "turn", turn: 2, text: "too much" });
  tell({ type: "error", error: "rate-limited" });
  tell({ type: "turn-end", turn: 2, turn_id: null, outcome: "failed" });
  expect(talk.view.trouble).toBe("rate-limited");
});
