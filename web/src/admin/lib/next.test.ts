import { expect, test } from "vitest";
import type { Change } from "../api/types";
import { nextStep } from "./next";
import { variant } from "./variant.fixture";

const now = Date.parse("2026-11-21T12:00:00Z");
const running = variant({ status: "staged", rollout_percent: 20 });
const change = (part: Partial<Change>): Change => ({
  id: "chg_1", state: "waiting", command: { action: "promote" }, expected_version: 1, needs: { confirm: false, sign: "another", cool_down: false },
  author: "ada", reason: "why", signed_by: null, created_at: "", due_at: "2026-11-21T12:04:05Z", ...part,
});
const label = (...args: Parameters<typeof nextStep>) => nextStep(...args)?.label ?? null;

test("a waiting change comes before anything else", () => {
  expect(label(running, { now, change: change({}), isSwitchedOff: true })).toBe("Waits for approval");
  expect(label(running, { now, change: change({ needs: { confirm: false, sign: "again", cool_down: true } }) })).toBe("Waits for a second word");
  expect(label(running, { now, change: change({ state: "cooling" }) })).toBe("Takes effect in 4:05");
});

test("production and retired variants need nothing", () => {
  for (const status of ["production", "retired"] as const) expect(nextStep(variant({ status }), { now })).toBeNull();
});

test("without traffic it wants some", () => {
  expect(label(variant(), { now })).toBe("Give it traffic");
  expect(label(variant({ status: "staged" }), { now })).toBe("Promote, or give it traffic");
  expect(label(running, { now, isSwitchedOff: true })).toBe("Switched off");
});

test("what the statistics say is passed on", () => {
  const decided = (next: "roll_back" | "investigate_sample_ratio" | "ready_for_review") => nextStep(running, { now, decision: { promote: false, next, reasons: [] } });
  expect(decided("roll_back")).toEqual({ label: "Roll back now", tone: "bad", to: "compare" });
  expect(decided("investigate_sample_ratio")).toMatchObject({ label: "Unhealthy: sample ratio", tone: "bad" });
  expect(decided("ready_for_review")).toMatchObject({ label: "Ready for review", tone: "good" });
});

test("collecting says how long at the present pace: to the floor first, then to the plan", () => {
  const collecting = (sessions: number | null, sessionsPerDay: number | null) => label(running, { now, sessions, sessionsPerDay, decision: { promote: false, next: "collect_more", reasons: [] } });
  expect(collecting(421, 40)).toBe("~2 days left");
  expect(collecting(481, 40)).toBe("~1 day left");
  expect(collecting(700, 600)).toBe("~3 days left");
  expect(collecting(421, 1)).toBe("Over 60 days left");
  expect(collecting(3_000, 500)).toBe("Collecting, 3,000 sessions");
  expect(collecting(421, null)).toBe("Collecting");
  expect(collecting(421, 0)).toBe("Collecting");
});
