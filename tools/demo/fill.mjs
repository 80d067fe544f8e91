// Fills an instance with a story: the registry through the admin API, the turns through the queue, the figures by the Worker's own cron.
//
// Nothing is written into a table from here. What was decided once (who, when, which variants) is remembered, so that telling it again
// sends the same messages, which have no second effect.
import { Failure } from "../../scripts/lib.mjs";
import { DAY_MS, People } from "./people.mjs";
import * as registry from "./registry.mjs";
import { Turns, eagerness } from "./turns.mjs";

const SEED = "silent-infinity";
/** The queue takes so many messages at a time. */
const BATCH = 100;
/** Days that may be on their way: the next is sent while the last ones are stored. */
const AHEAD = 3;
const PATIENCE_MS = 120_000;
const CRON = { tick: "*/5 * * * *", night: "0 3 * * *" };
const midnight = (atMs) => Math.floor(atMs / DAY_MS) * DAY_MS;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What no consumer can store: kept as dead letters, where people see them. */
const BROKEN = [
  '{"type":"turn.completed","session":"an event of a version that nobody sends any more"}',
  '{"type":"turn","event":{"event_id":"ses_00000000000000000000000000:1","version":1',
  '{"type":"feedback","event_id":"ses_00000000000000000000000000:1","satisfaction_milli":"very"}',
];

/** A new story that ends now; `toldAt` places its last incident. */
export const newStory = ({ days, persons, now }) => ({ seed: SEED, days, persons, firstDay: midnight(now) - (days - 1) * DAY_MS, toldAt: now, people: {} });

/**
 * Tells the story up to `until`. `door` is the instance: `ask(who, method, path, body, headers)` of the admin API, `queue`, `cron(name,
 * atMs)`, `rows(sql, …)`, `budget(path, body)` of the object that all share. `keep` stores the story; `say` tells how far it is.
 * Gives what was sent.
 */
export async function fill(door, story, { until, keep = () => {}, say = () => {} }) {
  const ask = (...wish) => door.ask(...wish);
  const people = new People(story);
  const days = Math.floor((until - story.firstDay) / DAY_MS) + 1;
  const everybody = people.until(days).filter(({ firstMs }) => firstMs <= until);
  const turnOfTheTide = Math.max(1, Math.floor(story.days * 0.85));

  if (!story.hasBegun) {
    say("registry: experiments of two admins");
    await registry.begin(ask);
    story.hasBegun = true;
    await keep(story);
  }
  if (!story.hasDemoted) {
    say(`assignments of ${everybody.length} people, by the registry`);
    await assign(ask, everybody.filter(({ day }) => day < turnOfTheTide), story, "before");
    await registry.demote(ask);
    story.hasDemoted = true;
    await keep(story);
  }
  await assign(ask, everybody, story, "after");
  const { version, defaults, models, prompts } = await registryOf(ask, story);
  await keep(story);
  const turns = new Turns({ story, until, version, models, prompts });
  const sent = [];
  const waiting = [];
  for (let day = 0; day < days; day++) {
    const messages = [];
    for (const person of everybody.filter((one) => one.day <= day)) {
      const given = story.people[person.id];
      const { chosen, reasons } = day < turnOfTheTide && given.before ? given.before : given.after;
      // A crisis has production; a pool's draw stays with the person.
      const production = Object.fromEntries(Object.entries(chosen).map(([category, id]) => [category, reasons[category] ? defaults[category] : id]));
      for (const session of people.sessions(person, day, eagerness(chosen))) messages.push(...turns.of(person, session, chosen, reasons, production));
    }
    messages.sort((a, b) => a.atMs - b.atMs);
    const bodies = messages.map(({ body }) => body);
    for (let at = 0; at < bodies.length; at += BATCH) {
      await door.queue.sendBatch(bodies.slice(at, at + BATCH).map((body) => ({ body: JSON.stringify(body), contentType: "json" })));
    }
    sent.push(...bodies);
    waiting.push(bodies);
    if (waiting.length > AHEAD) await stored(door, waiting.shift());
    say(`${new Date(story.firstDay + day * DAY_MS).toISOString().slice(0, 10)}: ${sent.filter(({ type }) => type === "turn").length} turns sent`, (day + 1) / days);
  }
  for (const bodies of waiting) await stored(door, bodies);
  await door.queue.sendBatch(BROKEN.map((body) => ({ body, contentType: "json" })));

  say("gold and silver, by the cron");
  await door.cron(CRON.tick, until);
  await door.cron(CRON.night, midnight(until) + 3 * 3_600_000);
  const [{ left }] = await door.rows("SELECT count(*) AS left FROM jobs WHERE finished_at_ms IS NULL");
  if (left > 0) throw new Failure(`${left} steps of the night are not done`);

  await budgets(door, story, sent);
  if (!story.hasEnded) {
    await registry.waiting(ask);
    story.hasEnded = true;
  }
  await keep(story);
  return sent;
}

