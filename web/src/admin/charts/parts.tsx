// What all charts share.
import { day } from "../lib/format";
import type { Line } from "./figure";

export const AXIS = { stroke: "var(--line-2)", tickLine: false, axisLine: false, tick: { fill: "var(--ink-2)", fontSize: 11.5 } } as const;

interface Content { active?: boolean; label?: string | number | undefined; payload?: readonly { dataKey?: unknown; value?: unknown }[] }

/** The tooltip, in the page's own clothes; the largest stack on top. */
export const tip = (lines: Line[], format: (value: number | null) => string) => ({
  isAnimationActive: false,
  content: ({ active, label, payload }: Content) => (active && payload ? (
    <div className="panel px-3 py-2 text-[.8667rem] shadow-(--shade)">
      <p className="mb-1 text-ink-2">{day(String(label))}</p>
      {lines.map(({ key, name, colour }) => {
        const value = payload.find(({ dataKey }) => dataKey === key)?.value;
        return <p key={key} className="flex items-center gap-2"><span aria-hidden="true" className="h-2 w-3 rounded-sm" style={{ background: colour }} />{name}<span className="ms-auto ps-3 font-medium">{format(typeof value === "number" ? value : null)}</span></p>;
      })}
    </div>
  ) : null),
});
