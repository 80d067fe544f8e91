// The two structures of tiers. Nothing is sold yet: prices and limits are proposals, shown as such.
import type { Structure } from "../variants";

export type TierId = "free" | "plus" | "pro" | "max";

export interface Tier {
  id: TierId;
  /** US dollars a month, in micros. */
  price_micros: number;
  /** Turns a day; null for no limit. */
  turns_per_day: number | null;
}

export const STRUCTURES: Record<Structure, readonly Tier[]> = {
  v1: [
    { id: "free", price_micros: 0, turns_per_day: 40 },
    { id: "plus", price_micros: 8_000_000, turns_per_day: 150 },
    { id: "pro", price_micros: 16_000_000, turns_per_day: null },
  ],
  "v2-claude-aligned": [
    { id: "free", price_micros: 0, turns_per_day: 30 },
    { id: "pro", price_micros: 20_000_000, turns_per_day: 300 },
    { id: "max", price_micros: 100_000_000, turns_per_day: null },
  ],
};
