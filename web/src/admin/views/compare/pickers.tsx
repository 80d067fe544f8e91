// Which two, and which days.
import { useId, type ReactNode } from "react";
import type { Pair } from "../../api/metrics";
import type { Category, Variant } from "../../api/types";
import { isoDay } from "../../lib/format";
import { STATUS, categoryName } from "../../lib/words";

const DAY_MS = 86_400_000;

export function Pickers({ pair, categories, variants, onChange }: { pair: Pair; categories: Category[]; variants: Variant[]; onChange: (part: Partial<Pair>) => void }) {
  const own = variants.filter(({ category }) => category === pair.category);
  const today = isoDay(Date.now());
  const choice = (name: "control" | "treatment", label: string, mark: ReactNode) => (
    <Labelled label={<>{mark}{label}</>}>
      {(id) => (
        <select id={id} className="field" value={pair[name]} onChange={(event) => onChange({ [name]: event.target.value })}>
          {pair[name] === "" && <option value="">Choose…</option>}
          {(Object.keys(STATUS) as (keyof typeof STATUS)[]).map((status) => own.some((variant) => variant.status === status) && (
            <optgroup key={status} label={STATUS[status]}>{own.filter((variant) => variant.status === status).map(({ id: name }) => <option key={name} value={name}>{name}</option>)}</optgroup>
          ))}
        </select>
      )}
    </Labelled>
  );
  return (
    <search className="mb-5 grid grid-cols-2 gap-x-3 gap-y-3 md:grid-cols-3 xl:grid-cols-[1.1fr_1.5fr_1.7fr_1fr_1fr_.8fr_auto] items-end">
      <div className="col-span-2 md:col-span-1"><Labelled label="Category">{(id) => <select id={id} className="field" value={pair.category} onChange={(event) => onChange({ category: event.target.value })}>{categories.map(({ category }) => <option key={category} value={category}>{categoryName(category)}</option>)}</select>}</Labelled></div>
      {choice("control", "Control", <Dot className="bg-base" />)}
      {choice("treatment", "Treatment", <Dot className="bg-one" />)}
      <Labelled label="From">{(id) => <input id={id} type="date" className="field" max={today} value={pair.from} onChange={(event) => event.target.value && onChange({ from: event.target.value })} />}</Labelled>
      <Labelled label="To">{(id) => <input id={id} type="date" className="field" max={today} value={pair.to} onChange={(event) => event.target.value && onChange({ to: event.target.value })} />}</Labelled>
      <Labelled label="Planned sessions">{(id) => <input id={id} type="number" className="field" min={100} step={100} defaultValue={pair.planned} key={pair.planned} onBlur={(event) => event.target.valueAsNumber > 0 && event.target.valueAsNumber !== pair.planned && onChange({ planned: Math.round(event.target.valueAsNumber) })} />}</Labelled>
      <div role="group" aria-label="Usual ranges" className="flex gap-1.5">{[7, 14, 28].map((days) => { const from = isoDay(Date.now() - (days - 1) * DAY_MS); return <button key={days} type="button" className="chip" aria-pressed={pair.from === from && pair.to === today} onClick={() => onChange({ from, to: today })}>{days} d</button>; })}</div>
    </search>
  );
}

const Dot = ({ className }: { className: string }) => <span aria-hidden="true" className={`me-1.5 inline-block size-2.5 rounded-sm ${className}`} />;

function Labelled({ label, children }: { label: ReactNode; children: (id: string) => ReactNode }) {
  const id = useId();
  return <div className="min-w-0"><label className="label" htmlFor={id}>{label}</label>{children(id)}</div>;
}
