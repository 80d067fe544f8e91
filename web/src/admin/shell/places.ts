// The dashboard's views.
import type { IconName } from "../ui/icon";

export interface Place { path: string; name: string; icon: IconName; key: string }

export const PLACES: Place[] = [
  { path: "/variants", name: "Variants", icon: "variants", key: "v" },
  { path: "/compare", name: "Compare", icon: "compare", key: "c" },
  { path: "/approvals", name: "Approvals", icon: "approvals", key: "a" },
  { path: "/promotions", name: "Promotions", icon: "promote", key: "r" },
  { path: "/audit", name: "Audit log", icon: "audit", key: "l" },
  { path: "/people", name: "Why this variant", icon: "people", key: "w" },
  { path: "/safety", name: "Safety", icon: "safety", key: "s" },
  { path: "/costs", name: "Cost", icon: "costs", key: "m" },
  { path: "/providers", name: "Providers", icon: "providers", key: "p" },
  { path: "/alerts", name: "Alerts", icon: "alerts", key: "e" },
  { path: "/dead-letters", name: "Dead letters", icon: "letters", key: "d" },
];
/** What a phone's bar has; the rest is behind More. */
export const FIRST = 3;
