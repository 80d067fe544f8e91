// Names for people of what the API names for programs.
import type { Blocker, Cohort, Command, Ending, Next, RunState, State, Status } from "../api/types";

const CATEGORIES: Record<string, string> = {
  LLM_MODEL: "Model", SYSTEM_PROMPT: "System prompt", CHAT_UI_LAYOUT: "Chat layout", COMPOSE_POSITION: "Compose position",
  GHOST_CHAR_STYLE: "Waiting style", RATING_VARIANT: "Rating question", VOICE_PROVIDER: "Voice", VOICE_LLM: "Voice model",
  STARTER_POOL_SIZE: "Starters", TOPIC_HIERARCHY: "Topics", MANDALA_FACE: "Mandala", PRICING_TIER_STRUCTURE: "Pricing",
};

/** `SOME_NAME` or `some_name` as words. */
export function plain(name: string): string {
  const words = name.replaceAll(/[_-]+/g, " ").trim().toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const categoryName = (category: string) => CATEGORIES[category] ?? plain(category);
export const STATUS: Record<Status, string> = { experimental: "Experimental", staged: "Staged", production: "Production", retired: "Retired" };
export const COHORTS: Record<Cohort, string> = { all: "Everybody", new_users: "New people", returning: "Returning people", paid: "Paying", free: "Not paying" };
export const STATES: Record<State, string> = {
  waiting: "Waits", cooling: "Cools down", applied: "Took effect", cancelled: "Cancelled", expired: "Expired", refused: "Refused",
};

export const RUN_STATES: Record<RunState, string> = {
  collecting: "Collects sessions", testing: "Tests", asking: "Sends the link", waiting: "Waits for another admin", requesting: "Asks the registry",
  signing: "Confirms", settling: "Cools down", telling: "Tells", ended: "Ended",
};
/** How a promotion ended, as a sentence. */
export function ending({ ending: how, why, by }: Ending): string {
  switch (how) {
    case "promoted": return "It is in production.";
    case "rejected": return `A test stands against it: ${why ?? "it did not say what"}`;
    case "undecided": return `The tests could not tell: ${why ?? "it did not say why"}`;
    case "expired": return "Nobody approved it in time.";
    case "cancelled": return `${shortName(by ?? "Somebody")} took it back.`;
    case "failed": return `It failed: ${why ?? "it did not say why"}`;
  }
}

const METRICS: Record<string, string> = {
  latency_p50: "Latency, p50", latency_p95: "Latency, p95", latency_p50_ms: "Latency, p50", latency_p95_ms: "Latency, p95",
  ttft_p50: "First token, p50", ttft_p95: "First token, p95", ttft_p50_ms: "First token, p50", ttft_p95_ms: "First token, p95",
  cost_per_turn: "Cost per turn", cost_per_turn_micros: "Cost per turn", satisfaction: "Satisfaction", return_rate: "Return rate",
  crisis_rate: "Crisis rate", error_rate: "Error rate", crisis_detection: "Crisis detection", turns_per_session: "Turns per session", sessions: "Sessions", turns: "Turns",
};
export const metricName = (name: string) => METRICS[name] ?? plain(name);

export const NEXT: Record<Next, string> = {
  roll_back: "Roll back now", investigate_sample_ratio: "Unhealthy: sample ratio", collect_more: "Collecting", ready_for_review: "Ready for review",
};

const number = (value: unknown) => (typeof value === "number" ? value : null);

/** What stands against a promotion, as a sentence. */
export function blocker(reason: Blocker): string {
  if (typeof reason === "string") return plain(reason);
  const gate = typeof reason.gate === "string" ? metricName(reason.gate) : "a gate";
  const p = number(reason.p_value);
  const shown = p === null ? "" : ` (p ${p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`})`;
  switch (reason.reason) {
    case "sample_ratio_mismatch": return `The arms do not hold the shares they were given${shown}`;
    case "gate_failed": return `${gate}: the gate failed`;
    case "gate_undecided": return `${gate}: the gate is undecided`;
    case "too_few_sessions": return `${number(reason.sessions) ?? "Too few"} sessions in the smaller arm; more than ${number(reason.more_than) ?? 500} are needed`;
    case "not_significant": return `No success metric is superior yet${shown}`;
    case "sample_ratio_unknown": return "The sample ratio cannot be checked: a share changed within the days, or only some cohorts are enrolled";
    case "confirmed_live_miss": return `${number(reason.misses) ?? "A"} confirmed crisis missed in live sessions`;
    default: return plain(reason.reason);
  }
}

const OUTCOMES: Record<string, string> = {
  enrolled: "enrolled", outside_share: "outside its share", outside_cohorts: "outside its cohorts",
  excluded: "kept for another category’s experiments", switched_off: "switched off",
};
export const outcomeName = (outcome: string) => OUTCOMES[outcome] ?? plain(outcome);

const ACTIONS: Record<string, string> = {
  create: "created", edit: "edited", rollout: "changed the share of", cohorts: "changed the cohorts of", promote: "promoted", demote: "demoted",
  pause: "paused", rollback: "rolled back", retire: "retired", kill: "switched off", revive: "switched on", seed: "seeded",
};

/** An audit action as a verb; steps of waiting changes as `promote: requested`. */
export function actionName(action: string): string {
  const [verb = action, step] = action.split(".");
  return step === undefined ? (ACTIONS[verb] ?? plain(verb).toLowerCase()) : `${plain(verb).toLowerCase()}, ${step.replaceAll("-", " ")}`;
}

/** A wish of the registry as a sentence without its end. */
export function wish({ action, target, percent, cohorts, categories }: Command): string {
  const id = target?.id ?? "";
  switch (action) {
    case "rollout": return `Give ${id} ${percent ?? "?"} % of the traffic`;
    case "cohorts": return `Open ${id} to ${(cohorts ?? []).map((cohort) => COHORTS[cohort].toLowerCase()).join(", ")}`;
    case "kill": return `Switch ${(categories ?? []).map(categoryName).join(", ")} off or on`;
    case "rollback": return `Roll ${id} back`;
    default: return `${plain(action)} ${id}`.trim();
  }
}

/** The person in front of the @. */
export const shortName = (actor: string) => actor.split("@")[0] ?? actor;
export const plural = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString("en-GB")} ${n === 1 ? one : many}`;
