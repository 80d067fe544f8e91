// Spoken turns as messages of the conversation, so that they look and behave as written ones do.
import type { Message } from "../api/client";
import type { Turn } from "./talk";

const STATUS = { finished: "done", stopped: "stopped", failed: "failed" } as const;

/** The messages of turns that are not read back from the server yet. */
export function messagesOf(turns: readonly Turn[]): Message[] {
  return turns.flatMap((turn): Message[] => {
    // An answer whose voice failed is there in full.
    const status = turn.outcome === null ? "running" : turn.outcome === "failed" && turn.text ? "done" : STATUS[turn.outcome];
    const metadata = { turn_id: turn.id ?? "", status, created_at: "" } as const;
    const said: Message[] = turn.said === null ? [] : [{ id: `said-${turn.key}`, role: "user", parts: [{ type: "text", text: turn.said }], metadata: { ...metadata, status: "done" } }];
    if (!turn.text && turn.parts.length === 0 && turn.id === null) return said;
    const parts = [...(turn.text ? [{ type: "text", text: turn.text }] : []), ...turn.parts] as Message["parts"];
    return [...said, { id: turn.messageId ?? `heard-${turn.key}`, role: "assistant", parts, metadata }];
  });
}

/** Messages with a spoken turn in its place, else at their end: as the server keeps it where it is known, else as it was heard here. */
export function withTurn(messages: readonly Message[], turn: Turn, known: readonly Message[]): Message[] {
  const stored = turn.id === null ? [] : known.filter(({ metadata }) => metadata?.turn_id === turn.id);
  const here = messagesOf([turn]);
  const fresh = (["user", "assistant"] as const).flatMap((is) => {
    const [mine, kept] = [here.find(({ role }) => role === is), stored.find(({ role }) => role === is)];
    if (!kept || !mine) return kept ?? mine ?? [];
    // What is on the screen keeps its place there; that this is no person is told once, and not stored with the turn.
    return { ...kept, id: mine.id, parts: [...kept.parts, ...mine.parts.filter(({ type }) => type === "data-disclosure")] };
  });
  const ids = new Set(fresh.map(({ id }) => id));
  const place = messages.findIndex(({ id }) => ids.has(id));
  const others = messages.filter(({ id }) => !ids.has(id));
  return place < 0 ? [...others, ...fresh] : [...others.slice(0, place), ...fresh, ...others.slice(place)];
}
