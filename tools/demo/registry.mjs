// What two admins do to the registry, through the admin API: experiments, a demotion, and changes that wait for a second word.
import { Failure } from "../../scripts/lib.mjs";

export const ADMINS = { ada: "ada@example.org", grace: "grace@example.org" };

/** A client of the admin API for each of them. Keys are of the wish, so that a run that was cut off can go on. */
export function asAdmins(ask) {
  const change = async (who, category, id, action, reason, body = {}) => {
    const path = `/variants/${category}/${id}`;
    const { body: { version } } = await ask(who, "GET", path);
    const key = `demo-${who}-${category}-${id}-${action}-${JSON.stringify(body)}`.replaceAll(/[^\w.-]/g, "").slice(0, 250);
    return wish(who, action === "edit" ? "PATCH" : "POST", action === "edit" ? path : `${path}/${action}`, key, { reason, ...body }, { "if-match": `"${version}"` });
  };
  const wish = async (who, method, path, key, body, headers = {}) => {
    const answer = await ask(who, method, path, body, { "idempotency-key": key, ...headers });
    // Done before, by a run that was cut off: the version that it changed is another one now.
    if (String(answer.body?.type).endsWith("idempotency-key-reused")) return null;
    if (answer.status >= 300) throw new Failure(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return { change, wish };
}

/** Before the story: what is tried from its first day on. */
export async function begin(ask) {
  const { change, wish } = asAdmins(ask);
  await change("ada", "CHAT_UI_LAYOUT", "simplified", "rollout", "Canary: larger type and no side panel, for one person in five", { percent: 20 });
  await change("grace", "STARTER_POOL_SIZE", "5", "rollout", "Fewer starters may be easier to choose from", { percent: 15 });
  await change("ada", "COMPOSE_POSITION", "top-fixed", "rollout", "A small look at the field above the talk", { percent: 10 });
  await change("ada", "GHOST_CHAR_STYLE", "dots", "edit", "Say what people see", { description: "Three dots that breathe while the answer is on its way" });
  await wish("grace", "POST", "/variants", "demo-create-starters", {
    category: "STARTER_POOL_SIZE", id: "3", description: "Three starters, for people who are tired", config: { size: 3 }, reason: "From the interviews of October: seven are too many at night",
  });
}

/** Some days before its end: one of them is taken back. */
export async function demote(ask) {
  const { change } = asAdmins(ask);
  await change("grace", "COMPOSE_POSITION", "top-fixed", "demote", "Satisfaction is down: on phones the keyboard covers the talk");
}

/** At its end: what waits. */
export async function waiting(ask) {
  const { change, wish } = asAdmins(ask);
  await change("ada", "LLM_MODEL", "claude-haiku-4-5", "promote", "Twice as fast and a third of the price, and nobody likes it less");
  await change("grace", "SYSTEM_PROMPT", "v3-sha-empathy-rewrite", "rollout", "People who have it come back more often: look closer", { percent: 25 });
  await wish("ada", "POST", "/preview-links", "demo-preview", { overrides: { CHAT_UI_LAYOUT: "sidebar" }, reason: "For the design review on Monday" });
}
