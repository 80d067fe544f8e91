// From what a person picks to what the API takes.
import type { Scale } from "../variants";

/** The body of the feedback route. */
export type Feedback = { rating: number } | { score: number } | { thumb: "up" | "down" };

/** How many steps each scale has. */
export const STEPS: Record<Scale, number> = { stars5: 5, words5: 5, emoji5: 5, thumbs: 2, slider10: 10 };

/** A step of the scale, from 1 (worst), as feedback. Ten steps are spread over the route's 0 to 10. */
export function feedbackOf(scale: Scale, step: number): Feedback {
  if (scale === "thumbs") return { thumb: step === 2 ? "up" : "down" };
  const within = Math.min(Math.max(Math.round(step), 1), STEPS[scale]);
  return scale === "slider10" ? { score: Math.round(((within - 1) / 9) * 10) } : { rating: within };
}

const KEY = "si-rated";

/** Turns that need no question any more: rated, or asked about in vain. Kept for this tab only. */
export const wasAsked = (turn: string) => (sessionStorage.getItem(KEY) ?? "").split(" ").includes(turn);
export const markAsked = (turn: string) => sessionStorage.setItem(KEY, `${sessionStorage.getItem(KEY) ?? ""} ${turn}`.trim());
