// The list on a wide screen: one table, a group of rows for each category, and keys to go through it.
import type { KeyboardEvent } from "react";
import { Link, useLocation } from "wouter";
import type { Category } from "../../api/types";
import { count, money, ms, percent, points, signedScore } from "../../lib/format";
import type { NextStep } from "../../lib/next";
import { SORTS, type Group, type Row, type Sort } from "../../lib/rows";
import { can, demote, pause, promote } from "../../lib/wishes";
import { categoryName } from "../../lib/words";
import { isTyping, useShortcutSetting } from "../../shell/keys";
import { useAct } from "../../shell/act";
import { NextBadge, StatusBadge } from "../../ui/badges";
import { Icon, type IconName } from "../../ui/icon";
import { Figure, LEAST_DELTA, Share } from "./figure";
import { GroupTools } from "./group";

export interface ListProps {
  groups: Group[];
  next: (row: Row) => NextStep | null;
  sort: Sort; isDown: boolean;
  onSort: (sort: Sort) => void;
  onShowAll: (category: string) => void;
}
const COLUMNS: { sort: Sort; isNumber?: true }[] = [
  { sort: "id" }, { sort: "status" }, { sort: "share" }, { sort: "sessions", isNumber: true }, { sort: "latency", isNumber: true },
  { sort: "cost", isNumber: true }, { sort: "satisfaction", isNumber: true }, { sort: "returns", isNumber: true },
];
export const hrefOf = ({ variant }: Row) => `/variants/${encodeURIComponent(variant.category)}/${encodeURIComponent(variant.id)}`;

export function VariantTable({ groups, next, sort, isDown, onSort, onShowAll }: ListProps) {
  const act = useAct();
  const [, navigate] = useLocation();
  const { isOn } = useShortcutSetting();
  const found = (place: string) => groups.flatMap(({ category, rows }) => rows.map((row) => ({ category, row }))).find(({ row }) => hrefOf(row) === place);

  const onKeyDown = (event: KeyboardEvent<HTMLTableElement>) => {
    if (event.altKey || event.ctrlKey || event.metaKey || isTyping(event.target)) return;
    const rows = [...event.currentTarget.querySelectorAll<HTMLTableRowElement>("tr[data-place]")];
    const here = (event.target as HTMLElement).closest<HTMLTableRowElement>("tr[data-place]");
    const index = here ? rows.indexOf(here) : -1;
    const to = (target: number) => { event.preventDefault(); rows[Math.min(rows.length - 1, Math.max(0, target))]?.querySelector<HTMLElement>("a")?.focus(); };
    switch (event.key) {
      case "ArrowDown": return to(index + 1);
      case "ArrowUp": return to(index - 1);
      case "Home": return to(0);
      case "End": return to(rows.length - 1);
    }
    if (!isOn || !here) return;
    if (event.key === "j") return to(index + 1);
    if (event.key === "k") return to(index - 1);
    const hit = found(here.dataset.place ?? "");
    if (!hit) return;
    const { row: { variant, control }, category } = hit;
    const allowed = can(variant, category);
    const wishes: Record<string, (() => void) | false | undefined> = {
      e: () => navigate(`${hrefOf(hit.row)}#config`), r: () => navigate(`${hrefOf(hit.row)}#share`),
      p: allowed.promote && (() => act(promote(variant, category))), d: allowed.demote && (() => act(demote(variant))), z: allowed.pause && (() => act(pause(variant))),
      c: control !== undefined && (() => navigate(`/compare?${new URLSearchParams({ category: variant.category, control, treatment: variant.id })}`)),
    };
    const wish = wishes[event.key];
    if (wish) { event.preventDefault(); wish(); }
  };

  return (
    <div className="panel overflow-x-auto">
      <table className="grid-table min-w-[68rem] table-fixed" onKeyDown={onKeyDown}>
        <caption className="sr-only">Variants by category. Arrow keys go from row to row.</caption>
        <colgroup><col /><col className="w-[16.5%]" /><col className="w-[6%]" /><col className="w-[7%]" /><col className="w-[10.8%]" /><col className="w-[11.2%]" /><col className="w-[10%]" /><col className="w-[7.8%]" /><col className="w-[8.6rem]" /></colgroup>
        <thead>
          <tr>
            {COLUMNS.map(({ sort: column, isNumber }) => (
              <th key={column} scope="col" className={isNumber ? "num" : ""} aria-sort={sort === column ? (isDown ? "descending" : "ascending") : "none"}>
                <button type="button" className="relative" onClick={() => onSort(column)}>{SORTS[column]}{sort === column && <span aria-hidden="true" className="absolute -end-3">{isDown ? "↓" : "↑"}</span>}</button>
              </th>
            ))}
            <th scope="col"><span className="sr-only">Quick actions</span></th>
          </tr>
        </thead>
        {groups.map(({ category, rows, hidden }) => (
          <tbody key={category.category}>
            <tr className="hover:[&>*]:bg-transparent!"><th colSpan={9} scope="rowgroup" className="pt-6!"><GroupTools category={category} /></th></tr>
            {rows.map((row) => <TableRow key={row.variant.id} row={row} category={category} step={next(row)} />)}
            {hidden > 0 && <tr><td colSpan={9}><button type="button" className="btn btn-quiet btn-small text-ink-2" onClick={() => onShowAll(category.category)}><Icon name="down" size={14} />{hidden} more of {categoryName(category.category).toLowerCase()}</button></td></tr>}
          </tbody>
        ))}
      </table>
    </div>
  );
}

