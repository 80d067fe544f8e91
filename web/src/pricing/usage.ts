// How much was said today, from what the person's own conversations say: there is no other count to trust.
import { type Message, type SessionEntry, listSessions, readSession } from "../api/client";

/** Midnight of the person's own day. */
export const dayBegan = (now: Date) => new Date(now.getFullYear(), now.getMonth(), now.getDate());

/** Turns of a page of messages that were begun since; each turn has one message of the person. */
export const turnsSince = (since: Date, messages: readonly Pick<Message, "role" | "metadata">[]) =>
  messages.filter(({ role, metadata }) => role === "user" && metadata !== undefined && new Date(metadata.created_at) >= since).length;

/** Conversations that were begun before today, but went on today, have to be read to be counted. */
export function split(since: Date, entries: readonly SessionEntry[]) {
  const today = entries.filter((entry) => new Date(entry.last_active_at) >= since && entry.turns > 0);
  const whole = today.filter((entry) => new Date(entry.created_at) >= since);
  return { turns: whole.reduce((sum, entry) => sum + entry.turns, 0), toRead: today.filter((entry) => !whole.includes(entry)).map(({ session_id }) => session_id) };
}

export async function turnsToday(now = new Date()): Promise<number> {
  const since = dayBegan(now);
  const { turns, toRead } = split(since, await listSessions());
  const read = await Promise.all(toRead.map((id) => readSession(id).then(({ messages }) => turnsSince(since, messages))));
  return read.reduce((sum, count) => sum + count, turns);
}
