// From the bodies of the metrics routes to what the views read. Pure; fields that a deployment does not send yet have a meaning too.
import type { Costs, Day, Figures, Live, Overview, Safety } from "./types";

const SUMS = ["turns", "sessions", "ratings", "tokens_in", "tokens_out"] as const;
// What each mean is weighted by. Quantiles of several days are the mean of theirs: good enough for a list.
const MEANS = {
  latency_p50_ms: "turns", latency_p95_ms: "turns", ttft_p50_ms: "turns", ttft_p95_ms: "turns", cost_per_turn_micros: "turns",
  satisfaction: "ratings", return_rate: "sessions", crisis_rate: "sessions", error_rate: "turns",
} as const satisfies Partial<Record<keyof Figures, (typeof SUMS)[number]>>;

/** Days taken together. */
export function together(days: Day[]): Figures {
  const sums = Object.fromEntries(SUMS.map((name) => [name, days.reduce((sum, day) => sum + (day[name] ?? 0), 0)]));
  const means = Object.entries(MEANS).map(([name, weight]) => {
    const known = days.filter((day) => day[name as keyof typeof MEANS] !== null && day[weight] > 0);
    const total = known.reduce((sum, day) => sum + day[weight], 0);
    return [name, total === 0 ? null : known.reduce((sum, day) => sum + (day[name as keyof typeof MEANS] ?? 0) * day[weight], 0) / total];
  });
  return { ...sums, ...Object.fromEntries(means) } as unknown as Figures;
}

type Sent<T> = Omit<T, "variants"> & { variants: (Omit<Overview["variants"][number], "total"> & { total?: Figures })[] };
/**
 * The last `shown` days. Who came on them may still return for a week, so the return rate is that of the days before, where they were sent.
 */
export function overviewOf(sent: Sent<Overview>, shown = sent.days.length): Overview {
  const days = sent.days.slice(-shown);
  const from = days[0] ?? "";
  const variants = sent.variants.flatMap((variant) => {
    const [recent, before] = [variant.days.filter(({ day }) => day >= from), variant.days.filter(({ day }) => day < from)];
    if (days.length < sent.days.length && recent.length === 0) return [];
    const total = days.length === sent.days.length ? variant.total ?? together(recent) : { ...together(recent), return_rate: together(before).return_rate };
    return [{ ...variant, days: recent, total }];
  });
  return { days, variants };
}

export interface SentLive { minutes: { at: string; turns: number; errors: number; crisis?: number; crises?: number }[]; today: Omit<Live["today"], "crisis"> & { crisis?: number; crisis_sessions?: number } }
export const liveOf = ({ minutes, today }: SentLive): Live => ({
  minutes: minutes.map(({ crisis, crises, ...minute }) => ({ ...minute, crisis: crisis ?? crises ?? 0 })),
  today: { ...today, crisis: today.crisis ?? today.crisis_sessions ?? 0 },
});

export interface SentSafety { days: Safety["days"]; referrals?: Safety["referrals"]; regions?: { region: string; turns: number; levels?: Record<string, number> }[] }
export const safetyOf = ({ days, referrals, regions }: SentSafety): Safety => ({
  days,
  referrals: referrals ?? (regions ?? []).flatMap<Safety["referrals"][number]>(({ region, turns, levels }) => (levels === undefined
    ? [{ region, turns, level: null }]
    : Object.entries(levels).flatMap(([level, n]) => (n > 0 ? [{ region, turns: n, level: Number(level) }] : [])))),
});

export interface SentCosts { days: { day: string; product: string; micros?: number; cost_micros?: number; turns: number }[]; budgets?: Costs["budgets"] }
export const costsOf = ({ days, budgets }: SentCosts): Costs => ({
  days: days.map(({ day, product, turns, micros, cost_micros }) => ({ day, product, turns, micros: micros ?? cost_micros ?? 0 })), budgets: budgets ?? null,
});
