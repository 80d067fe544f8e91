import { describe, expect, test } from "vitest";
import { changedRows, diff, variantDiffs, words } from "./diff";
import { variant } from "./variant.fixture";

describe("diff", () => {
  test("names every leaf by its path and says what became of it", () => {
    expect(diff({ a: 1, b: { c: 2, d: 3 }, e: 4 }, { a: 1, b: { c: 5, d: 3 }, f: 6 })).toEqual([
      { path: "a", kind: "same", before: 1, after: 1 },
      { path: "b.c", kind: "changed", before: 2, after: 5 },
      { path: "b.d", kind: "same", before: 3, after: 3 },
      { path: "f", kind: "added", before: undefined, after: 6 },
      { path: "e", kind: "removed", before: 4, after: undefined },
    ]);
  });
  test("the order of keys is no difference; the order of a list is", () => {
    expect(changedRows(diff({ x: { a: 1, b: [{ c: 1, d: 2 }] } }, { x: { b: [{ d: 2, c: 1 }], a: 1 } }))).toEqual([]);
    expect(changedRows(diff({ x: [1, 2] }, { x: [2, 1] })).map(({ path }) => path)).toEqual(["x"]);
  });
  test("a list of objects is gone into by place", () => {
    const rows = changedRows(diff({ f: [{ p: "a", m: 1 }] }, { f: [{ p: "a", m: 2 }, { p: "b", m: 3 }] }));
    expect(rows.map(({ path, kind }) => `${path} ${kind}`)).toEqual(["f.0.m changed", "f.1.p added", "f.1.m added"]);
    expect(changedRows(diff({ f: [] }, { f: [{ p: "a" }] })).map(({ path }) => path)).toEqual(["f"]);
    expect(changedRows(diff({}, { f: [{ p: "a" }] })).map(({ path, kind }) => `${path} ${kind}`)).toEqual(["f.0.p added"]);
  });
  test("an object that becomes a value is one change", () => {
    expect(changedRows(diff({ x: { a: 1 } }, { x: 1 }))).toEqual([{ path: "x", kind: "changed", before: { a: 1 }, after: 1 }]);
  });
  test("0, false, empty and null are values, not absence", () => {
    expect(diff({ a: 0, b: false, c: "", d: null }, { a: 0, b: false, c: "", d: null }).every(({ kind }) => kind === "same")).toBe(true);
    expect(changedRows(diff({ a: null }, {})).map(({ kind }) => kind)).toEqual(["removed"]);
  });
});

describe("variants", () => {
  test("a change shows what people see, not counters and times", () => {
    const before = [variant(), variant({ id: "b", status: "production", rollout_percent: 100 })];
    const after = [variant({ status: "staged", version: 2, updated_at: "later" }), variant({ id: "b", status: "production", rollout_percent: 100, version: 9 })];
    const diffs = variantDiffs(before, after);
    expect(diffs.map(({ name }) => name)).toEqual(["LLM_MODEL/a", "LLM_MODEL/b"]);
    expect(diffs.map(({ rows }) => rows.map(({ path }) => path))).toEqual([["status"], []]);
  });
  test("a new variant is all added", () => {
    expect(variantDiffs([], [variant()])[0]?.rows.every(({ kind }) => kind === "added")).toBe(true);
  });
});

describe("words", () => {
  test("marks the words that differ and loses none", () => {
    const [before, after] = ["How present did you feel?", "How present did you feel, after the talk?"];
    const pieces = words(before, after) ?? [];
    const without = (kind: string) => pieces.filter((piece) => piece.kind !== kind).map(({ text }) => text).join("");
    expect([without("added"), without("removed")]).toEqual([before, after]);
    expect(pieces.some(({ kind }) => kind === "added")).toBe(true);
  });
  test("single words and texts with nothing in common are shown whole", () => {
    expect(words("companion-v2", "companion-v3")).toBeNull();
    expect(words("all of this", "quite another thing here")).toBeNull();
    expect(words(1, 2)).toBeNull();
  });
});
