// Leaving at once: nothing stays on the screen, in storage or behind the back button, also without a network, and whoever
// opens the page next does not find the conversations.
import { useEffect } from "react";
import { veil } from "../veil";

const NEUTRAL = "https://www.wikipedia.org/";
const TWICE_MS = 600;

const endings = new Set<() => void>();

/** What has to end at once when somebody leaves, such as a microphone; gives what takes it back. */
export function whenLeaving(end: () => void) {
  endings.add(end);
  return () => { endings.delete(end); };
}

export function leave() {
  endings.forEach((end) => end());
  // What is still under way must not write anything afterwards.
  stop();
  localStorage.clear();
  sessionStorage.clear();
  veil();
  document.title = "New tab";
  document.documentElement.className = "";
  document.body.replaceChildren();
  document.body.style.background = "#fff";
  // Takes our path out of the history entry before it is replaced.
  history.replaceState(null, "", "/");
  // Without a network the blank page is what stays.
  if (navigator.onLine) location.replace(NEUTRAL);
}

/** Esc twice leaves. */
export function useQuickExit() {
  useEffect(() => {
    let last = Number.NEGATIVE_INFINITY;
    const keys = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      if (event.timeStamp - last < TWICE_MS) leave();
      last = event.timeStamp;
    };
    addEventListener("keydown", keys, true);
    return () => removeEventListener("keydown", keys, true);
  }, []);
}
