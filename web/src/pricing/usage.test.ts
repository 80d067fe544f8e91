import { expect, test } from "vitest";
import { STRUCTURES } from "./structures";
import { dayBegan, split, turnsSince } from "./usage";

const now = new Date(2026, 10, 21, 15, 30);
const at = (day: number, hour: number) => new Date(2026, 10, day, hour).toISOString();
const entry = (session_id: string, created_at: string, last_active_at: string, turns: number) => ({ session_id, title: null, created_at, last_active_at, turns });

test("today is the person's own day", () => expect(dayBegan(now).toString()).toBe(new Date(2026, 10, 21).toString()));

test("conversations of today count whole, older ones that went on today are read", () => {
  const entries = [entry("new", at(21, 9), at(21, 10), 4), entry("empty", at(21, 9), at(21, 9), 0), entry("went-on", at(20, 22), at(21, 1), 9), entry("old", at(19, 9), at(20, 23), 3)];
  expect(split(dayBegan(now), entries)).toEqual({ turns: 4, toRead: ["went-on"] });
});

test("a turn counts once, by when it was begun", () => {
  const said = (role: "user" | "assistant", created_at: string) => ({ role, metadata: { turn_id: "t", status: "done" as const, created_at } });
  expect(turnsSince(dayBegan(now), [said("user", at(20, 23)), said("assistant", at(20, 23)), said("user", at(21, 0)), said("assistant", at(21, 0)), said("user", at(21, 9)), { role: "user" }])).toBe(2);
});

test("each structure begins free, and more costs more and allows more", () => {
  for (const tiers of Object.values(STRUCTURES)) {
    expect(tiers[0]).toMatchObject({ id: "free", price_micros: 0 });
    for (const [at, tier] of tiers.entries()) {
      const next = tiers[at + 1];
      expect(Number.isInteger(tier.price_micros)).toBe(true);
      if (!next) continue;
      expect(next.price_micros).toBeGreaterThan(tier.price_micros);
      expect(next.turns_per_day ?? Infinity).toBeGreaterThan(tier.turns_per_day ?? Infinity);
    }
  }
});
