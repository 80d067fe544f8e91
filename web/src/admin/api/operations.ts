// Providers' health, and messages that could not be handled.
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { get, query } from "./client";
import { Problem } from "./problem";
import type { DeadLetters, Providers } from "./types";

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

export const deadLetters = () => infiniteQueryOptions({
  queryKey: ["dead-letters"],
  queryFn: ({ pageParam, signal }) => get<DeadLetters>(`/dead-letters${query({ cursor: pageParam })}`, signal).catch(absent<DeadLetters>({ dead_letters: [], next: null })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});
