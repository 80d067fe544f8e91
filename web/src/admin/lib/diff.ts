// What differs between two values, field by field.
import { diffWordsWithSpace } from "diff";
import type { Variant } from "../api/types";

export type Kind = "same" | "changed" | "added" | "removed";
export interface Row { path: string; kind: Kind; before: unknown; after: unknown }

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
const equal = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

// A list of objects is gone into by place.
const asObject = (value: unknown): unknown => (Array.isArray(value) && value.length > 0 && value.every(isObject) ? Object.fromEntries(value.entries()) : value);

/** Every leaf of both values in the order of the second; objects and lists of objects are gone into, other lists compared whole. */
export function diff(was: unknown, is: unknown, path = ""): Row[] {
  const [before, after] = [asObject(was), asObject(is)];
  if (!isObject(before) && !isObject(after)) return [leaf(path, before, after)];
  const [a, b] = [isObject(before) ? before : {}, isObject(after) ? after : {}];
  // A leaf that became an object, or the other way round, is one change.
  if (path !== "" && (isObject(before) !== isObject(after)) && before !== undefined && after !== undefined) return [leaf(path, was, is)];
  const keys = [...Object.keys(b), ...Object.keys(a).filter((key) => !(key in b))];
  return keys.flatMap((key) => diff(a[key], b[key], path === "" ? key : `${path}.${key}`));
}

function leaf(path: string, before: unknown, after: unknown): Row {
  const kind: Kind = before === undefined ? "added" : after === undefined ? "removed" : equal(before, after) ? "same" : "changed";
  return { path, kind, before, after };
}

export const changedRows = (rows: Row[]) => rows.filter(({ kind }) => kind !== "same");

/** What an admin sees of a variant: not its counters and times, which every change moves. */
export function visible(variant: Variant | undefined): Record<string, unknown> | undefined {
  if (!variant) return undefined;
  const { description, status, rollout_percent, cohorts, config } = variant;
  return { description, status, rollout_percent, cohorts, config };
}

export interface VariantDiff { name: string; rows: Row[] }

/** The rows of a change of the registry, variant by variant. */
export function variantDiffs(before: Variant[], after: Variant[]): VariantDiff[] {
  const name = ({ category, id }: Variant) => `${category}/${id}`;
  const names = [...new Set([...after, ...before].map(name))];
  return names.map((key) => ({
    name: key,
    rows: changedRows(diff(visible(before.find((variant) => name(variant) === key)), visible(after.find((variant) => name(variant) === key)))),
  }));
}

export interface Piece { text: string; kind: "same" | "added" | "removed" }

/** The words that differ, where both are text and most of it stayed; otherwise null: the whole value changed. */
export function words(before: unknown, after: unknown): Piece[] | null {
  if (typeof before !== "string" || typeof after !== "string" || !/\s/.test(`${before}${after}`)) return null;
  const pieces = diffWordsWithSpace(before, after).map(({ value, added, removed }): Piece => ({ text: value, kind: added ? "added" : removed ? "removed" : "same" }));
  const kept = pieces.filter(({ kind }) => kind === "same").reduce((sum, { text }) => sum + text.trim().length, 0);
  return kept * 3 >= Math.max(before.length, after.length) ? pieces : null;
}

/** A value as text: words as they are, anything else as JSON. */
export const shown = (value: unknown): string => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));