/** The registry as the story first found it; of what came since, only what newcomers may have. */
async function registryOf(ask, story) {
  const { variants, version } = await ok(ask("ada", "GET", "/snapshot"));
  const { categories } = await ok(ask("ada", "GET", "/categories"));
  const configs = (category) => Object.fromEntries(variants.filter((one) => one.category === category).map(({ id, config }) => [id, config]));
  const now = { version, defaults: Object.fromEntries(categories.map(({ category, defaults: [first] }) => [category, first])), models: configs("LLM_MODEL"), prompts: configs("SYSTEM_PROMPT") };
  story.registry ??= now;
  const { registry } = story;
  return { ...registry, models: { ...now.models, ...registry.models }, prompts: { ...now.prompts, ...registry.prompts } };
}

async function ok(answer) {
  const { status, body } = await answer;
  if (status >= 300) throw new Failure(`the admin API answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

/** Asks the registry what each person has, once for each person and time. */
async function assign(ask, everybody, story, when) {
  const left = everybody.filter(({ id }) => !story.people[id]?.[when] && !(when === "before" && story.people[id]?.after));
  for (let at = 0; at < left.length; at += 8) {
    await Promise.all(left.slice(at, at + 8).map(async ({ id }) => {
      const { explanations } = await ok(ask("ada", "GET", `/explain?person_id=${id}`));
      const chosen = Object.fromEntries(explanations.map(({ explanation: { category, variant } }) => [category, variant]));
      const reasons = Object.fromEntries(explanations.filter(({ explanation: { reason } }) => reason !== "default").map(({ explanation: { category, reason } }) => [category, reason]));
      story.people[id] = { ...story.people[id], [when]: { chosen, reasons } };
    }));
  }
}

/** Waits until D1 has these messages. */
async function stored(door, bodies) {
  const end = Date.now() + PATIENCE_MS;
  for (const [type, table] of [["turn", "turn_events"], ["feedback", "feedback"]]) {
    const ids = bodies.filter((body) => body.type === type).map((body) => body.event?.event_id ?? body.event_id);
    for (;;) {
      const [{ n }] = await door.rows(`SELECT count(*) AS n FROM ${table} WHERE event_id IN (SELECT value FROM json_each(?))`, JSON.stringify(ids));
      if (n === ids.length) break;
      if (Date.now() > end) throw new Failure(`${ids.length - n} of ${ids.length} ${type}s did not arrive in ${PATIENCE_MS / 1_000} s`);
      await sleep(100);
    }
  }
}

/** What this month cost, charged to the shared budgets; what is charged already is not charged again. */
async function budgets(door, story, sent) {
  const month = new Date().toISOString().slice(0, 7);
  const spent = sent.reduce((sum, { type, event }) => sum + (type === "turn" && new Date(event.accepted_at_ms).toISOString().startsWith(month) ? event.cost_micros : 0), 0);
  // So that one budget is well in order and one runs low; when it has run out, somebody has raised it.
  if (!story.limits || spent > story.limits.chat * 1e6) story.limits = { month: dollars(spent / 0.64), chat: dollars(spent / 0.86), api: 25 };
  const accounts = await door.budget("GET", "/accounts");
  const charged = accounts.find(({ name, period }) => name === "month" && period === month)?.spent_micros ?? 0;
  const id = `demo:${month}:${spent}`;
  const draw = (name, limit) => ({ name, period: "month", limit_micros: limit * 1e6 });
  const { month: all, chat, api } = story.limits;
  await door.budget("POST", "/reserve", { id, estimate_micros: Math.max(0, spent - charged), draws: [draw("month", all), draw("feature:chat", chat)] });
  await door.budget("POST", "/settle", { id, cost_micros: Math.max(0, spent - charged) });
  await door.budget("POST", "/reserve", { id: `${id}:api`, estimate_micros: 0, draws: [draw("feature:api", api)] });
  await door.budget("POST", "/settle", { id: `${id}:api`, cost_micros: 0 });
}

/** A round sum of at least so much. */
function dollars(micros) {
  const amount = Math.max(1, micros / 1e6);
  const step = 10 ** Math.floor(Math.log10(amount)) / 2;
  return Math.ceil(amount / step) * step;
}
