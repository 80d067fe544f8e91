// Providers' health, promotions under way, alerts, and messages that could not be handled.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, query } from "./client";
import { Problem } from "./problem";
import type { Alerts, DeadLetters, Providers, Run } from "./types";

const absent = <T>(empty: T) => (error: unknown): T => {
  if (error instanceof Problem && error.isAbsent) return empty;
  throw error;
};

export const providers = (hours: number) => queryOptions({
  queryKey: ["providers", hours],
  queryFn: ({ signal }) => get<Providers>(`/providers${query({ hours })}`, signal).catch(absent(null)),
  refetchInterval: 30_000,
  placeholderData: keepPreviousData,
});

export const runs = () => queryOptions({
  queryKey: ["workflows"],
  queryFn: async ({ signal }) => (await get<{ workflows: Run[] }>(`/workflows${query({ limit: 100 })}`, signal)).workflows,
  // They go on by themselves.
  refetchInterval: 5_000,
});

export const alerts = (kind: string | null) => infiniteQueryOptions({
  queryKey: ["alerts", kind],
  queryFn: ({ pageParam, signal }) => get<Alerts>(`/alerts${query({ kind, before: pageParam, limit: 50 })}`, signal),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
  refetchInterval: 15_000,
});

export const deadLetters = () => infiniteQueryOptions({
  queryKey: ["dead-letters"],
  queryFn: ({ pageParam, signal }) => get<DeadLetters>(`/dead-letters${query({ cursor: pageParam })}`, signal).catch(absent<DeadLetters>({ dead_letters: [], next: null })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});
