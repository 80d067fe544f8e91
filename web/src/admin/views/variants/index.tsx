// Every variant, by category: how it does, what comes next, and the quick ways to change it.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { Link, useSearchParams } from "wouter";
import { changes, isOpen } from "../../api/changes";
import { overview } from "../../api/metrics";
import type { Categories, Variants as All } from "../../api/types";
import { allVariants, categories as categoriesOf } from "../../api/variants";
import { smallerArm, useDecisions } from "../../lib/decisions";
import { nextStep } from "../../lib/next";
import { SORTS, groupsOf, matches, rowsOf, sorted, type Row, type Sort } from "../../lib/rows";
import { STATUS, categoryName, plural } from "../../lib/words";
import { switchOff, switchOn } from "../../lib/wishes";
import { useAct } from "../../shell/act";
import { useShortcuts } from "../../shell/keys";
import { Empty } from "../../ui/fault";
import { useIsWide, useNow } from "../../ui/hooks";
import { Loaded } from "../../ui/loaded";
import { Title } from "../../ui/panel";
import { VariantCards } from "./cards";
import { VariantTable } from "./table";

export default function Variants() {
  const variants = useQuery(allVariants());
  const categories = useQuery(categoriesOf());
  return (
    <>
      <Title name="Variants" lead={<Summary categories={categories.data} version={variants.data?.snapshotVersion} />} aside={<Tools categories={categories.data} />} />
      <Loaded query={categories} lines={10}>{(known) => <Loaded query={variants} lines={10}>{(all) => <List all={all.variants} known={known} />}</Loaded>}</Loaded>
    </>
  );
}

function Summary({ categories, version }: { categories: Categories | undefined; version: number | undefined }) {
  const waiting = useQuery(changes()).data?.filter(isOpen).length ?? 0;
  if (!categories) return null;
  const off = categories.categories.filter(({ is_switched_off }) => is_switched_off).length;
  return (
    <>
      {categories.experiments} of {categories.max_experiments} experiments run
      {off > 0 && <>, <span className="text-bad">{plural(off, "category is", "categories are")} switched off</span></>}
      {waiting > 0 && <> · <Link href="/approvals">{plural(waiting, "change waits", "changes wait")}</Link></>}
      {version !== undefined && <> · registry version {version}</>}
    </>
  );
}

function Tools({ categories }: { categories: Categories | undefined }) {
  const act = useAct();
  const off = categories?.categories.filter(({ is_switched_off }) => is_switched_off).map(({ category }) => category) ?? [];
  return (
    <>
      {off.length > 0 && <button type="button" className="btn" onClick={() => act(switchOn(off))}>Switch all on</button>}
      <button type="button" className="btn btn-bad" onClick={() => act(switchOff([], true))}>Switch all experiments off</button>
      <Link href="/variants/new" className="btn btn-main">New variant</Link>
    </>
  );
}

function List({ all, known }: { all: All["variants"]; known: Categories }) {
  const [params, setParams] = useSearchParams();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const search = useRef<HTMLInputElement>(null);
  const isWide = useIsWide();
  const now = useNow(10_000);
  const figures = useQuery(overview());
  const waiting = useQuery(changes()).data;
  const decisions = useDecisions(all, known.categories);
  useShortcuts({ "/": () => search.current?.focus() });

  const get = (name: string) => params.get(name) ?? undefined;
  const set = (name: string, value: string | undefined) => setParams((old) => {
    const next = new URLSearchParams(old);
    if (value) next.set(name, value); else next.delete(name);
    return next;
  }, { replace: true });
  const filter = { category: get("category"), status: get("status"), q: get("q") };
  const sort: Sort = (get("sort") ?? "") in SORTS ? (get("sort") as Sort) : "status";
  const isDown = get("dir") === "down";
  const onSort = (column: Sort) => setParams((old) => {
    const next = new URLSearchParams(old);
    next.set("sort", column);
    // Figures are looked at from the largest down first.
    const down = sort === column ? !isDown : column !== "id" && column !== "status";
    if (down) next.set("dir", "down"); else next.delete("dir");
    return next;
  }, { replace: true });

  const rows = useMemo(() => rowsOf(all, known.categories, figures.data), [all, known, figures.data]);
  const found = sorted(rows.filter((row) => matches(row, filter)), sort, isDown);
  const isSearch = Boolean(filter.category || filter.q);
  const groups = groupsOf(found, known.categories, isWide ? 8 : 4, (category) => isSearch || open.has(category));
  const next = ({ variant }: Row) => {
    const compared = decisions.get(`${variant.category}/${variant.id}`);
    const own = rows.find((row) => row.variant === variant);
    return nextStep(variant, {
      now, decision: compared?.decision, sessions: compared && smallerArm(compared),
      sessionsPerDay: own?.total ? own.total.sessions / Math.max(1, own.days.filter(Boolean).length) : null,
      isSwitchedOff: known.categories.some(({ category, is_switched_off }) => category === variant.category && is_switched_off),
      change: waiting?.find((change) => isOpen(change) && change.command.target?.id === variant.id && change.command.target.category === variant.category),
    });
  };
  const props = { groups, next, sort, isDown, onSort, onShowAll: (category: string) => setOpen(new Set([...open, category])) };
  return (
    <>
      <search className="mb-4 flex flex-wrap items-center gap-2">
        <input ref={search} type="search" className="field max-w-64 grow" placeholder="Find a variant" aria-label="Find a variant" value={filter.q ?? ""} onChange={(event) => set("q", event.target.value)} />
        <select className="field w-auto" aria-label="Category" value={filter.category ?? ""} onChange={(event) => set("category", event.target.value)}>
          <option value="">All categories</option>
          {known.categories.map(({ category, is_experiment }) => <option key={category} value={category}>{categoryName(category)}{is_experiment ? " •" : ""}</option>)}
        </select>
        <select className="field w-auto" aria-label="Status" value={filter.status ?? ""} onChange={(event) => set("status", event.target.value)}>
          <option value="">Any status</option>
          {Object.entries(STATUS).map(([status, name]) => <option key={status} value={status}>{name}</option>)}
        </select>
        {!isWide && (
          <select className="field w-auto" aria-label="Sort by" value={sort} onChange={(event) => onSort(event.target.value as Sort)}>
            {Object.entries(SORTS).map(([key, name]) => <option key={key} value={key}>By {name.toLowerCase()}</option>)}
          </select>
        )}
        <p role="status" className="hint ms-auto">{plural(found.length, "variant")}{figures.data === null && " · no figures yet"}{figures.isError && " · figures are away"}</p>
      </search>
      {groups.length === 0 ? <Empty title="No variant is like that">Take a filter away.</Empty> : isWide ? <VariantTable {...props} /> : <VariantCards {...props} />}
    </>
  );
}
