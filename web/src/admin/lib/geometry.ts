// Where figures lie on an axis: sparklines, intervals, thresholds. Pure; the units are the drawing's.

export interface Domain { min: number; max: number }

/** The range that shows all values with a little air, and never has no width. */
export function domainOf(values: (number | null | undefined)[], air = 0.08): Domain {
  const known = values.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  if (known.length === 0) return { min: 0, max: 1 };
  const [min, max] = [Math.min(...known), Math.max(...known)];
  const room = max === min ? Math.abs(max) * 0.1 || 1 : (max - min) * air;
  return { min: min - room, max: max + room };
}

/** From a value to its place between 0 and `size`; what is outside is put at the edge. */
export const scale = ({ min, max }: Domain, size: number) => (value: number): number => Math.min(size, Math.max(0, ((value - min) / (max - min)) * size));

export interface Span { from: number; to: number; isOpenLow: boolean; isOpenHigh: boolean }

/** An interval's place; an end that is not known reaches the edge and is open. */
export function span(domain: Domain, size: number, low: number | null | undefined, high: number | null | undefined): Span {
  const place = scale(domain, size);
  const ends = (value: number | null | undefined): value is number => typeof value === "number" && Number.isFinite(value);
  return {
    from: ends(low) ? place(low) : 0, to: ends(high) ? place(high) : size,
    isOpenLow: !ends(low) || low < domain.min, isOpenHigh: !ends(high) || high > domain.max,
  };
}

/** A sparkline is at least so high, as a share of its values: noise is not drawn as if it were news. */
const LEAST_RANGE = 0.2;

/** A sparkline's path with a gap where nothing is known, and its last point. */
export function spark(values: (number | null | undefined)[], width: number, height: number, pad = 2, leastRange = 0): { d: string; last: [number, number] | null } {
  const { min, max } = domainOf(values, 0);
  const room = Math.max(0, Math.max(leastRange, Math.max(Math.abs(min), Math.abs(max)) * LEAST_RANGE) - (max - min)) / 2;
  const domain = { min: min - room, max: max + room };
  const y = scale(domain, height - 2 * pad);
  const step = values.length > 1 ? (width - 2 * pad) / (values.length - 1) : 0;
  let d = "";
  let last: [number, number] | null = null;
  let isDown = false;
  for (const [index, value] of values.entries()) {
    if (typeof value !== "number" || !Number.isFinite(value)) { isDown = false; continue; }
    const point: [number, number] = [round(pad + index * step), round(height - pad - y(value))];
    d += `${isDown ? "L" : "M"}${point[0]} ${point[1]}`;
    [isDown, last] = [true, point];
  }
  return { d, last };
}

/** A round step that divides a range into about `n` parts: 1, 2 or 5 of a power of ten. */
function stepOf({ min, max }: Domain, n: number): number {
  const raw = (max - min) / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  return ([1, 2, 5, 10].find((factor) => factor * power >= raw * (1 - 1e-9)) ?? 10) * power;
}

// Of a step's multiples without the dust of binary fractions.
const multiples = (from: number, to: number, step: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => ((from + k) === 0 ? 0 : Number(((from + k) * step).toPrecision(12))));

/** Round numbers within a range. */
export function ticks(domain: Domain, n = 4): number[] {
  const step = stepOf(domain, n);
  return multiples(Math.ceil(domain.min / step - 1e-9), Math.floor(domain.max / step + 1e-9), step);
}

/** A range widened to round numbers, and those numbers: for an axis whose labels can be read. It ends at `most`, which no value can pass. */
export function axis(values: (number | null | undefined)[], n = 3, withZero = false, most = Infinity): { domain: [number, number]; ticks: number[] } {
  const raw = domainOf(withZero ? [0, ...values] : values, withZero ? 0 : 0.05);
  const isPositive = values.every((value) => (value ?? 0) >= 0);
  const range = { min: isPositive ? Math.max(0, raw.min) : raw.min, max: Math.min(most, raw.max) };
  const step = stepOf(range, n);
  const found = multiples(Math.floor(range.min / step + 1e-9), Math.ceil(range.max / step - 1e-9), step).filter((tick) => tick <= most);
  return { domain: [found[0] ?? 0, found.at(-1) ?? 1], ticks: found };
}

const round = (value: number) => Math.round(value * 100) / 100;
