// From the device's sample rate to another one: a windowed sinc (Blackman), with one set of coefficients for each of the
// positions that an output sample can have between two input samples. What comes out does not depend on how it was cut.

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 16;
/** Of the lower rate's bandwidth; the rest is for the filter's slope. */
const BAND = 0.92;

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
/** From -1 to 1. */
const blackman = (x: number) => (Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x));

export class Resampler {
  private readonly phases: number;
  private readonly step: number;
  private readonly half: number;
  private readonly table: Float32Array[];
  /** Input that is still needed, from `half - 1` samples before the next output sample. */
  private rest: Float32Array;
  /** Position of the next output sample between two input samples. */
  private phase = 0;
  /** Input samples that the last step was ahead of what there was. */
  private skip = 0;

  /** Rates in hertz. */
  constructor(from: number, to: number) {
    const common = gcd(from, to);
    this.phases = to / common;
    this.step = from / common;
    const band = Math.min(1, to / from) * BAND;
    this.half = Math.ceil(CROSSINGS * Math.max(1, from / to));
    this.table = Array.from({ length: this.phases }, (_, phase) => {
      const taps = Float32Array.from({ length: 2 * this.half }, (_, tap) => {
        const x = tap - (this.half - 1) - phase / this.phases;
        return sinc(x * band) * blackman(x / this.half);
      });
      const sum = taps.reduce((all, tap) => all + tap, 0);
      return taps.map((tap) => tap / sum);
    });
    this.rest = new Float32Array(this.half - 1);
  }

  push(samples: Float32Array): Float32Array {
    const input = new Float32Array(this.rest.length + samples.length);
    input.set(this.rest);
    input.set(samples, this.rest.length);
    const out: number[] = [];
    let at = this.skip;
    while (at + 2 * this.half <= input.length) {
      const taps = this.table[this.phase] ?? this.rest;
      let sum = 0;
      for (let tap = 0; tap < taps.length; tap++) sum += (taps[tap] ?? 0) * (input[at + tap] ?? 0);
      out.push(sum);
      this.phase += this.step;
      at += Math.floor(this.phase / this.phases);
      this.phase %= this.phases;
    }
    // A step may be longer than what is left: then the rest of it is taken from what comes next.
    this.rest = input.slice(Math.min(at, input.length));
    this.skip = Math.max(0, at - input.length);
    return Float32Array.from(out);
  }
}
