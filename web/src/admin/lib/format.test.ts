import { describe, expect, test } from "vitest";
import { ago, clock, compact, money, ms, pValue, percent, points, signedPercent, signedPoints, signedScore } from "./format";

describe("figures", () => {
  test("what is not known is a dash, never a zero", () => {
    for (const format of [ms, money, percent, points, signedScore, signedPercent, signedPoints, pValue, compact]) {
      for (const nothing of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) expect(format(nothing)).toBe("–");
    }
  });
  test("milliseconds become seconds", () => {
    expect([0, 540, 999, 1_000, 4_380, 12_345].map(ms)).toEqual(["0 ms", "540 ms", "999 ms", "1.00 s", "4.38 s", "12.3 s"]);
  });
  test("small money keeps digits that mean something, large money does not", () => {
    expect([0, 1, 240, 5_240, 12_000, 420_000, 1_900_000, 44_108_000, 3_000_000_000, -5_240].map((micros) => money(micros)))
      .toEqual(["$0.00", "$0.000001", "$0.000240", "$0.00524", "$0.0120", "$0.420", "$1.90", "$44.11", "$3,000", "−$0.00524"]);
  });
  test("a difference has a sign, unless it rounds to nothing", () => {
    expect([0.041, -0.071, 0.001, -0.001, 0].map(signedScore)).toEqual(["+0.04", "−0.07", "0.00", "0.00", "0.00"]);
    expect([0.034, -0.54].map((value) => signedPercent(value))).toEqual(["+3.4 %", "−54.0 %"]);
    expect([35, -10.5].map(signedPoints)).toEqual(["+35", "−10.5"]);
  });
  test("shares keep the hundredths that are used", () => {
    expect([0, 10, 12.5, 0.01].map(points)).toEqual(["0 %", "10 %", "12.5 %", "0.01 %"]);
  });
  test("p-values", () => {
    expect([1, 0.31, 0.0219, 0.00043].map(pValue)).toEqual(["1.00", "0.31", "0.022", "< 0.001"]);
  });
});

describe("times", () => {
  const now = Date.parse("2026-11-21T12:00:00Z");
  test("are said as people say them", () => {
    expect(["2026-11-21T11:59:57Z", "2026-11-21T11:00:00Z", "2026-11-20T12:00:00Z", "2026-11-28T12:00:00Z", "2026-09-01T00:00:00Z", "2026-11-21T12:00:00Z"].map((text) => ago(text, now)))
      .toEqual(["3 seconds ago", "1 hour ago", "yesterday", "in 7 days", "1 Sept", "now"]);
    expect([ago(null, now), ago("nonsense", now)]).toEqual(["–", "–"]);
  });
  test("a countdown never goes below zero", () => {
    expect([300_000, 65_000, 400, -5].map(clock)).toEqual(["5:00", "1:05", "0:01", "0:00"]);
  });
});
