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
export const overviewOf = (sent: Sent<Overview>): Overview => ({ days: sent.days, variants: sent.variants.map((variant) => ({ ...variant, total: variant.total ?? together(variant.days) })) });

export interface SentLive { minutes: { at: string; turns: number; errors: number; crisis?: number; crises?: number }[]; today: Omit<Live["today"], "crisis"> & { crisis?: number; crisis_sessions?: number } }
export const liveOf = ({ minutes, today }: SentLive): Live => ({
  minutes: minutes.map(({ crisis, crises, ...minute }) => ({ ...minute, crisis: crisis ?? crises ?? 0 })),
  today: { ...today, crisis: today.crisis ?? today.crisis_sessions ?? 0 },
});

export interface SentSafety { days: Safety["days"]; referrals?: Safety["referrals"]; regions?: { region: string; turns: number }[] }
export const safetyOf = ({ days, referrals, regions }: SentSafety): Safety => ({ days, referrals: referrals ?? (regions ?? []).map((one) => ({ ...one, level: null })) });

export interface SentCosts { days: { day: string; product: string; micros?: number; cost_micros?: number; turns: number }[]; budgets?: Costs["budgets"] }
export const costsOf = ({ days, budgets }: SentCosts): Costs => ({
  days: days.map(({ day, product, turns, micros, cost_micros }) => ({ day, product, turns, micros: micros ?? cost_micros ?? 0 })), budgets: budgets ?? null,
});
