// Synthetic turns: what the chat Worker would send, reproducible from a seed.
export const DAY_MS = 86_400_000;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const SEALED = Buffer.alloc(160, 7).toString("base64");
const CATEGORIES = {
  LLM_MODEL: ["claude-sonnet-4-6", "claude-haiku-4-5"], SYSTEM_PROMPT: ["v2-sha-current", "v3-sha-empathy-rewrite"], CHAT_UI_LAYOUT: ["current", "simplified"],
  COMPOSE_POSITION: ["bottom", "top-fixed"], GHOST_CHAR_STYLE: ["off", "dots"], RATING_VARIANT: Array.from({ length: 40 }, (_, n) => `rating-${String(n + 1).padStart(2, "0")}`),
  VOICE_PROVIDER: ["openai"], VOICE_LLM: ["sonnet", "haiku"], STARTER_POOL_SIZE: ["7", "5"], TOPIC_HIERARCHY: ["flat"], MANDALA_FACE: ["on"], PRICING_TIER_STRUCTURE: ["v1"],
};

/** Mulberry32: small, and the same everywhere. */
export function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const dayOf = (atMs) => new Date(atMs).toISOString().slice(0, 10);

export function ulid(prefix, atMs, random) {
  let time = "";
  for (let value = atMs, n = 0; n < 10; n++, value = Math.floor(value / 32)) time = ALPHABET[value % 32] + time;
  return prefix + time + Array.from({ length: 16 }, () => ALPHABET[Math.floor(random() * 32)]).join("");
}

/** Makes sessions of turns, of people who come back. `next(atMs)` gives the messages of a session that begins then. */
export function people(seed, { turns = [1, 9], back = 0.3 } = {}) {
  const random = numbers(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const known = [];
  const next = (atMs) => {
    let person;
    if (known.length > 0 && random() < back) person = pick(known);
    else {
      person = { id: ulid("per_", atMs, random), variants: Object.fromEntries(Object.entries(CATEGORIES).map(([name, ids]) => [name, pick(ids)])) };
      if (known.length < 2_000) known.push(person);
      else known[Math.floor(random() * known.length)] = person;
    }
    const session = ulid("ses_", atMs, random);
    const count = turns[0] + Math.floor(random() * (turns[1] - turns[0]));
    const messages = [{ type: "session_created", session_id: session, person_id: person.id, product: "companion", created_at_ms: atMs }];
    const inCrisisFrom = random() < 0.03 ? 1 + Math.floor(random() * count) : Infinity;
    const reasons = random() < 0.05 ? { [pick(Object.keys(CATEGORIES))]: pick(["override", "withdrawn", "degraded", "split"]) } : {};
    for (let seq = 1, at = atMs; seq <= count; seq++, at += 20_000 + Math.floor(random() * 60_000)) {
      const crisis = seq >= inCrisisFrom;
      const status = random() < 0.02 ? pick(["failed", "interrupted", "stopped"]) : "done";
      const offered = Math.round(100 * Math.exp(3 * random()));
      const event = {
        event_id: `${session}:${seq}`, version: 1, session_id: session, person_id: person.id, turn_id: ulid("trn_", at, random), seq, kind: "send",
        product: "companion", status, accepted_at_ms: at, queued_ms: 0, ttft_ms: crisis || status === "failed" ? null : offered,
        total_ms: crisis ? 2 : offered + Math.round(5_000 * random()), provider: crisis ? "gate" : "anthropic", model: person.variants.LLM_MODEL,
        requested_model: person.variants.LLM_MODEL, prompt_version: `${person.variants.SYSTEM_PROMPT}@1`, snapshot_version: 3,
        variants: crisis ? Object.fromEntries(Object.entries(CATEGORIES).map(([name, [first]]) => [name, first])) : person.variants,
        reasons: crisis ? {} : reasons, crisis_override: crisis, crisis_level: crisis ? 3 : 0, safety_rules: [], safety_tags: [], rules_version: "r1",
        injection_suspected: false, guardrails: [], usage: { input_tokens: 200 + Math.floor(800 * random()), output_tokens: crisis ? 0 : Math.floor(300 * random()) },
        cost_micros: random() < 0.05 ? null : Math.floor(9_000 * random()), finish_reason: "stop", error: status === "failed" ? "timeout" : null,
        country: pick(["DE", "US", "JP", null]), trace_id: null,
      };
      messages.push({ type: "turn", event, sealed_input: SEALED, sealed_output: SEALED });
      if (random() < 0.2) messages.push({ type: "feedback", event_id: event.event_id, session_id: session, person_id: person.id, satisfaction_milli: pick([0, 250, 500, 750, 1_000]), at_ms: at + 5_000 });
    }
    return messages;
  };
  return { next, random };
}
