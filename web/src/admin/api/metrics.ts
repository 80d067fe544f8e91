// Figures. Each query may find nothing there: an absent route is an empty answer, not a fault.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, query } from "./client";
import { Problem } from "./problem";
import type { Comparison, Costs, Live, Overview, Safety, Series } from "./types";

async function orNothing<T>(wish: Promise<T>): Promise<T | null> {
  try {
    return await wish;
  } catch (error) {
    if (error instanceof Problem && error.isAbsent) return null;
    throw error;
  }
}

const FIVE_MINUTES_MS = 300_000;

export const overview = (days = 7) => queryOptions({
  queryKey: ["metrics", "overview", days],
  queryFn: ({ signal }) => orNothing(get<Overview>(`/metrics/overview${query({ days })}`, signal)),
  staleTime: FIVE_MINUTES_MS,
});

export const series = (category: string, id: string, days = 7) => queryOptions({
  queryKey: ["metrics", "series", category, id, days],
  queryFn: ({ signal }) => orNothing(get<Series>(`/metrics/series${query({ category, id, days })}`, signal)),
  staleTime: FIVE_MINUTES_MS,
});

export interface Pair { category: string; control: string; treatment: string; from: string; to: string; planned: number }

export const comparison = (pair: Pair) => queryOptions({
  queryKey: ["metrics", "compare", pair.category, pair.control, pair.treatment, pair.from, pair.to, pair.planned],
  queryFn: ({ signal }) => orNothing(get<Comparison>(`/metrics/compare${query({ ...pair })}`, signal)),
  staleTime: FIVE_MINUTES_MS,
  // While other days load, the old ones stay; another pair's figures never do.
  placeholderData: (before, asked) => (asked && [2, 3, 4].every((part) => asked.queryKey[part] === [pair.category, pair.control, pair.treatment][part - 2]) ? before : undefined),
});

export const live = () => queryOptions({
  queryKey: ["metrics", "live"],
  queryFn: ({ signal }) => orNothing(get<Live>("/metrics/live", signal)),
  refetchInterval: 15_000,
});

export const safety = (days: number) => queryOptions({
  queryKey: ["metrics", "safety", days],
  queryFn: ({ signal }) => orNothing(get<Safety>(`/metrics/safety${query({ days })}`, signal)),
  placeholderData: keepPreviousData,
});

export const costs = (days: number) => queryOptions({
  queryKey: ["metrics", "costs", days],
  queryFn: ({ signal }) => orNothing(get<Costs>(`/metrics/costs${query({ days })}`, signal)),
  placeholderData: keepPreviousData,
});
