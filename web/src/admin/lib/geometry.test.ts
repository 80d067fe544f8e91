import { describe, expect, test } from "vitest";
import { axis, domainOf, scale, span, spark, ticks } from "./geometry";

describe("intervals", () => {
  const domain = { min: -2, max: 2 };
  test("lie where their figures are, zero in the middle", () => {
    const place = scale(domain, 200);
    expect([-2, 0, 1, 2].map(place)).toEqual([0, 100, 150, 200]);
    expect(span(domain, 200, -1, 1)).toEqual({ from: 50, to: 150, isOpenLow: false, isOpenHigh: false });
  });
  test("an end beyond the axis, or not known, reaches the edge and has no cap", () => {
    expect(span(domain, 200, -9, 1)).toEqual({ from: 0, to: 150, isOpenLow: true, isOpenHigh: false });
    expect(span(domain, 200, null, null)).toEqual({ from: 0, to: 200, isOpenLow: true, isOpenHigh: true });
  });
  test("the domain holds every value, the threshold and zero, with air", () => {
    const { min, max } = domainOf([0, 0.034, -0.011, 0.081, 0.1, null]);
    expect(min).toBeLessThan(-0.011);
    expect(max).toBeGreaterThan(0.1);
    for (const values of [[], [5, 5], [0], [null]]) { const one = domainOf(values); expect(one.max).toBeGreaterThan(one.min); }
  });
});

describe("axes", () => {
  test("ticks are round and within", () => {
    expect(ticks({ min: -0.1, max: 0.1 }, 4)).toEqual([-0.1, -0.05, 0, 0.05, 0.1]);
    expect(ticks({ min: 0, max: 10 }, 4)).toEqual([0, 5, 10]);
  });
  test("an axis begins and ends on a tick and holds all values", () => {
    for (const values of [[540, 702, 611], [0.001, 0.0061], [5_240, 5_311], [0, 0], [3], [0.72, 0.76], [1e-6, 1e9]]) {
      const { domain: [min, max], ticks: marks } = axis(values);
      expect(marks.length).toBeGreaterThan(1);
      expect([marks[0], marks.at(-1)]).toEqual([min, max]);
      for (const value of values) { expect(min).toBeLessThanOrEqual(value); expect(max).toBeGreaterThanOrEqual(value); }
    }
  });
  test("what cannot be negative does not begin below zero; bars begin at it", () => {
    expect(axis([0.001, 0.02]).domain[0]).toBe(0);
    for (const shares of [[0, 1], [0.4, 1], [0.62, 0.99], [0, 0]]) expect(axis(shares, 3, false, 1).domain[1]).toBe(1);
    expect(axis([400, 520], 4, true).domain[0]).toBe(0);
  });
});

describe("sparklines", () => {
  test("the lowest value is at the bottom, the highest at the top", () => {
    expect(spark([1, 3], 20, 12, 2)).toEqual({ d: "M2 10L18 2", last: [18, 2] });
  });
  test("noise is drawn flat", () => {
    const heights = (spark([4.3, 4.31, 4.3], 30, 22).d.match(/ [\d.]+/g) ?? []).map(Number);
    expect(Math.max(...heights) - Math.min(...heights)).toBeLessThan(1);
  });
  test("a gap breaks the line; nothing draws nothing", () => {
    expect(spark([1, null, 3, 2], 32, 12, 1).d.match(/M/g)).toHaveLength(2);
    expect(spark([null, undefined], 20, 12)).toEqual({ d: "", last: null });
  });
});
