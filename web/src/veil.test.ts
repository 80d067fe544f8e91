import { afterEach, expect, test, vi } from "vitest";
import { beganAt, begun, isShown, isVeiled, unveil, veil } from "./veil";

const OLD = "ses_01k9y2m7a80000000000000000", NEXT = "ses_01k9y2m7a90000000000000000", LATER = "ses_01k9y2m7aa0000000000000000";
const kept = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value), removeItem: (key: string) => kept.delete(key),
});
afterEach(() => kept.clear());

test("an id says when its conversation began", () => {
  // The example of the ULID specification.
  expect(beganAt("ses_01arz3ndektsv4rrffq69g5fav")).toBe(1_469_922_850_259);
  expect(beganAt(NEXT) - beganAt(OLD)).toBe(1);
});

test("what was there before somebody left is hidden until it is asked for", () => {
  expect([isShown(OLD), isVeiled()]).toEqual([true, false]);
  veil();
  expect([OLD, NEXT, LATER].map(isShown)).toEqual([false, false, false]);
  begun(NEXT);
  expect([OLD, NEXT, LATER].map(isShown)).toEqual([false, true, true]);
  // Only the first one after it counts.
  begun(LATER);
  expect(isShown(NEXT)).toBe(true);
  unveil();
  expect([OLD, NEXT, LATER].map(isShown)).toEqual([true, true, true]);
});

test("without a veil a new conversation hides nothing", () => {
  begun(NEXT);
  expect(isShown(OLD)).toBe(true);
});
