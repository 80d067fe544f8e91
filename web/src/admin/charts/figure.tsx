// A chart with a title, what its series are, and its figures as a table for whoever wants them.
import { useId, useState, type ReactNode } from "react";

export interface Line { key: string; name: string; colour: string; values: (number | null)[]; isBase?: boolean }

export function ChartFigure({ title, days, lines, format, children, isPlain = false, isBars = false }: { title: string; days: string[]; lines: Line[]; format: (value: number | null) => string; children: ReactNode; isPlain?: boolean; isBars?: boolean }) {
  const [isTable, setTable] = useState(false);
  const id = useId();
  return (
    <figure aria-labelledby={id} className="m-0 min-w-0">
      <figcaption className="mb-1 flex flex-wrap items-baseline gap-x-4 gap-y-0.5">
        <span id={id} className="font-medium">{title}</span>
        {!isPlain && lines.length > 1 && lines.map((line) => <Legend key={line.key} line={line} isBar={isBars} />)}
        <button type="button" className="ms-auto text-[.8rem] text-ink-2 underline decoration-line-2 underline-offset-2 hover:text-ink" aria-pressed={isTable} aria-label={`${title}: ${isTable ? "chart" : "table"}`} onClick={() => setTable(!isTable)}>{isTable ? "Chart" : "Table"}</button>
      </figcaption>
      {isTable ? (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={`${title}, figures`}>
          <table className="grid-table text-[.8667rem]">
            <thead><tr><th scope="col">Day</th>{lines.map((line) => <th key={line.key} scope="col" className="num">{line.name}</th>)}</tr></thead>
            <tbody>{days.map((day, index) => <tr key={day}><th scope="row" className="text-start font-normal!">{day}</th>{lines.map((line) => <td key={line.key} className="num">{format(line.values[index] ?? null)}</td>)}</tr>)}</tbody>
          </table>
        </div>
      ) : children}
    </figure>
  );
}

export function Legend({ line: { name, colour, isBase }, isBar = false }: { line: Line; isBar?: boolean }) {
  return (
    <span className="inline-flex items-center gap-1.5 text-[.8rem] text-ink-2">
      <svg aria-hidden="true" width={isBar ? 10 : 16} height={isBar ? 10 : 8}>{isBar ? <rect width="10" height="10" rx="2" fill={colour} /> : <line x1="0" y1="4" x2="16" y2="4" stroke={colour} strokeWidth={isBase ? 1.5 : 2.5} />}</svg>{name}
    </span>
  );
}
