// Where figures lie on an axis: sparklines, intervals, thresholds. Pure; the units are the drawing's.

export interface Domain { min: number; max: number }

/** The range that shows all values with a little air, and never has no width. */
export function domainOf(values: (number | null | undefined)[], air = 0.08): Domain {
  const known = values.filter((value): value is number => typeof value === "number" && Number.isFinite(value));
  if (known.length === 0) return { min: 0, max: 1 };
  const [min, max] = [Math.min(...known), Math.max(...known)];
  const room = (max - min) * air || Math.abs(max) * 0.1 || 1;
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

/** A sparkline's path with a gap where nothing is known, and its last point. */
export function spark(values: (number | null | undefined)[], width: number, height: number, pad = 2): { d: string; last: [number, number] | null } {
  const domain = domainOf(values, 0);
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

const round = (value: number) => Math.round(value * 100) / 100;

/** Round numbers that divide a range into about `n` parts. */
export function ticks({ min, max }: Domain, n = 4): number[] {
  const raw = (max - min) / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) ?? 10) * power;
  const found: number[] = [];
  for (let k = Math.ceil(min / step - 1e-9); k * step <= max + step * 1e-9; k++) found.push(k === 0 ? 0 : Number((k * step).toPrecision(12)));
  return found;
}
