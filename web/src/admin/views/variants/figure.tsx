// One figure of a row: its line over the days, and its value.
import { Spark } from "../../ui/spark";

export function Figure({ values, text, label, room = "", leastRange = 0 }: { values: (number | null | undefined)[]; text: string; label: string;
  /** In a table: how wide the value is, so that lines stand below each other. */
  room?: string; leastRange?: number }) {
  const hasLine = values.filter((value) => typeof value === "number").length > 1;
  return (
    <span className={`flex items-center gap-2 ${room ? "justify-end" : ""}`}>
      {hasLine && <Spark values={values} label={`${label}, the last ${values.length} days`} width={room ? 48 : 70} leastRange={leastRange} />}
      <span className={`whitespace-nowrap ${room ? `${room} text-end` : "font-medium"}`}>{text}</span>
    </span>
  );
}

/** Differences of satisfaction are drawn on a line that is at least so high: 0.1 of its scale of 0 to 1. */
export const LEAST_DELTA = 0.1;

/** A share as a bar of the layer. */
export function Share({ value, slot }: { value: number; slot: "low" | "high" }) {
  return (
    <span aria-hidden="true" className="block h-1 w-full overflow-hidden rounded-full bg-line">
      <span className={`block h-full bg-accent ${slot === "high" ? "ms-auto" : ""}`} style={{ width: `${value}%` }} />
    </span>
  );
}
