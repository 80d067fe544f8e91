import { expect, test } from "vitest";
import { fromPcm16, level, toPcm16 } from "./sound";
import { block, parse } from "./wire";

const tone = (peak: number) => Float32Array.from({ length: 1_600 }, (_, n) => peak * Math.sin((2 * Math.PI * n) / 16));

test("samples become 16 bits and back; what is too loud is cut", () => {
  expect([...toPcm16(Float32Array.of(0, 1, -1, 2, -2, 0.5, -0.25))]).toEqual([0, 32_767, -32_768, 32_767, -32_768, 16_384, -8_192]);
  const bytes = new DataView(Uint8Array.of(0, 0, 0xff, 0x7f, 0, 0x80, 0, 0x40).buffer);
  expect([...fromPcm16(bytes)]).toEqual([0, 32_767 / 32_768, -1, 0.5]);
});

test("a level is 0 in silence, 1 for a near voice, and rises with decibels", () => {
  expect(level(new Float32Array(320))).toBe(0);
  expect(level(new Float32Array(0))).toBe(0);
  expect(level(tone(1))).toBe(1);
  // -36 dBFS lies in the middle of -58 and -14.
  expect(level(tone(Math.SQRT2 * 10 ** (-36 / 20)))).toBeCloseTo(0.5, 3);
  const levels = [0.004, 0.016, 0.064, 0.256].map((peak) => level(tone(peak)));
  for (let n = 1; n < levels.length; n++) expect((levels[n] ?? 0) - (levels[n - 1] ?? 0)).toBeCloseTo((20 * Math.log10(4)) / 44, 5);
});

test("sound on the wire has its turn and block before it, little endian", () => {
  const bytes = Uint8Array.of(2, 1, 0, 0, 3, 0, 0, 0, 0, 0x40, 0, 0xc0);
  expect(block(bytes.buffer)).toEqual({ turn: 258, block: 3, samples: Float32Array.of(0.5, -0.5) });
  expect(block(new ArrayBuffer(8))).toBeNull();
  expect([parse("{oops"), parse("null"), parse("[]"), parse('{"type":1}')]).toEqual([null, null, null, null]);
  expect(parse('{"type":"pong"}')).toEqual({ type: "pong" });
});
