// From what a person picks to what the API takes.
import type { Scale } from "../variants";

/** The body of the feedback route. */
export type Feedback = { rating: 1 | 2 | 3 | 4 | 5 } | { thumb: "up" | "down" };

/** How many steps each scale has. */
export const STEPS: Record<Scale, number> = { stars5: 5, words5: 5, emoji5: 5, thumbs: 2, slider10: 10 };

/** A step of the scale, from 1 (worst), as feedback. Ten steps become five, two to each. */
export function feedbackOf(scale: Scale, step: number): Feedback {
  if (scale === "thumbs") return { thumb: step === 2 ? "up" : "down" };
  const five = scale === "slider10" ? Math.ceil(step / 2) : step;
  return { rating: Math.min(Math.max(Math.round(five), 1), 5) as 1 | 2 | 3 | 4 | 5 };
}

const KEY = "si-rated";

/** Turns that need no question any more: rated, or asked about in vain. Kept for this tab only. */
export const wasAsked = (turn: string) => (sessionStorage.getItem(KEY) ?? "").split(" ").includes(turn);
export const markAsked = (turn: string) => sessionStorage.setItem(KEY, `${sessionStorage.getItem(KEY) ?? ""} ${turn}`.trim());