function TableRow({ row, category, step }: { row: Row; category: Category; step: NextStep | null }) {
  const { variant, total, days, delta, deltas } = row;
  const isQuiet = variant.status === "retired";
  return (
    <tr data-place={hrefOf(row)} className={isQuiet ? "text-ink-2" : ""}>
      <th scope="row" className="text-start">
        <Link href={hrefOf(row)} className={`mono block truncate no-underline hover:underline ${isQuiet ? "text-ink-2" : ""}`} title={variant.id}>{variant.id}</Link>
        <span className="block truncate text-[.8667rem] font-normal text-ink-2" title={variant.description}>{variant.description}</span>
      </th>
      <td className="whitespace-nowrap">
        <StatusBadge status={variant.status} />
        {step && <span className="mt-0.5 block"><NextBadge step={step} variant={variant} control={row.control} /></span>}
      </td>
      <td>{variant.status !== "retired" && <>{points(row.share)}<Share value={row.share} slot={variant.slot} /></>}</td>
      <td className="num">{count(total?.sessions)}</td>
      <td className="num"><Figure values={days.map((figures) => figures?.latency_p95_ms)} text={ms(total?.latency_p95_ms)} room="min-w-[3.4rem]" label="p95 latency" /></td>
      <td className="num"><Figure values={days.map((figures) => figures?.cost_per_turn_micros)} text={money(total?.cost_per_turn_micros)} room="min-w-[4.1rem]" label="Cost per turn" /></td>
      <td className="num"><Figure values={deltas} text={signedScore(delta)} room="min-w-[2.5rem]" label="Satisfaction against production" leastRange={LEAST_DELTA} /></td>
      <td className="num" title="Of the week before: who comes now may still return">{percent(total?.return_rate)}</td>
      <td><Quick row={row} category={category} /></td>
    </tr>
  );
}

function Quick({ row, category }: { row: Row; category: Category }) {
  const act = useAct();
  const { variant } = row;
  const allowed = can(variant, category);
  const button = (name: IconName, label: string, isThere: boolean, onClick: () => void) =>
    isThere ? <button type="button" className="grid size-7 place-content-center rounded-md text-ink-2 hover:bg-accent-soft hover:text-ink" aria-label={`${label} ${variant.id}`} title={label} onClick={onClick}><Icon name={name} size={16} /></button> : <span className="size-7" />;
  return (
    <span className="grid grid-cols-4 justify-items-center">
      {button("promote", "Promote", allowed.promote, () => act(promote(variant, category)))}
      {button("demote", "Demote", allowed.demote, () => act(demote(variant)))}
      {button("pause", "Pause", allowed.pause, () => act(pause(variant)))}
      {allowed.edit ? <Link href={`${hrefOf(row)}#config`} className="grid size-7 place-content-center rounded-md text-ink-2 hover:bg-accent-soft hover:text-ink" aria-label={`Edit ${variant.id}`} title="Edit"><Icon name="edit" size={16} /></Link> : <span />}
    </span>
  );
}
