import { expect, test } from "vitest";
import type { Scale } from "../variants";
import { STEPS, feedbackOf } from "./rating";

test("every step of every scale is a body that the route takes, and better is never less", () => {
  // The route's own measure: thumbs are 0 or 1000, a rating is a quarter of the way for each step above 1, a score a tenth.
  const satisfaction = (body: ReturnType<typeof feedbackOf>) =>
    "thumb" in body ? (body.thumb === "up" ? 1_000 : 0) : "score" in body ? body.score * 100 : (body.rating - 1) * 250;
  for (const [scale, steps] of Object.entries(STEPS) as [Scale, number][]) {
    const all = Array.from({ length: steps }, (_, at) => satisfaction(feedbackOf(scale, at + 1)));
    expect(all, scale).toEqual([...all].sort((a, b) => a - b));
    expect([all[0], all.at(-1)], scale).toEqual([0, 1_000]);
  }
  expect([1, 2, 3, 10].map((step) => feedbackOf("slider10", step))).toEqual([{ score: 0 }, { score: 1 }, { score: 2 }, { score: 10 }]);
});
