// The audit log.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { get, query } from "./client";
import type { Audit, Verdict } from "./types";

export interface AuditFilter { subject?: string; actor?: string; action?: string; limit?: number }

export const audit = ({ limit = 40, ...filter }: AuditFilter) => infiniteQueryOptions({
  queryKey: ["audit", filter.subject ?? null, filter.actor ?? null, filter.action ?? null, limit],
  queryFn: ({ pageParam, signal }) => get<Audit>(`/audit${query({ ...filter, limit, before: pageParam })}`, signal),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (page) => page.next ?? undefined,
});

/** Walks the whole chain; asked for by hand. */
export const verdict = () => queryOptions({
  queryKey: ["audit-verdict"],
  queryFn: ({ signal }) => get<Verdict>("/audit/verify", signal),
  enabled: false,
  gcTime: Number.POSITIVE_INFINITY,
});
