import { expect, test } from "vitest";
import { type Output, Playback } from "./playback";
import { OUT_RATE_HZ } from "./wire";

/** A clock that is turned by hand, and what was scheduled: start, end, whether it was silenced. */
function speaker(latency = 0) {
  const played: { start: number; end: number; silencedAt: number | null }[] = [];
  const clock = { now: 0 };
  const output: Output = {
    now: () => clock.now,
    latency: () => latency,
    play: (samples, start) => {
      const piece = { start, end: start + samples.length / OUT_RATE_HZ, silencedAt: null as number | null };
      played.push(piece);
      return () => { piece.silencedAt = clock.now; };
    },
  };
  return { clock, played, playback: new Playback(output) };
}
const samples = (ms: number) => new Float32Array((OUT_RATE_HZ * ms) / 1_000);
const push = (playback: Playback, turn: number, block: number, ms = 100) => playback.push({ turn, block, samples: samples(ms) });

test("blocks join without a gap, on whole samples, after a short lead", () => {
  const { clock, played, playback } = speaker();
  clock.now = 1.23456789;
  for (let block = 0; block < 3; block++) push(playback, 0, block);
  expect(played[0]?.start).toBeGreaterThanOrEqual(clock.now + 0.08);
  expect(Math.abs((played[0]?.start ?? 0) * OUT_RATE_HZ - Math.round((played[0]?.start ?? 0) * OUT_RATE_HZ))).toBeLessThan(1e-6);
  for (const n of [1, 2]) expect(played[n]?.start).toBe(played[n - 1]?.end);
  expect([playback.received, playback.turn, playback.isPlaying]).toEqual([3, 0, true]);
});

test("what was heard is what was played, without what is still on its way to the ear", () => {
  const { clock, playback } = speaker(0.05);
  push(playback, 0, 0);
  push(playback, 0, 1);
  expect(playback.playedMs).toBe(0);
  clock.now = 0.08 + 0.05 + 0.15;
  expect(playback.playedMs).toBe(150);
  clock.now = 9;
  expect([playback.playedMs, playback.isPlaying]).toEqual([200, false]);
  // A gap counts for nothing.
  push(playback, 0, 2, 50);
  clock.now = 10;
  expect(playback.playedMs).toBe(250);
});

test("after a flush nothing more of the turn is heard, and what was heard stays", () => {
  const { clock, played, playback } = speaker();
  for (let block = 0; block < 5; block++) push(playback, 3, block);
  clock.now = 0.08 + 0.17;
  playback.flush(3);
  expect(played.map(({ silencedAt }) => silencedAt)).toEqual([null, 0.25, 0.25, 0.25, 0.25]);
  expect([playback.isPlaying, playback.playedMs]).toEqual([false, 170]);
  push(playback, 3, 5);
  push(playback, 2, 0);
  clock.now = 2;
  expect([played.length, playback.playedMs]).toEqual([5, 170]);
  push(playback, 4, 0);
  expect([played.length, playback.turn, playback.playedMs]).toEqual([6, 4, 0]);
});

test("a block is played once, also after a connection was lost; a newer turn silences an older one", () => {
  const { played, playback } = speaker();
  push(playback, 0, 0);
  push(playback, 0, 0);
  // The server does not send again what it knows to have been heard.
  push(playback, 0, 2);
  push(playback, 0, 1);
  expect([played.length, playback.received]).toEqual([2, 3]);
  push(playback, 1, 0);
  expect(played.slice(0, 2).every(({ silencedAt }) => silencedAt !== null)).toBe(true);
  playback.reset();
  push(playback, 0, 0);
  expect([played.length, playback.turn]).toEqual([4, 0]);
});

test("whatever happens, what was heard never shrinks within a turn and never exceeds what came", () => {
  let seed = 11;
  const random = (below: number) => { seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; return Math.floor((seed / 2 ** 31) * below); };
  for (let run = 0; run < 200; run++) {
    const { clock, playback } = speaker(random(2) * 0.03);
    let [heard, came, block] = [0, 0, 0];
    for (let step = 0; step < 30; step++) {
      const what = random(10);
      if (what < 5) {
        const ms = 20 + random(200);
        push(playback, 0, block++, ms);
        came += ms;
      } else if (what < 9) clock.now += random(300) / 1_000;
      else playback.flush(0);
      expect(playback.playedMs).toBeGreaterThanOrEqual(heard);
      heard = playback.playedMs;
      expect(heard).toBeLessThanOrEqual(came);
    }
  }
});
