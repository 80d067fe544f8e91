// What a session sends: its turns, with every attempt at an answer, as the chat Worker would have recorded them.
import { Chance, hex, ulid } from "./chance.mjs";
import { DAY_MS } from "./people.mjs";
import { costMicros } from "./prices.mjs";

// Median of the first token, of a token after it, in milliseconds; by what a model's name begins with.
const SPEEDS = [
  ["claude-haiku", 330, 7], ["claude-sonnet", 640, 13], ["claude-opus", 980, 19], ["gpt-4.1-mini", 420, 8], ["gpt-4.1", 560, 12], ["gemini-2.5-flash", 380, 6],
  ["gemini-2.5-pro", 1_150, 11], ["", 700, 14],
];
const SLOWER = { openrouter: 1.18 };
const FAILS = { anthropic: 0.006, openrouter: 0.012, openai: 0.007, gemini: 0.011 };
// Slug, weight, median duration in milliseconds.
const FAILURES = [[["provider-overloaded", 420], 46], [["provider-timeout", 9_000], 18], [["provider-busy", 180], 22], [["provider-truncated", 2_600], 9], [["provider-unreachable", 300], 5]];
const LEVELS = [[0, 9_720], [1, 240], [2, 28], [3, 9], [4, 3]];
const DISTRESSED = [[0, 8_780], [1, 1_060], [2, 110], [3, 38], [4, 12]];
const DONE = [["done", 9_880], ["stopped", 90], ["interrupted", 30]];

// What a variant does to people, so that experiments have something to find.
const LIKED = { "SYSTEM_PROMPT/v3-sha-empathy-rewrite": 0.045, "LLM_MODEL/claude-haiku-4-5": -0.012, "CHAT_UI_LAYOUT/simplified": 0.014, "COMPOSE_POSITION/top-fixed": -0.055 };
const EAGER = { "SYSTEM_PROMPT/v3-sha-empathy-rewrite": 1.1, "CHAT_UI_LAYOUT/simplified": 1.04, "COMPOSE_POSITION/top-fixed": 0.9 };
const LENGTH = { "SYSTEM_PROMPT/v3-sha-empathy-rewrite": 1.12, "LLM_MODEL/claude-haiku-4-5": 0.93 };

const effects = (table, variants, none, join) => Object.entries(variants).reduce((sum, [category, id]) => join(sum, table[`${category}/${id}`] ?? none), none);
/** How much more often people of these variants come back. */
export const eagerness = (variants) => effects(EAGER, variants, 1, (a, b) => a * b);

const rest = (model) => model.split("/").at(-1);
const speed = (model) => SPEEDS.find(([prefix]) => rest(model).startsWith(prefix));
const dayOf = (atMs) => new Date(atMs).toISOString().slice(0, 10);

/** Hours in which a vendor is mostly away: two that the story always has, and one every few weeks. */
export function incidents({ seed, firstDay, days, toldAt }, until) {
  const found = [
    { provider: "anthropic", from: firstDay + (days - 18) * DAY_MS + 14 * 3_600_000, minutes: 170 },
    { provider: "anthropic", from: toldAt - 7.5 * 3_600_000, minutes: 80 },
  ];
  for (let day = days; firstDay + day * DAY_MS < until; day++) {
    const chance = new Chance(`${seed} incident ${day}`);
    if (chance.is(0.05)) found.push({ provider: "anthropic", from: firstDay + day * DAY_MS + chance.whole(6, 21) * 3_600_000, minutes: chance.whole(20, 120) });
  }
  return found;
}

export class Turns {
  /** `models` are the registry's: id to configuration; `until` is the last moment that is told. */
  constructor({ story, models, prompts, until, version }) {
    Object.assign(this, { seed: story.seed, models, prompts, until, version, incidents: incidents(story, until) });
  }

  /** How a vendor fares at a moment: the chance to fail, and that its breaker is open. */
  health(provider, atMs) {
    const trouble = this.incidents.find((one) => one.provider === provider && atMs >= one.from && atMs < one.from + one.minutes * 60_000);
    return trouble ? { fails: 0.82, isOpen: atMs > trouble.from + 4 * 60_000 ? 0.75 : 0 } : { fails: FAILS[provider] ?? 0.01, isOpen: 0 };
  }

