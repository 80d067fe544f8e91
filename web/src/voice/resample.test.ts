import { expect, test } from "vitest";
import { Resampler } from "./resample";

const sine = (hz: number, rate: number, seconds: number) => Float32Array.from({ length: rate * seconds }, (_, n) => 0.5 * Math.sin((2 * Math.PI * hz * n) / rate));
const rms = (samples: Float32Array) => Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
/** Without the filter's beginning. */
const steady = (samples: Float32Array) => samples.slice(Math.floor(samples.length / 4));
const decibels = (ratio: number) => 20 * Math.log10(ratio);

for (const rate of [48_000, 44_100, 96_000, 32_000, 8_000]) {
  test(`a voice's tones keep their level and their pitch at ${rate} Hz`, () => {
    for (const hz of [120, 440, 1_000, 3_000]) {
      const out = steady(new Resampler(rate, 16_000).push(sine(hz, rate, 1)));
      expect(Math.abs(decibels(rms(out) / (0.5 / Math.SQRT2))), `${hz} Hz`).toBeLessThan(0.1);
      let rises = 0;
      for (let n = 1; n < out.length; n++) if ((out[n - 1] ?? 0) < 0 && (out[n] ?? 0) >= 0) rises++;
      expect(Math.abs(rises - hz * (out.length / 16_000)), `${hz} Hz`).toBeLessThan(2);
    }
  });
}

test("what 16 kHz cannot carry is gone, rather than heard as something else", () => {
  for (const [rate, hz] of [[48_000, 9_500], [48_000, 12_000], [48_000, 17_000], [44_100, 10_000], [96_000, 30_000]] as const) {
    const out = steady(new Resampler(rate, 16_000).push(sine(hz, rate, 1)));
    expect(decibels(rms(out) / (0.5 / Math.SQRT2)), `${hz} Hz of ${rate}`).toBeLessThan(-55);
  }
});

test("how the sound was cut makes no difference", () => {
  let seed = 5;
  const random = () => { seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31; return seed / 2 ** 31; };
  for (const rate of [48_000, 44_100, 8_000]) {
    const noise = Float32Array.from({ length: 6_000 }, () => random() - 0.5);
    const whole = new Resampler(rate, 16_000).push(noise);
    for (let run = 0; run < 20; run++) {
      const pieces: number[] = [];
      const resampler = new Resampler(rate, 16_000);
      for (let at = 0; at < noise.length; ) {
        const length = Math.floor(random() * (run % 2 ? 200 : 4));
        pieces.push(...resampler.push(noise.subarray(at, at + length)));
        at += length;
      }
      expect(pieces).toEqual([...whole]);
    }
    expect(Math.abs(whole.length - (noise.length * 16_000) / rate)).toBeLessThan(40);
  }
});
