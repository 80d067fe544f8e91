import { expect, test } from "vitest";
import { costsOf, liveOf, overviewOf, safetyOf, together } from "./shapes";
import type { Day } from "./types";

const day = (part: Partial<Day>): Day => ({
  day: "2026-11-20", turns: 10, sessions: 5, latency_p50_ms: 1, latency_p95_ms: 100, ttft_p50_ms: 1, ttft_p95_ms: 1, cost_per_turn_micros: 1_000, satisfaction: 0.5,
  ratings: 2, return_rate: 0.4, crisis_rate: 0, error_rate: 0, tokens_in: 7, tokens_out: 3, ...part,
});

test("days taken together: counts add up, means are weighted, what is not known does not count", () => {
  const total = together([day({}), day({ day: "2026-11-21", turns: 30, cost_per_turn_micros: 2_000, satisfaction: 0.8, ratings: 1, return_rate: null })]);
  expect(total).toMatchObject({ turns: 40, sessions: 10, ratings: 3, tokens_in: 14, cost_per_turn_micros: 1_750, return_rate: 0.4 });
  expect(total.satisfaction).toBeCloseTo(0.6);
  expect(together([])).toMatchObject({ turns: 0, satisfaction: null, latency_p95_ms: null });
});

test("a variant's total is taken as sent, or made of its days", () => {
  const variant = { category: "LLM_MODEL", id: "a", status: "production" as const, days: [day({})] };
  expect(overviewOf({ days: [], variants: [variant] }).variants[0]?.total.turns).toBe(10);
  expect(overviewOf({ days: [], variants: [{ ...variant, total: together([day({ turns: 99 })]) }] }).variants[0]?.total.turns).toBe(99);
});

test("of the shown days the return rate is not known yet: that of the days before stands for it", () => {
  const days = ["2026-11-19", "2026-11-20", "2026-11-21"];
  const known = days.map((name, index) => day({ day: name, return_rate: [0.6, 0.1, null][index] ?? null }));
  const variant = { category: "LLM_MODEL", id: "a", status: "production" as const, days: known };
  const shown = overviewOf({ days, variants: [variant, { ...variant, id: "gone", days: known.slice(0, 1) }] }, 2);
  expect(shown.days).toEqual(days.slice(1));
  expect(shown.variants.map(({ id }) => id)).toEqual(["a"]);
  expect(shown.variants[0]).toMatchObject({ days: known.slice(1), total: { turns: 20, return_rate: 0.6 } });
});

test("both names of a figure are read", () => {
  const today = { turns: 1, sessions: 1, errors: 0, cost_micros: 5 };
  expect(liveOf({ minutes: [{ at: "", turns: 1, errors: 0, crises: 2 }], today: { ...today, crisis_sessions: 3 } })).toMatchObject({ minutes: [{ crisis: 2 }], today: { crisis: 3 } });
  expect(liveOf({ minutes: [], today: { ...today, crisis: 4 } }).today.crisis).toBe(4);
  expect(safetyOf({ days: [], regions: [{ region: "DE", turns: 2 }] }).referrals).toEqual([{ region: "DE", turns: 2, level: null }]);
  expect(safetyOf({ days: [], regions: [{ region: "DE", turns: 3, levels: { 1: 0, 2: 1, 3: 2 } }] }).referrals).toEqual([{ region: "DE", turns: 1, level: 2 }, { region: "DE", turns: 2, level: 3 }]);
  expect(safetyOf({ days: [], referrals: [{ region: "DE", turns: 2, level: 3 }] }).referrals[0]?.level).toBe(3);
  expect(costsOf({ days: [{ day: "d", product: "p", cost_micros: 8, turns: 1 }] })).toEqual({ days: [{ day: "d", product: "p", micros: 8, turns: 1 }], budgets: null });
  expect(costsOf({ days: [{ day: "d", product: "p", micros: 9, turns: 1 }], budgets: [] })).toMatchObject({ days: [{ micros: 9 }], budgets: [] });
});
