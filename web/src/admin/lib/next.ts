// What a variant's badge says is to be done next.
import type { Change, Decision, Variant } from "../api/types";
import { clock, count } from "./format";
import { NEXT } from "./words";

export type Tone = "idle" | "wait" | "good" | "bad";
export interface NextStep { label: string; tone: Tone; to?: "approvals" | "compare" }

/** Sessions of both arms at which intervals are tightest, where nobody said another number. */
export const PLANNED = 5_000;
/** Promotion needs more sessions than this in each arm (docs/statistics.md). */
export const FLOOR = 500;

export interface Known {
  change?: Change | undefined;
  isSwitchedOff?: boolean;
  decision?: Decision | undefined;
  /** Of the smaller arm so far. */
  sessions?: number | null | undefined;
  sessionsPerDay?: number | null | undefined;
  now: number;
}

export function nextStep(variant: Variant, { change, isSwitchedOff, decision, sessions, sessionsPerDay, now }: Known): NextStep | null {
  if (change?.state === "cooling") return { label: `Takes effect in ${clock(Date.parse(change.due_at) - now)}`, tone: "wait", to: "approvals" };
  if (change) return { label: change.needs.sign === "another" ? "Waits for approval" : "Waits for a second word", tone: "wait", to: "approvals" };
  if (variant.status === "retired" || variant.status === "production") return null;
  if (isSwitchedOff) return variant.rollout_percent > 0 ? { label: "Switched off", tone: "bad" } : null;
  if (variant.rollout_percent === 0) return variant.status === "staged" ? { label: "Promote, or give it traffic", tone: "idle" } : { label: "Give it traffic", tone: "idle" };
  if (!decision) return { label: "Collecting", tone: "idle", to: "compare" };
  switch (decision.next) {
    case "roll_back": case "investigate_sample_ratio": return { label: NEXT[decision.next], tone: "bad", to: "compare" };
    case "ready_for_review": return { label: NEXT.ready_for_review, tone: "good", to: "compare" };
    default: return { label: remaining(sessions, sessionsPerDay), tone: "wait", to: "compare" };
  }
}

function remaining(sessions: number | null | undefined, perDay: number | null | undefined): string {
  if (typeof sessions !== "number" || typeof perDay !== "number" || perDay <= 0) return NEXT.collect_more;
  // First the floor, then the plan: an experiment is not over before either.
  const goal = sessions <= FLOOR ? FLOOR + 1 : PLANNED / 2;
  if (sessions >= goal) return `${NEXT.collect_more}, ${count(sessions)} sessions`;
  const days = Math.ceil((goal - sessions) / perDay);
  return days > 60 ? "Over 60 days left" : `~${days} ${days === 1 ? "day" : "days"} left`;
}
