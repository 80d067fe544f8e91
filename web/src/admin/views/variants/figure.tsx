// One figure of a row: its line over the days, and its value.
import { Spark } from "../../ui/spark";

export function Figure({ values, text, label, isWide = true }: { values: (number | null | undefined)[]; text: string; label: string; isWide?: boolean }) {
  const hasLine = values.filter((value) => typeof value === "number").length > 1;
  return (
    <span className={`flex items-center gap-2 ${isWide ? "justify-end" : ""}`}>
      {hasLine && <Spark values={values} label={`${label}, the last ${values.length} days`} width={isWide ? 58 : 70} />}
      <span className={`whitespace-nowrap ${isWide ? "min-w-[4.2rem] text-end" : "font-medium"}`}>{text}</span>
    </span>
  );
}

/** A share as a bar of the layer. */
export function Share({ value, slot }: { value: number; slot: "low" | "high" }) {
  return (
    <span aria-hidden="true" className="block h-1 w-full overflow-hidden rounded-full bg-line">
      <span className={`block h-full bg-accent ${slot === "high" ? "ms-auto" : ""}`} style={{ width: `${value}%` }} />
    </span>
  );
}
