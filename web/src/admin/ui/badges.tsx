// A variant's status as a moon that fills, and what is to be done next.
import { Link } from "wouter";
import type { State, Status, Variant } from "../api/types";
import type { NextStep } from "../lib/next";
import { STATES, STATUS } from "../lib/words";
import { Icon } from "./icon";

const PHASE: Record<Status, string> = { experimental: "", staged: "M7 2.5a4.5 4.5 0 010 9z", production: "M7 2.5a4.5 4.5 0 110 9 4.5 4.5 0 010-9z", retired: "" };

export function StatusBadge({ status }: { status: Status }) {
  return (
    <span className={`inline-flex items-center gap-1.5 whitespace-nowrap ${status === "retired" ? "text-ink-2" : ""}`}>
      <svg aria-hidden="true" width="14" height="14" viewBox="0 0 14 14" className="text-accent">
        <circle cx="7" cy="7" r="5.2" fill="none" stroke="currentColor" strokeWidth="1.4" strokeDasharray={status === "retired" ? "1.6 2" : undefined} />
        {PHASE[status] && <path d={PHASE[status]} fill="currentColor" transform="translate(7 7) scale(1.17) translate(-7 -7)" />}
      </svg>
      {STATUS[status]}
    </span>
  );
}

const TONE = { idle: "", wait: "tag-wait", good: "tag-good", bad: "tag-bad" } as const;
const SIGN = { idle: null, wait: "wait", good: "check", bad: "warn" } as const;

export function NextBadge({ step, variant, control }: { step: NextStep; variant: Variant; control?: string | undefined }) {
  const sign = SIGN[step.tone];
  const inside = <>{sign && <Icon name={sign} size={13} />}{step.label}</>;
  const className = step.tone === "idle" ? "text-[.8rem] text-ink-2" : `tag ${TONE[step.tone]}`;
  if (step.to === "approvals") return <Link href="/approvals" className={className}>{inside}</Link>;
  if (step.to === "compare" && control) return <Link href={`/compare?${new URLSearchParams({ category: variant.category, control, treatment: variant.id })}`} className={className}>{inside}</Link>;
  return <span className={className}>{inside}</span>;
}

const STATE_TONE: Record<State, string> = { waiting: "tag-wait", cooling: "tag-wait", applied: "tag-good", cancelled: "", expired: "", refused: "tag-bad" };
export const StateBadge = ({ state }: { state: State }) => <span className={`tag ${STATE_TONE[state]}`}>{STATES[state]}</span>;
