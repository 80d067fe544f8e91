import { describe, expect, test } from "vitest";
import type { Category, Day, Figures, Overview } from "../api/types";
import { groupsOf, matches, rowsOf, shareOf, sorted } from "./rows";
import { variant } from "./variant.fixture";

const category = (part: Partial<Category> = {}): Category => ({ category: "LLM_MODEL", defaults: ["prod"], is_pool: false, is_critical: false, is_experiment: true, is_switched_off: false, config_schema: {}, ...part });
const figures = (part: Partial<Figures> = {}): Figures => ({ turns: 1, sessions: 1, latency_p50_ms: 1, latency_p95_ms: 1, ttft_p50_ms: 1, ttft_p95_ms: 1, cost_per_turn_micros: 1, satisfaction: 0.5, ratings: 1, return_rate: 0.4, crisis_rate: 0, error_rate: 0, tokens_in: 1, tokens_out: 1, ...part });
const day = (name: string, part: Partial<Figures>): Day => ({ day: name, ...figures(part) });
const prod = variant({ id: "prod", status: "production", rollout_percent: 100 });
const rival = variant({ id: "rival", status: "staged", rollout_percent: 20, description: "Faster and cheaper" });
const overview: Overview = {
  days: ["2026-11-20", "2026-11-21"],
  variants: [
    { category: "LLM_MODEL", id: "prod", status: "production", days: [day("2026-11-20", { satisfaction: 0.7 }), day("2026-11-21", { satisfaction: 0.6 })], total: figures({ satisfaction: 0.65, sessions: 100 }) },
    { category: "LLM_MODEL", id: "rival", status: "staged", days: [day("2026-11-21", { satisfaction: 0.75 })], total: figures({ satisfaction: 0.75, sessions: 20, return_rate: null }) },
  ],
};

describe("rows", () => {
  const rows = rowsOf([prod, rival, variant({ id: "idle" })], [category()], overview);
  const of = (id: string) => rows.find((row) => row.variant.id === id);
  test("satisfaction is held against production, day by day", () => {
    expect(of("rival")?.delta).toBeCloseTo(0.1);
    expect(of("rival")?.deltas.map((value) => value && Math.round(value * 100) / 100)).toEqual([null, 0.15]);
    expect([of("prod")?.delta, of("prod")?.control, of("rival")?.control]).toEqual([null, undefined, "prod"]);
  });
  test("days without figures are gaps, and no figures at all are fine", () => {
    expect(of("rival")?.days.map((figures) => figures?.satisfaction ?? null)).toEqual([null, 0.75]);
    expect(of("idle")?.total).toBeNull();
    for (const nothing of [null, undefined]) expect(rowsOf([prod], [category()], nothing)[0]).toMatchObject({ total: null, days: [], delta: null });
  });
  test("a pool has no single production to be held against", () => {
    expect(rowsOf([prod, rival], [category({ is_pool: true, defaults: ["prod"] })], overview)[1]).toMatchObject({ delta: null, control: undefined });
  });
  test("filters combine, words in any order", () => {
    const found = (filter: Parameters<typeof matches>[1]) => rows.filter((row) => matches(row, filter)).map(({ variant: { id } }) => id);
    expect(found({ q: "CHEAPER rival" })).toEqual(["rival"]);
    expect(found({ status: "staged", q: "prod" })).toEqual([]);
    expect(found({ category: "LLM_MODEL" })).toHaveLength(3);
  });
  test("what is not known is last in either direction", () => {
    const order = (isDown: boolean) => sorted(rows, "returns", isDown).map(({ variant: { id } }) => id);
    expect(order(true)).toEqual(["prod", "idle", "rival"]);
    expect(order(false)).toEqual(["prod", "idle", "rival"]);
    expect(sorted(rows, "sessions", true).map(({ variant: { id } }) => id)).toEqual(["prod", "rival", "idle"]);
    expect(sorted(rows, "status", false).map(({ variant: { id } }) => id)).toEqual(["prod", "rival", "idle"]);
  });
});

test("production has what challengers leave, a pool shares evenly", () => {
  const other = variant({ id: "other", status: "experimental", rollout_percent: 5 });
  expect(shareOf(prod, [prod, rival, other])).toBe(75);
  expect(shareOf(rival, [prod, rival])).toBe(20);
  const pool = Array.from({ length: 40 }, (_, n) => variant({ id: `p${n}`, status: "production", rollout_percent: 100 }));
  expect(shareOf(pool[0] ?? prod, pool)).toBe(2.5);
});

describe("groups", () => {
  const many = [...Array.from({ length: 12 }, (_, n) => variant({ id: `idle-${n}` })), prod, rival];
  const rows = rowsOf(many, [category()], null);
  test("a long category is cut to what matters, and says how many are hidden", () => {
    const [group] = groupsOf(rows, [category()], 4, () => false);
    expect(group?.rows.map(({ variant: { id } }) => id)).toEqual(["idle-0", "idle-1", "prod", "rival"]);
    expect(group?.hidden).toBe(10);
  });
  test("opened it is whole; without rows it is not there", () => {
    expect(groupsOf(rows, [category()], 4, () => true)[0]?.hidden).toBe(0);
    expect(groupsOf([], [category()], 4, () => false)).toEqual([]);
  });
});
