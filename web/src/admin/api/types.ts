// The admin API's bodies, as its OpenAPI document has them (`GET /admin/v1/openapi.json`).

export type Status = "experimental" | "staged" | "production" | "retired";
export type Cohort = "all" | "new_users" | "returning" | "paid" | "free";
export type State = "waiting" | "cooling" | "applied" | "cancelled" | "expired" | "refused";
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type Config = { [name: string]: Json };

export interface Variant {
  id: string; category: string; description: string; status: Status; rollout_percent: number; cohorts: Cohort[];
  slot: "low" | "high"; config: Config; created_at: string; updated_at: string; created_by: string; version: number;
}
export interface Variants { snapshot_version: number; variants: Variant[]; next: string | null }
export interface Category {
  category: string; defaults: string[]; is_pool: boolean; is_critical: boolean; is_experiment: boolean; is_switched_off: boolean;
  config_schema: Record<string, unknown>;
}
export interface Categories { categories: Category[]; experiments: number; max_experiments: number }
export interface Me { id: string; kind: string; groups: string[] }

export interface Target { category: string; id: string }
export interface Command {
  action: string; target?: Target; description?: string | null; config?: Config | null; percent?: number; cohorts?: Cohort[];
  categories?: string[]; off?: boolean;
}
export interface Change {
  id: string; state: State; command: Command; expected_version: number | null;
  needs: { confirm: boolean; sign: "none" | "again" | "another"; cool_down: boolean };
  author: string; reason: string; signed_by: string | null; created_at: string; due_at: string;
}
/** A change's answer: done, or waiting (202). */
export interface Outcome { snapshot_version?: number; audit_seq: number; variant?: Variant | null; killed?: string[]; change?: Change }

export interface AuditEntry {
  seq: number; at: string; actor: string; action: string; subject: string; reason: string; detail: AuditDetail; prev_hash: string; hash: string;
}
export interface AuditDetail {
  before?: Variant[]; after?: Variant[]; killed_before?: string[]; killed_after?: string[]; command?: Command;
  change?: string; requested_by?: string; signed_by?: string | null; [name: string]: unknown;
}
export interface Audit { entries: AuditEntry[]; next: number | null }
export interface Verdict { holds: boolean; entries: number; head: string; broken: { seq: number; why: string } | null }

export interface Explanation {
  in_words: string;
  explanation: {
    category: string; variant: string; reason: string; salt: string; bucket: number; cohorts: Cohort[];
    exclusion: { salt: string; side: number; sides: number } | null;
    candidates: { variant: string; from_bucket: number; to_bucket: number; cohorts: Cohort[]; outcome: string }[];
  };
}
export interface Explanations { snapshot_version: number; person_id: string; explanations: Explanation[] }

/** Figures of one day, or of all of them; what nothing is known of is null. */
export interface Figures {
  turns: number; sessions: number; latency_p50_ms: number | null; latency_p95_ms: number | null; ttft_p50_ms: number | null;
  ttft_p95_ms: number | null; cost_per_turn_micros: number | null; satisfaction: number | null; ratings: number; return_rate: number | null;
  crisis_rate: number | null; error_rate: number | null; tokens_in: number; tokens_out: number;
}
export interface Day extends Figures { day: string }
export interface Series { days: Day[]; total?: Figures }
export interface Overview { days: string[]; variants: (Target & { status: Status | null; days: Day[]; total: Figures })[] }

export interface Bounds { low: number | null; high: number | null; p?: number | null }
export interface MetricTest { metric: string; estimate: number | null; fixed: Bounds | null; always_valid: Bounds | null }
export interface Gate {
  name: string; verdict: "pass" | "fail" | "insufficient_data"; estimate: number | null; low: number | null; high: number | null; threshold: number; note?: string | null;
}
export type Next = "roll_back" | "investigate_sample_ratio" | "collect_more" | "ready_for_review";
export type Blocker = string | ({ reason: string } & Record<string, unknown>);
export interface Decision { promote: boolean; next: Next; reasons: Blocker[] }
export interface Comparison {
  arms: (Partial<Figures> & { id: string })[]; tests: MetricTest[]; gates: Gate[];
  sample_ratio: { p: number | null; alarm: boolean }; decision: Decision;
}
export type RunState = "collecting" | "testing" | "asking" | "waiting" | "requesting" | "signing" | "settling" | "telling" | "ended";
export interface Ending { ending: "promoted" | "rejected" | "undecided" | "expired" | "cancelled" | "failed"; why?: string; by?: string }
/** A promotion that takes days. `due_at` is when its time to collect, or its link, is over. */
export interface Run {
  id: string; kind: "promotion"; category: string; variant: string; state: RunState; ending: Ending | null; author: string; reason: string;
  approved_by: string | null; round: number; created_at: string; due_at: string | null; steps: { at: string; state: string; what: string }[];
}
export interface Delivery {
  channel: "slack" | "webhook"; state: "pending" | "delivered" | "dead"; attempts: number; next_at: string | null; delivered_at: string | null; error: string | null;
}
/** `id` is null until the deliveries were written. */
export interface Alert { id: string | null; at: string; kind: string; subject: string; detail: { text?: string; link?: string; [name: string]: unknown }; deliveries: Delivery[] }
/** `next` is the time before which the next page begins, milliseconds since 1970. */
export interface Alerts { alerts: Alert[]; next: number | null }
export interface Live { minutes: { at: string; turns: number; errors: number; crisis: number }[]; today: { turns: number; sessions: number; errors: number; crisis: number; cost_micros: number } }
export interface Safety { days: { day: string; levels: Record<string, number> }[]; /** Without a level where the API does not tell them apart. */
  referrals: { region: string; level: number | null; turns: number }[] }
export interface Budget { name: string; period: string; limit_micros: number; spent_micros: number; reserved_micros: number; state: string }
/** `budgets` is null where the API knows of none yet. */
export interface Costs { days: { day: string; product: string; micros: number; turns: number }[]; budgets: Budget[] | null }
export interface Provider {
  provider: string; model: string; attempts: number; failures: number; error_rate: number | null; failures_by: Record<string, number>; fallback_share: number | null;
  latency_p50_ms: number | null; latency_p95_ms: number | null; ttft_p50_ms: number | null; ttft_p95_ms: number | null;
  breaker: { spared: number; share: number | null; last_at: string | null };
}
/** `is_complete` is false where there were too many turns to look at all. */
export interface Providers { hours: number; turns: number; is_complete: boolean; oldest_at: string | null; providers: Provider[] }
/** `wanted_at` says when a replay was asked for. */
export interface DeadLetter { id: string; received_at: string; error: string; type?: string; wanted_at?: string | null; replayed_at: string | null }
/** `waiting` counts all that were not replayed. */
export interface DeadLetters { dead_letters: DeadLetter[]; next: string | null; waiting?: number }
