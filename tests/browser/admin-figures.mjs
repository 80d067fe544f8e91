// Believable figures for the dashboard's metrics routes, the same ones every time.

/** Numbers from 0 to 1 that a text decides (mulberry32). */
function random(text) {
  let seed = [...text].reduce((hash, letter) => Math.imul(hash ^ letter.codePointAt(0), 0x9e3779b1), 0x811c9dc5);
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const DAY_MS = 86_400_000;
const daysBack = (n, now = Date.now()) => Array.from({ length: n }, (_, index) => new Date(now - (n - 1 - index) * DAY_MS).toISOString().slice(0, 10));

// What sets a variant apart from its category's others.
const TRAITS = {
  "LLM_MODEL/claude-haiku-4-5": { latency: 0.46, cost: 0.31, satisfaction: -0.02 },
  "LLM_MODEL/claude-opus-4-8": { latency: 1.42, cost: 2.6, satisfaction: 0.03 },
  "SYSTEM_PROMPT/v3-sha-empathy-rewrite": { latency: 1.04, cost: 1.08, satisfaction: 0.04, returns: 0.03 },
};

function figures(variant, day, share) {
  const chance = random(`${variant.category}/${variant.id}/${day}`);
  const { latency = 1, cost = 1, satisfaction = 0, returns = 0 } = TRAITS[`${variant.category}/${variant.id}`] ?? {};
  const near = (value, spread) => value * (1 + (chance() - 0.5) * spread);
  const sessions = Math.round(near(2_140 * share, 0.2));
  const turns = Math.round(sessions * near(6.2, 0.08));
  return {
    day, sessions, turns, ratings: Math.round(sessions * near(0.31, 0.1)),
    latency_p50_ms: Math.round(near(1_620 * latency, 0.12)), latency_p95_ms: Math.round(near(4_380 * latency, 0.14)),
    ttft_p50_ms: Math.round(near(540 * latency, 0.14)), ttft_p95_ms: Math.round(near(1_450 * latency, 0.16)),
    cost_per_turn_micros: Math.round(near(5_240 * cost, 0.07)), satisfaction: near(0.742 + satisfaction, 0.018), return_rate: near(0.418 + returns, 0.05),
    crisis_rate: near(0.0061, 0.5), error_rate: near(0.0034, 0.9), tokens_in: Math.round(turns * near(1_180, 0.05)), tokens_out: Math.round(turns * near(212, 0.05)),
  };
}

const SUMS = ["sessions", "turns", "ratings", "tokens_in", "tokens_out"];
function totalOf(days) {
  const turns = days.reduce((sum, day) => sum + day.turns, 0);
  return Object.fromEntries(Object.keys(days[0]).filter((name) => name !== "day").map((name) => [name, SUMS.includes(name)
    ? days.reduce((sum, day) => sum + day[name], 0)
    : turns === 0 ? null : Number((days.reduce((sum, day) => sum + day[name] * day.turns, 0) / turns).toPrecision(4))]));
}

function shareOf(variant, variants) {
  if (variant.status === "retired") return 0;
  if (variant.status !== "production") return variant.rollout_percent / 100;
  const own = variants.filter(({ category }) => category === variant.category);
  const taken = own.reduce((sum, { status, rollout_percent }) => sum + (status === "production" ? 0 : rollout_percent), 0) / 100;
  return (1 - taken) / own.filter(({ status }) => status === "production").length;
}

const seriesOf = (variant, variants, names) => {
  const share = shareOf(variant, variants);
  const days = share === 0 ? [] : names.map((day) => figures(variant, day, share));
  return { days, total: days.length === 0 ? totalOf([figures(variant, "none", 0)]) : totalOf(days) };
};

const COMPARED = {
  ready: {
    tests: [
      { metric: "satisfaction", estimate: 0.041, fixed: { low: 0.026, high: 0.056, p: 0.00000011 }, always_valid: { low: 0.017, high: 0.065, p: 0.00043 } },
      { metric: "return_rate", estimate: 0.0284, fixed: { low: 0.0041, high: 0.0527, p: 0.0219 }, always_valid: { low: -0.0105, high: 0.0673, p: 0.31 } },
      { metric: "latency_p95_ms", estimate: 0.034, fixed: { low: 0.002, high: 0.067, p: 0.038 }, always_valid: { low: -0.018, high: 0.089, p: 0.42 } },
      { metric: "cost_per_turn_micros", estimate: 414, fixed: { low: 320, high: 513, p: 1e-16 }, always_valid: { low: 257, high: 576, p: 1e-12 } },
      { metric: "error_rate", estimate: -0.0003, fixed: { low: -0.0019, high: 0.0013, p: 0.71 }, always_valid: { low: -0.0029, high: 0.0023, p: 1 } },
      { metric: "turns_per_session", estimate: 0.42, fixed: { low: 0.11, high: 0.73, p: 0.008 }, always_valid: { low: -0.07, high: 0.91, p: 0.14 } },
    ],
    gates: [
      { name: "latency_p95", verdict: "pass", estimate: 0.034, low: -0.011, high: 0.081, threshold: 0.1 },
      { name: "crisis_detection", verdict: "pass", estimate: null, low: null, high: null, threshold: 0 },
      { name: "satisfaction", verdict: "pass", estimate: 0.041, low: 0.019, high: 0.063, threshold: -0.05 },
      { name: "cost_per_turn", verdict: "pass", estimate: 0.079, low: 0.052, high: 0.107, threshold: 0.2 },
    ],
    sample_ratio: { p: 0.64, alarm: false }, decision: { promote: true, next: "ready_for_review", reasons: [] }, sessions: [2_381, 2_402],
  },
  collecting: {
    tests: [
      { metric: "satisfaction", estimate: -0.018, fixed: { low: -0.041, high: 0.005, p: 0.12 }, always_valid: { low: -0.058, high: 0.022, p: 0.91 } },
      { metric: "latency_p95_ms", estimate: -0.54, fixed: { low: -0.58, high: -0.49, p: 1e-30 }, always_valid: { low: -0.61, high: -0.45, p: 1e-9 } },
      { metric: "cost_per_turn_micros", estimate: -3_616, fixed: { low: -3_668, high: -3_510, p: 0 }, always_valid: { low: -3_772, high: -3_406, p: 0 } },
      { metric: "return_rate", estimate: -0.004, fixed: { low: -0.04, high: 0.032, p: 0.83 }, always_valid: { low: -0.07, high: 0.062, p: 1 } },
    ],
    gates: [
      { name: "latency_p95", verdict: "pass", estimate: -0.54, low: -0.6, high: -0.46, threshold: 0.1 },
      { name: "crisis_detection", verdict: "insufficient_data", estimate: null, low: null, high: null, threshold: 0 },
      { name: "satisfaction", verdict: "insufficient_data", estimate: -0.018, low: -0.055, high: 0.019, threshold: -0.05 },
      { name: "cost_per_turn", verdict: "pass", estimate: -0.69, low: -0.72, high: -0.66, threshold: 0.2 },
    ],
    sample_ratio: { p: 0.38, alarm: false }, sessions: [1_893, 421],
    decision: { promote: false, next: "collect_more", reasons: [{ reason: "gate_undecided", gate: "crisis_detection" }, { reason: "gate_undecided", gate: "satisfaction" }, { reason: "too_few_sessions", sessions: 421, more_than: 500 }] },
  },
  broken: {
    tests: [
      { metric: "satisfaction", estimate: -0.071, fixed: { low: -0.092, high: -0.05, p: 1e-9 }, always_valid: { low: -0.104, high: -0.038, p: 0.0002 } },
      { metric: "latency_p95_ms", estimate: 0.22, fixed: { low: 0.17, high: 0.27, p: 1e-12 }, always_valid: { low: 0.14, high: 0.31, p: 1e-6 } },
    ],
    gates: [
      { name: "latency_p95", verdict: "fail", estimate: 0.22, low: 0.15, high: 0.3, threshold: 0.1 },
      { name: "crisis_detection", verdict: "pass", estimate: null, low: null, high: null, threshold: 0 },
      { name: "satisfaction", verdict: "fail", estimate: -0.071, low: -0.101, high: -0.055, threshold: -0.05 },
      { name: "cost_per_turn", verdict: "pass", estimate: 0.02, low: -0.01, high: 0.05, threshold: 0.2 },
    ],
    sample_ratio: { p: 0.00004, alarm: true }, sessions: [1_204, 987],
    decision: { promote: false, next: "roll_back", reasons: [{ reason: "sample_ratio_mismatch", p_value: 0.00004 }, { reason: "gate_failed", gate: "latency_p95" }, { reason: "gate_failed", gate: "satisfaction" }] },
  },
};
const fateOf = (treatment) => (/empathy|drill/.test(treatment) ? "ready" : /opus|simplified/.test(treatment) ? "broken" : "collecting");

const PROVIDERS = [
  ["anthropic", "claude-sonnet-4-6", 48_210, { overloaded: 61, timeout: 22, busy: 13 }, 0, 548, 0, null], ["anthropic", "claude-haiku-4-5", 12_871, { timeout: 21 }, 0, 251, 0, null],
  ["bedrock", "claude-sonnet-4-6", 1_204, { overloaded: 70, busy: 18 }, 1, 702, 96, 55], ["openai", "gpt-5-mini", 611, { unreachable: 390, timeout: 12 }, 0.84, 1_830, 2_210, 1],
  ["workers-ai", "llama-3.3-70b", 220, { busy: 1 }, 1, 410, 0, null],
].map(([provider, model, attempts, causes, fallback_share, ttft_p50_ms, spared, minutes]) => {
  const failures = Object.values(causes).reduce((sum, n) => sum + n, 0);
  return {
    provider, model, attempts, failures, error_rate: failures / attempts, failures_by: Object.fromEntries(Object.entries(causes).map(([slug, n]) => [`provider-${slug}`, n])), fallback_share,
    latency_p50_ms: ttft_p50_ms * 4, latency_p95_ms: ttft_p50_ms * 9, ttft_p50_ms, ttft_p95_ms: Math.round(ttft_p50_ms * 2.1),
    breaker: { spared, share: spared / (spared + attempts), last_at: minutes === null ? null : new Date(Date.now() - minutes * 60_000).toISOString() },
  };
});

const LETTERS = [
  ["dlq_01k9y2m7", 14, "D1: too many requests", "turn.completed", null], ["dlq_01k9y1xa", 96, "event 8f2c… refers to a session that is not there", "turn.completed", null],
  ["dlq_01k9xw3e", 640, "R2: internal error", "turn.rated", 22],
].map(([id, minutes, error, type, replayed]) => ({ id, received_at: new Date(Date.now() - minutes * 60_000).toISOString(), error, type, replayed_at: replayed === null ? null : new Date(Date.now() - replayed * 60_000).toISOString() }));

/** The answer of a metrics route, or null where the path is none. `variants` are the registry's own. */
export function figuresOf(url, variants) {
  const get = (name) => url.searchParams.get(name);
  const days = Number(get("days") ?? 7);
  const names = daysBack(days);
  switch (url.pathname.replace(/^\/admin\/v1/, "")) {
    case "/metrics/overview":
      return { days: names, variants: variants.map((variant) => ({ category: variant.category, id: variant.id, status: variant.status, ...seriesOf(variant, variants, names) })).filter(({ days: known }) => known.length > 0) };
    case "/metrics/series": {
      const variant = variants.find(({ category, id }) => category === get("category") && id === get("id"));
      return variant ? seriesOf(variant, variants, names) : { days: [] };
    }
    case "/metrics/compare": {
      const { sessions, ...rest } = COMPARED[fateOf(get("treatment"))];
      const arm = (id, n) => ({ ...totalOf([figures({ category: get("category"), id }, get("to"), 1)]), id, sessions: n, turns: Math.round(n * 6.2) });
      return { arms: [arm(get("control"), sessions[0]), arm(get("treatment"), sessions[1])], ...rest };
    }
    case "/metrics/live": {
      const chance = random("live");
      const minutes = Array.from({ length: 60 }, (_, n) => ({ at: new Date(Date.now() - (59 - n) * 60_000).toISOString(), turns: Math.round(9 + 5 * Math.sin(n / 9) + chance() * 4), errors: chance() > 0.96 ? 1 : 0, crisis: chance() > 0.97 ? 1 : 0 }));
      return { minutes, today: { turns: 8_412, sessions: 1_379, errors: 27, crisis: 44, cost_micros: 44_108_000 } };
    }
    case "/metrics/safety":
      return {
        days: names.map((day, n) => { const chance = random(`safety ${day}`); const all = 12_600 + 900 * Math.sin(n / 3.5) + 700 * chance(); return { day, levels: { 0: Math.round(all), 1: Math.round(330 + 120 * chance()), 2: Math.round(58 + 30 * chance()), 3: Math.round(14 + 12 * chance()), 4: Math.round(2 + 5 * chance()) } }; }),
        referrals: [["US", 2, 512], ["US", 3, 131], ["US", 4, 30], ["DE", 2, 298], ["DE", 3, 76], ["DE", 4, 14], ["GB", 2, 221], ["GB", 3, 60], ["GB", 4, 11], ["JP", 2, 174], ["JP", 3, 41], ["BR", 2, 88], ["BR", 3, 19], ["BR", 4, 3], ["unknown", 2, 41]].map(([region, level, turns]) => ({ region, level, turns: Math.round((turns * days) / 30) })),
      };
    case "/metrics/costs":
      return {
        days: names.flatMap((day, n) => [["companion", 62e6], ["voice", 14e6], ["twin", 6e6]].map(([product, micros]) => { const chance = random(`${product} ${day}`); return { day, product, micros: Math.round(micros * (0.9 + 0.12 * Math.sin(n / 3) + 0.14 * chance())), turns: Math.round(micros / 5_200) }; })),
        budgets: [
          { name: "month", period: daysBack(1)[0].slice(0, 7), limit_micros: 3_000e6, spent_micros: 1_846.2e6, reserved_micros: 0.42e6, state: "ok" },
          { name: "feature:chat", period: daysBack(1)[0].slice(0, 7), limit_micros: 80e6, spent_micros: 66.4e6, reserved_micros: 1.9e6, state: "cheaper" },
          { name: "feature:api", period: daysBack(1)[0].slice(0, 7), limit_micros: 6e6, spent_micros: 6.02e6, reserved_micros: 0, state: "exhausted" },
        ],
      };
    case "/providers": return { hours: Number(get("hours") ?? 24), turns: 61_030, is_complete: false, oldest_at: new Date(Date.now() - 9 * 3_600_000).toISOString(), providers: PROVIDERS };
    case "/dead-letters": return { dead_letters: LETTERS, waiting: 2, next: null };
    default: return /^\/admin\/v1\/dead-letters\/([^/]+\/)?replay$/.test(url.pathname) ? { audit_seq: 99 } : null;
  }
}
