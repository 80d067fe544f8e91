// A variant for tests.
import type { Variant } from "../api/types";

export const variant = (part: Partial<Variant> = {}): Variant => ({
  id: "a", category: "LLM_MODEL", description: "One", status: "experimental", rollout_percent: 0, cohorts: ["all"], slot: "low",
  config: { model: "m" }, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z", created_by: "seed", version: 1, ...part,
});