  /** A session's messages, in the order of their time. */
  of(person, session, variants, reasons, production) {
    const chance = new Chance(`${this.seed} session ${session.name}`);
    const sessionId = ulid("ses_", session.atMs, chance);
    const messages = [{ atMs: session.atMs, body: { type: "session_created", session_id: sessionId, person_id: person.id, product: session.product, created_at_ms: session.atMs } }];
    const model = this.models[variants.LLM_MODEL];
    const defaults = this.models[production.LLM_MODEL];
    const length = effects(LENGTH, variants, 1, (a, b) => a * b) * (session.product === "twin" ? 1.25 : 1);
    const liked = 0.71 + person.mood + effects(LIKED, variants, 0, (a, b) => a + b);
    const rated = chance.is(0.34) ? chance.whole(1, session.turns) : 0;
    let history = 0, held = 0, fell = 0;
    for (let seq = 1, atMs = session.atMs + chance.whole(4_000, 40_000); seq <= session.turns; seq++) {
      // From level 3 on the level stays for the session.
      const level = Math.max(held, chance.of(person.isFragile ? DISTRESSED : LEVELS));
      if (level >= 3) held = level;
      const isCrisis = level >= 2;
      const target = isCrisis ? defaults : model;
      const answer = isCrisis ? { status: "done", attempts: [], total: chance.whole(3, 11) } : this.answer(chance, target, atMs, { prompt: variants.SYSTEM_PROMPT, history, length });
      history += chance.whole(15, 90) + (answer.output ?? 60);
      const usage = { input_tokens: 0, output_tokens: 0, cached_input_tokens: 0 };
      let cost = 0;
      for (const attempt of answer.attempts) {
        for (const name of Object.keys(usage)) usage[name] += attempt.usage?.[name] ?? 0;
        cost += attempt.cost_micros ?? 0;
      }
      const asked = new Set(answer.attempts.map(({ provider, model: name }) => `${provider} ${name}`));
      const last = answer.attempts.findLast(({ outcome }) => outcome !== "breaker-open") ?? answer.attempts.at(-1);
      const event = {
        event_id: `${sessionId}:${seq}`, version: 1, session_id: sessionId, person_id: person.id, turn_id: ulid("trn_", atMs, chance), seq,
        kind: seq > 1 && chance.is(0.02) ? "regenerate" : "send", product: session.product, status: answer.status, accepted_at_ms: atMs, queued_ms: 0,
        ttft_ms: answer.ttft ?? null, total_ms: answer.total, provider: last?.provider ?? "safety", model: last?.model ?? "fixed-text", requested_model: target.model,
        prompt_version: `${this.prompts[isCrisis ? production.SYSTEM_PROMPT : variants.SYSTEM_PROMPT].prompt}@demo`, snapshot_version: this.version,
        variants: isCrisis ? production : variants, reasons: isCrisis ? {} : reasons, crisis_override: isCrisis, crisis_level: level,
        safety_rules: [], safety_tags: [], rules_version: "demo", injection_suspected: chance.is(0.002), guardrails: [], usage, cost_micros: cost,
        attempts: answer.attempts, mixed_providers: asked.size > 1, finish_reason: answer.status === "done" ? "stop" : "none", error: answer.error ?? null,
        country: person.country, trace_id: hex(16, chance),
      };
      const endMs = atMs + answer.total;
      messages.push({ atMs: endMs, body: { type: "turn", event, sealed_input: "", sealed_output: "" } });
      fell += answer.status === "failed" ? 0.25 : answer.total > 15_000 ? 0.08 : 0;
      if (seq === rated && !isCrisis) {
        const score = Math.min(4, Math.max(0, Math.round(4 * (liked - fell + 0.16 * chance.normal()))));
        const ratedMs = endMs + chance.whole(4_000, 50_000);
        messages.push({ atMs: ratedMs, body: { type: "feedback", event_id: event.event_id, session_id: sessionId, person_id: person.id, satisfaction_milli: 250 * score, at_ms: ratedMs } });
      }
      atMs = endMs + chance.whole(18_000, 150_000);
    }
    return messages.filter((message) => message.atMs <= this.until);
  }

  /** The model's answer: one target after the other until one has it, as the router goes. */
  answer(chance, config, atMs, { prompt, history, length }) {
    const attempts = [];
    const targets = [config, ...config.fallbacks].slice(0, 3);
    let clock = chance.whole(4, 14);
    // Once in a while nobody can be reached.
    const isCutOff = chance.is(0.003);
    let failure;
    for (const [place, { provider, model }] of targets.entries()) {
      const { fails, isOpen } = this.health(provider, atMs);
      const begun = { provider, model };
      if (chance.is(isOpen)) {
        attempts.push({ ...begun, outcome: "breaker-open", started_at_ms: atMs + clock, total_ms: 0 });
        continue;
      }
      // A target is asked again once, where it may have been a moment's trouble.
      for (let again = 0; again < (place === 0 && chance.is(0.5) ? 2 : 1); again++) {
        const started_at_ms = atMs + clock;
        if (isCutOff || chance.is(fails)) {
          const [outcome, median] = chance.of(FAILURES);
          const total_ms = Math.round(outcome === "provider-timeout" ? median : chance.skewed(median, 0.4));
          attempts.push({ ...begun, outcome, started_at_ms, total_ms });
          failure = outcome;
          clock += total_ms + chance.whole(20, 260);
          continue;
        }
        const [, first, each] = speed(model);
        const slower = SLOWER[provider] ?? 1;
        const ttft_ms = Math.round(chance.skewed(first * slower, 0.34) + history / 12);
        const output_tokens = Math.max(12, Math.min(800, Math.round(chance.skewed(138 * length, 0.42))));
        const total_ms = Math.round(ttft_ms + output_tokens * chance.skewed(each * slower, 0.12));
        const input_tokens = (prompt === "v3-sha-empathy-rewrite" ? 742 : 655) + history + chance.whole(12, 70);
        const cached_input_tokens = provider === "anthropic" && history > 400 ? Math.floor(input_tokens * 0.6) : 0;
        const status = chance.of(DONE);
        const usage = { input_tokens, output_tokens, ...(cached_input_tokens > 0 ? { cached_input_tokens } : {}) };
        attempts.push({
          ...begun, outcome: status === "done" ? "ok" : "stopped", started_at_ms, opened_ms: Math.round(ttft_ms * 0.6), ttft_ms, total_ms, usage,
          cost_micros: costMicros(model, usage, dayOf(atMs)),
        });
        return { status, attempts, ttft: clock + ttft_ms, total: clock + total_ms + chance.whole(1, 6), output: output_tokens };
      }
    }
    return { status: "failed", attempts, total: clock, error: failure ?? "provider-unreachable" };
  }
}
