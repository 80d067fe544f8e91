// Figures. Each query may find nothing there: an absent route is an empty answer, not a fault.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, query } from "./client";
import { Problem } from "./problem";
import { type SentCosts, type SentLive, type SentSafety, costsOf, liveOf, overviewOf, safetyOf } from "./shapes";
import type { Comparison, Overview, Series } from "./types";

async function orNothing<T, V = T>(wish: Promise<T>, read?: (sent: T) => V): Promise<V | null> {
  try {
    const sent = await wish;
    return read ? read(sent) : (sent as unknown as V);
  } catch (error) {
    if (error instanceof Problem && error.isAbsent) return null;
    throw error;
  }
}

const FIVE_MINUTES_MS = 300_000;

/** The last `days`, and as many before them for the return rate. */
export const overview = (days = 7) => queryOptions({
  queryKey: ["metrics", "overview", days],
  queryFn: ({ signal }) => orNothing(get<Overview>(`/metrics/overview${query({ days: 2 * days })}`, signal), (sent) => overviewOf(sent, days)),
  staleTime: FIVE_MINUTES_MS,
});

export const series = (category: string, id: string, days: number) => queryOptions({
  queryKey: ["metrics", "series", category, id, days],
  queryFn: ({ signal }) => orNothing(get<Series>(`/metrics/series${query({ category, id, days })}`, signal)),
  staleTime: FIVE_MINUTES_MS,
  placeholderData: (before, asked) => (asked?.queryKey[2] === category && asked.queryKey[3] === id ? before : undefined),
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
  queryFn: ({ signal }) => orNothing(get<SentLive>("/metrics/live", signal), liveOf),
  refetchInterval: 15_000,
});

export const safety = (days: number) => queryOptions({
  queryKey: ["metrics", "safety", days],
  queryFn: ({ signal }) => orNothing(get<SentSafety>(`/metrics/safety${query({ days })}`, signal), safetyOf),
  placeholderData: keepPreviousData,
});

export const costs = (days: number) => queryOptions({
  queryKey: ["metrics", "costs", days],
  queryFn: ({ signal }) => orNothing(get<SentCosts>(`/metrics/costs${query({ days })}`, signal), costsOf),
  placeholderData: keepPreviousData,
});
