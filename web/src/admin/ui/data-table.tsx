// Rows of figures: a table where there is room, cards on a phone.
import type { ReactNode } from "react";
import { useMedia } from "./hooks";

/** `isLong` gives a text the whole width of a card. */
export interface Column<T> { name: string; isNumber?: true; isLong?: true; cell: (row: T) => ReactNode }

export function DataTable<T>({ label, columns, rows, keyOf, action }: { label: string; columns: Column<T>[]; rows: T[]; keyOf: (row: T) => string; action?: (row: T) => ReactNode }) {
  const hasRoom = useMedia("(min-width: 48rem)");
  const [first, ...others] = columns;
  if (!first) return null;
  if (!hasRoom) {
    return (
      <ul aria-label={label} className="divide-y divide-line px-1">
        {rows.map((row) => (
          <li key={keyOf(row)} className="px-3 py-3">
            <div className="font-medium wrap-anywhere">{first.cell(row)}</div>
            <dl className="mt-1 grid grid-cols-2 gap-x-4 gap-y-1 [&_dt]:text-[.8667rem] [&_dt]:text-ink-2">
              {others.map(({ name, cell, isLong }) => <div key={name} className={isLong ? "col-span-2 min-w-0" : "min-w-0"}><dt>{name}</dt><dd className="wrap-anywhere">{cell(row)}</dd></div>)}
            </dl>
            {action && <div className="mt-2">{action(row)}</div>}
          </li>
        ))}
      </ul>
    );
  }
  return (
    <div className="overflow-x-auto px-2 pb-2" tabIndex={0} role="region" aria-label={label}>
      <table className="grid-table" aria-label={label}>
        <thead><tr>{columns.map(({ name, isNumber }) => <th key={name} scope="col" className={isNumber ? "num" : ""}>{name}</th>)}{action && <th scope="col"><span className="sr-only">Actions</span></th>}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              <th scope="row" className="text-start">{first.cell(row)}</th>
              {others.map(({ name, isNumber, cell }) => <td key={name} className={isNumber ? "num" : "wrap-anywhere"}>{cell(row)}</td>)}
              {action && <td className="text-end">{action(row)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
