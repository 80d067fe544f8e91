// What the statistics say about every challenger, for the badges.
import { useQueries } from "@tanstack/react-query";
import { comparison, type Pair } from "../api/metrics";
import type { Category, Comparison, Variant } from "../api/types";
import { isoDay } from "./format";
import { PLANNED } from "./next";
import { isChallenger } from "./rows";

export const DAYS = 14;
const DAY_MS = 86_400_000;

/** A challenger against production over the last two weeks. */
export function pairOf(category: string, control: string, treatment: string, now: number): Pair {
  return { category, control, treatment, from: isoDay(now - (DAYS - 1) * DAY_MS), to: isoDay(now), planned: PLANNED };
}

export function useDecisions(variants: Variant[], categories: Category[]): Map<string, Comparison> {
  const now = Date.now();
  const pairs = variants.filter(isChallenger).flatMap((variant) => {
    const category = categories.find((other) => other.category === variant.category);
    const control = category && !category.is_pool ? category.defaults[0] : undefined;
    return control === undefined ? [] : [pairOf(variant.category, control, variant.id, now)];
  });
  return useQueries({
    queries: pairs.map(comparison),
    combine: (results) => new Map(results.flatMap(({ data }, index) => {
      const pair = pairs[index];
      return data && pair ? [[`${pair.category}/${pair.treatment}`, data] as const] : [];
    })),
  });
}

/** Sessions of the smaller arm. */
export const smallerArm = ({ arms }: Comparison) => {
  const sessions = arms.flatMap((arm) => (typeof arm.sessions === "number" ? [arm.sessions] : []));
  return sessions.length === 0 ? null : Math.min(...sessions);
};
