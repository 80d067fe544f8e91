// Fields that differ: what they were and what they are.
import { shown, words, type Row, type VariantDiff } from "../lib/diff";
import { plain } from "../lib/words";

const SIGNS = { same: "", changed: "~", added: "+", removed: "−" } as const;

export function DiffRows({ rows, before = "Before", after = "After", label }: { rows: Row[]; before?: string; after?: string; label: string }) {
  if (rows.length === 0) return <p className="hint py-1">No field differs.</p>;
  return (
    <div className="@container">
      <table className="w-full text-[.9rem]" aria-label={label}>
        <thead className="hidden @md:table-header-group"><tr className="text-start text-ink-2 text-[.8rem]"><th className="w-[26%] text-start font-medium">Field</th><th className="w-[37%] text-start font-medium">{before}</th><th className="text-start font-medium">{after}</th></tr></thead>
        <tbody>{rows.map((row) => <DiffRow key={row.path} row={row} before={before} after={after} />)}</tbody>
      </table>
    </div>
  );
}

function DiffRow({ row, before, after }: { row: Row; before: string; after: string }) {
  const pieces = row.kind === "changed" ? words(row.before, row.after) : null;
  const cell = "block @md:table-cell align-top py-0.5 @md:py-1 pe-3 wrap-anywhere";
  const old = row.before === undefined ? <span className="text-ink-2">not there</span>
    : pieces ? pieces.filter(({ kind }) => kind !== "added").map((piece, index) => (piece.kind === "removed" ? <del key={index}>{piece.text}</del> : <span key={index}>{piece.text}</span>))
      : row.kind === "same" ? <span className="text-ink-2">{shown(row.before)}</span> : <del>{shown(row.before)}</del>;
  const now = row.after === undefined ? <span className="text-ink-2">not there</span>
    : pieces ? pieces.filter(({ kind }) => kind !== "removed").map((piece, index) => (piece.kind === "added" ? <ins key={index}>{piece.text}</ins> : <span key={index}>{piece.text}</span>))
      : row.kind === "same" ? <span className="text-ink-2">{shown(row.after)}</span> : <ins>{shown(row.after)}</ins>;
  return (
    <tr className="block border-t border-line py-1.5 @md:table-row @md:py-0" data-kind={row.kind}>
      <th scope="row" className={`${cell} text-start font-normal`}><span aria-hidden="true" className="inline-block w-4 font-mono text-ink-2">{SIGNS[row.kind]}</span><code>{row.path || "value"}</code></th>
      <td className={cell}><span className="me-2 text-ink-2 @md:hidden">{before}:</span>{old}</td>
      <td className={cell}><span className="me-2 text-ink-2 @md:hidden">{after}:</span>{now}</td>
    </tr>
  );
}

export function VariantDiffs({ diffs }: { diffs: VariantDiff[] }) {
  return (
    <div className="space-y-3">
      {diffs.map(({ name, rows }) => (
        <div key={name}>
          <h3 className="mono wrap-anywhere">{name}</h3>
          <DiffRows rows={rows.map((row) => ({ ...row, path: row.path.startsWith("config.") ? row.path : row.path === "rollout_percent" ? "share, %" : plain(row.path).toLowerCase() }))} label={`What changed in ${name}`} />
        </div>
      ))}
    </div>
  );
}
