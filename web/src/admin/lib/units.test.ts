import { expect, test } from "vitest";
import { unitOf } from "./units";

test("figures of a comparison are read in their units", () => {
  expect(unitOf("satisfaction").format(0.041)).toBe("+0.04");
  expect(unitOf("return_rate").format(0.0284)).toBe("+2.84 pp");
  expect(unitOf("latency_p95_ms").format(-0.54)).toBe("−54.0 %");
  expect(unitOf("latency_p95").format(0.1)).toBe("+10.0 %");
  // The gate is relative, the test in money.
  expect(unitOf("cost_per_turn").format(0.079)).toBe("+7.9 %");
  expect(unitOf("cost_per_turn_micros").format(-3_640)).toBe("−$0.0036");
  expect(unitOf("turns_per_session").format(0.42)).toBe("+0.42");
});

test("which way is better", () => {
  expect(["satisfaction", "return_rate", "crisis_detection"].map((name) => unitOf(name).better)).toEqual(["up", "up", "up"]);
  expect(["latency_p95", "cost_per_turn", "cost_per_turn_micros", "error_rate"].map((name) => unitOf(name).better)).toEqual(["down", "down", "down", "down"]);
  expect(["crisis_rate", "turns_per_session", "something_new"].map((name) => unitOf(name).better)).toEqual([null, null, null]);
});
