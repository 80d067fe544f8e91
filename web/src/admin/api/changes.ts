// Changes that wait for a second word, or cool down.
import { queryOptions } from "@tanstack/react-query";
import { get, query } from "./client";
import type { Change, State } from "./types";

export const isOpen = (change: Change) => change.state === "waiting" || change.state === "cooling";

export const changes = (state?: State) => queryOptions({
  queryKey: ["changes", state ?? null],
  queryFn: async ({ signal }) => (await get<{ changes: Change[] }>(`/changes${query({ state, limit: 100 })}`, signal)).changes,
  // Somebody else's word, and the end of a cool-down, are seen soon.
  refetchInterval: 5_000,
});
