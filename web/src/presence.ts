// What the companion is doing, for the face that shows it. The composer and the conversation each say their part.
import { useSyncExternalStore } from "react";

export type Presence = "idle" | "listening" | "thinking" | "speaking";

const LISTENS_MS = 1_600;
let answering: Exclude<Presence, "idle"> | null = null;
let hears: ReturnType<typeof setTimeout> | null = null;
let now: Presence = "idle";
const watchers = new Set<() => void>();

function tell() {
  const next: Presence = answering ?? (hears === null ? "idle" : "listening");
  if (next === now) return;
  now = next;
  watchers.forEach((watcher) => watcher());
}

/** Someone writes; it holds for a moment after the last key. */
export function hear() {
  if (hears !== null) clearTimeout(hears);
  hears = setTimeout(() => { hears = null; tell(); }, LISTENS_MS);
  tell();
}

/** What it does for as long as it is told so; a microphone listens without a pause. */
export function answer(how: Exclude<Presence, "idle"> | null) {
  answering = how;
  if (how !== null && hears !== null) {
    clearTimeout(hears);
    hears = null;
  }
  tell();
}

const watch = (watcher: () => void) => {
  watchers.add(watcher);
  return () => { watchers.delete(watcher); };
};
export const usePresence = () => useSyncExternalStore(watch, () => now);
