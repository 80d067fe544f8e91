// Figures as people read them. Every function takes null for "not known" and gives a dash.
export const NONE = "–";
type Maybe = number | null | undefined;

const known = (value: Maybe): value is number => typeof value === "number" && Number.isFinite(value);
const group = (value: number, digits = 0) => value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const MINUS = "\u2212";
const signed = (value: number, text: (size: number) => string) => {
  const size = text(Math.abs(value));
  // What rounds to nothing has no sign.
  return /[1-9]/.test(size) ? `${value < 0 ? MINUS : "+"}${size}` : size;
};

export const count = (value: Maybe) => (known(value) ? group(value) : NONE);

export function compact(value: Maybe): string {
  if (!known(value)) return NONE;
  return value.toLocaleString("en-US", { notation: "compact", maximumFractionDigits: 1 });
}

export function ms(value: Maybe): string {
  if (!known(value)) return NONE;
  return Math.abs(value) < 1_000 ? `${group(value)} ms` : `${group(value / 1_000, Math.abs(value) < 10_000 ? 2 : 1)} s`;
}

/** Micros of a dollar; small amounts keep three digits that mean something. */
export function money(micros: Maybe, meaning = 3): string {
  if (!known(micros)) return NONE;
  const dollars = Math.abs(micros) / 1e6;
  const sign = micros < 0 ? MINUS : "";
  if (dollars >= 100) return `${sign}$${group(dollars)}`;
  if (dollars >= 1 || dollars === 0) return `${sign}$${group(dollars, 2)}`;
  const digits = Math.min(6, Math.max(2, meaning - 1 - Math.floor(Math.log10(dollars))));
  return `${sign}$${dollars.toFixed(digits)}`;
}

export const signedMoney = (micros: Maybe) => (known(micros) ? signed(micros, (size) => money(size, 2)) : NONE);

/** An amount on an axis: no more digits than it needs. */
export const moneyTick = (micros: number) => `$${(micros / 1e6).toLocaleString("en-GB", { maximumFractionDigits: 6 })}`;
export const percentTick = (share: number) => `${(share * 100).toLocaleString("en-GB", { maximumFractionDigits: 3 })} %`;
export const msTick = (value: number) => (value !== 0 && Math.abs(value) < 1_000 ? `${group(value)} ms` : `${(value / 1_000).toLocaleString("en-GB", { maximumFractionDigits: 2 })} s`);

/** A share of 1. */
export function percent(share: Maybe, digits = 1): string {
  return known(share) ? `${group(share * 100, digits)} %` : NONE;
}

/** A share of 100, as rollouts are kept: up to two digits where they are used. */
export const points = (value: Maybe) => (known(value) ? `${value.toLocaleString("en-GB", { maximumFractionDigits: 2 })} %` : NONE);
export const score = (value: Maybe) => (known(value) ? value.toFixed(2) : NONE);
export const signedScore = (value: Maybe) => (known(value) ? signed(value, (size) => size.toFixed(2)) : NONE);
export const signedPercent = (value: Maybe, digits = 1) => (known(value) ? signed(value, (size) => `${group(size * 100, digits)} %`) : NONE);
export const signedPoints = (value: Maybe) => (known(value) ? signed(value, (size) => size.toLocaleString("en-GB", { maximumFractionDigits: 2 })) : NONE);

export function pValue(p: Maybe): string {
  if (!known(p)) return NONE;
  if (p < 0.001) return "< 0.001";
  return p.toFixed(p < 0.1 ? 3 : 2);
}

const time = (text: string) => { const at = Date.parse(text); return Number.isNaN(at) ? null : at; };

export function dateTime(text: string | null | undefined): string {
  const at = text ? time(text) : null;
  return at === null ? NONE : new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at);
}

/** `2026-11-21` as `21 Nov`; days are UTC days. */
export function day(text: string): string {
  const at = time(text);
  return at === null ? text : new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }).format(at);
}

const STEPS: [number, Intl.RelativeTimeFormatUnit][] = [[86_400_000, "day"], [3_600_000, "hour"], [60_000, "minute"], [1_000, "second"]];

/** How long ago, or in how long. */
export function ago(text: string | null | undefined, now: number): string {
  const at = text ? time(text) : null;
  if (at === null) return NONE;
  const words = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto" });
  for (const [size, unit] of STEPS) {
    const n = Math.trunc((at - now) / size);
    if (n !== 0) return unit === "day" && Math.abs(n) > 30 ? day(text ?? "") : words.format(n, unit);
  }
  return "now";
}

/** A length of time as `4:05`. */
export function clock(duration_ms: number): string {
  const seconds = Math.max(0, Math.ceil(duration_ms / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export const isoDay = (at: number) => new Date(at).toISOString().slice(0, 10);
