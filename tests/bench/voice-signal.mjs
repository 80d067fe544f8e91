// The sound by which the benchmark's callers are told apart: a voiced tone whose peak is the caller's number.
export const BASE_PEAK = 6_000;
export const PEAK_STEP = 200;
/** What each vendor waits before it answers, milliseconds. */
export const WAIT_MS = 50;
export const RATE = 16_000;

/** `ms` of a caller's voice at 16 kHz. */
export function voice(who, ms) {
  const samples = Float64Array.from({ length: (RATE * ms) / 1000 }, (_, n) => Math.sin((2 * Math.PI * 200 * n) / RATE) + 0.5 * Math.sin((2 * Math.PI * 600 * n) / RATE));
  const peak = samples.reduce((most, sample) => Math.max(most, sample), 0);
  return Int16Array.from(samples, (sample) => (sample / peak) * (BASE_PEAK + PEAK_STEP * who));
}
