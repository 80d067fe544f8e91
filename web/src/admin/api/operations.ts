// Providers' health, and messages that could not be handled.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, query } from "./client";
import { Problem } from "./problem";
import type { DeadLetters, Providers } from "./types";

const absent = <T>(empty: T) => (error: unknown): T => {
  if (error instanceof Problem && error.isAbsent) return empty;
  throw error;
};

export const providers = () => queryOptions({
  queryKey: ["providers"],
  queryFn: ({ signal }) => get<Providers>("/providers", signal).catch(absent(null)),
  refetchInterval: 15_000,
});

export const deadLetters = () => infiniteQueryOptions({
  queryKey: ["dead-letters"],
  queryFn: ({ pageParam, signal }) => get<DeadLetters>(`/dead-letters${query({ cursor: pageParam })}`, signal).catch(absent<DeadLetters>({ dead_letters: [], next: null })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});
