// Samples as numbers: 16-bit PCM for the wire, floats from -1 to 1 for the browser, and how loud they are.

export function toPcm16(samples: Float32Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(samples.length);
  samples.forEach((sample, at) => { out[at] = Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))); });
  return out;
}

/** Little endian, whatever the machine has. */
export function fromPcm16(bytes: DataView): Float32Array<ArrayBuffer> {
  const out = new Float32Array(bytes.byteLength >> 1);
  for (let at = 0; at < out.length; at++) out[at] = bytes.getInt16(2 * at, true) / 32_768;
  return out;
}

/** Decibels of full scale: what a quiet room and a near voice have. */
const QUIET = -58;
const LOUD = -14;

/** How loud samples are to the ear, 0 to 1. */
export function level(samples: Float32Array): number {
  if (samples.length === 0) return 0;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const dbfs = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.max(0, Math.min(1, (dbfs - QUIET) / (LOUD - QUIET)));
}
