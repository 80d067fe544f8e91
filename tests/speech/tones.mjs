// Text as sound and back, so that what a mock voice said can be written down by a mock recogniser: a round trip proves that
// the sound between them was carried whole and in order, at whatever sample rate.
//
// Each half byte of UTF-8 is a tone of 24 ms. All tones are multiples of 125 Hz, so that the sound repeats every 8 ms as a
// voice does, and is heard as one by a detector of voices. Words have silence between them.
const SYMBOL_MS = 24;
const GAP_SYMBOLS = 3;
/** Silence from which on something else is said. */
const PAUSE_MS = 150;
const BASE_HZ = 625;
const STEP_HZ = 125;
const AMPLITUDE = 8_000;
const SILENCE = 300;

/** The samples of a text, one channel of 16 bits. */
export function speak(text, rate = 24_000) {
  const symbols = [];
  for (const word of text.split(/(?<= )/)) {
    for (const byte of Buffer.from(word)) symbols.push(byte >> 4, byte & 15);
    for (let gap = 0; gap < GAP_SYMBOLS; gap++) symbols.push(null);
  }
  const start = (n) => Math.round((n * SYMBOL_MS * rate) / 1000);
  const samples = new Int16Array(start(symbols.length));
  for (const [n, symbol] of symbols.entries()) {
    if (symbol === null) continue;
    const hz = BASE_HZ + STEP_HZ * symbol;
    const fade = rate / 500;
    for (let at = start(n); at < start(n + 1); at++) {
      const edge = Math.min(1, (at - start(n)) / fade, (start(n + 1) - at) / fade);
      samples[at] = AMPLITUDE * edge * Math.sin((2 * Math.PI * hz * at) / rate);
    }
  }
  return samples;
}

/** Power of one frequency (Goertzel 1958). */
function power(samples, from, to, hz, rate) {
  const turn = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let [one, two] = [0, 0];
  for (let at = from; at < to; at++) [one, two] = [(samples[at] ?? 0) + turn * one - two, one];
  return one * one + two * two - turn * one * two;
}

/** What is said in samples: each stretch between pauses with its times. */
export function hear(samples, rate) {
  const step = Math.round(rate / 1000);
  const loud = (ms) => {
    for (let at = ms * step; at < (ms + 1) * step; at++) if (Math.abs(samples[at] ?? 0) > SILENCE) return true;
    return false;
  };
  const length = Math.floor(samples.length / step);
  const said = [];
  for (let ms = 0; ms < length; ms++) {
    if (!loud(ms)) continue;
    let end = ms;
    for (let at = ms; at < length && at - end < PAUSE_MS; at++) if (loud(at)) end = at;
    // The onset lies within its millisecond: the loudest alignment is taken.
    said.push({ text: decode(samples, ms * step, (end + 1) * step, rate), start_ms: ms, end_ms: end + 1 });
    ms = end + PAUSE_MS - 1;
  }
  return said.filter((part) => part.text);
}

function decode(samples, from, to, rate) {
  const symbol = (rate * SYMBOL_MS) / 1000;
  const half = [];
  for (let n = 0; from + (n + 0.5) * symbol < to; n++) {
    const [start, end] = [Math.round(from + (n + 0.17) * symbol), Math.round(from + (n + 0.83) * symbol)];
    let sum = 0;
    for (let at = start; at < end; at++) sum += (samples[at] ?? 0) ** 2;
    if (Math.sqrt(sum / (end - start)) < SILENCE) continue;
    const powers = Array.from({ length: 16 }, (_, tone) => power(samples, start, end, BASE_HZ + STEP_HZ * tone, rate));
    half.push(powers.indexOf(Math.max(...powers)));
  }
  const bytes = Buffer.from(Array.from({ length: half.length >> 1 }, (_, n) => (half[2 * n] << 4) | half[2 * n + 1]));
  return bytes.toString().trim();
}

/** Bytes of samples, little endian. */
export const bytesOf = (samples) => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);

/** Samples of bytes, little endian. */
export const samplesOf = (bytes) => new Int16Array(Uint8Array.from(bytes.subarray(0, bytes.length & ~1)).buffer);

/** A WAV file; `whole: false` leaves the lengths open, as servers that stream do. */
export function wav(samples, rate, { whole = true } = {}) {
  const head = Buffer.alloc(44);
  const size = samples.length * 2;
  head.write("RIFF", 0);
  head.writeUInt32LE(whole ? size + 36 : 0xffffffff, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(whole ? size : 0xffffffff, 40);
  return Buffer.concat([head, bytesOf(samples)]);
}

/** Samples and rate of a WAV file of 16 bits and one channel, or nothing. */
export function readWav(bytes) {
  if (bytes.length < 44 || bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.toString("latin1", 8, 12) !== "WAVE") return null;
  let rate = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [name, size] = [bytes.toString("latin1", at, at + 4), bytes.readUInt32LE(at + 4)];
    if (name === "fmt ") {
      if (bytes.readUInt16LE(at + 8) !== 1 || bytes.readUInt16LE(at + 10) !== 1 || bytes.readUInt16LE(at + 22) !== 16) return null;
      rate = bytes.readUInt32LE(at + 12);
    }
    if (name === "data") return { rate, samples: samplesOf(bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + size))) };
    at += 8 + size + (size & 1);
  }
  return null;
}
