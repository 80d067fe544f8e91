// What is spent, on what, and how near the budgets are.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { costs } from "../../api/metrics";
import type { Budget, Costs as Figures } from "../../api/types";
import { Bars } from "../../charts/bars";
import { compact, money, moneyTick, percent } from "../../lib/format";
import { plain } from "../../lib/words";
import { Empty } from "../../ui/fault";
import { Icon } from "../../ui/icon";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";
import { Range } from "../../ui/range";

const COLOURS = ["var(--one)", "var(--two)", "var(--four)", "var(--three)", "var(--five)", "var(--base)"];

export default function Costs() {
  const [days, setDays] = useState(30);
  const query = useQuery(costs(days));
  return (
    <>
      <Title name="Cost" lead="What vendors are paid, by product, and the budgets that stop it." aside={<Range days={days} onChange={setDays} />} />
      <Loaded query={query} lines={8} absent={{ title: "No figures yet", why: "They come with the first turns that cost something." }}>
        {(found) => <div className="space-y-5">{found.budgets && <Budgets budgets={found.budgets} />}<Spent days={found.days} /></div>}
      </Loaded>
    </>
  );
}

function Budgets({ budgets }: { budgets: Budget[] }) {
  return (
    <Panel title="Budgets">
      {budgets.length === 0 ? <Empty title="No budget has been drawn on">Where none is set, nothing stops spending.</Empty> : <ul className="grid gap-x-8 gap-y-5 md:grid-cols-2 xl:grid-cols-3">{budgets.toSorted((a, b) => Number(b.name === "month") - Number(a.name === "month") || a.name.localeCompare(b.name)).map((budget) => <li key={`${budget.name} ${budget.period}`}><Meter budget={budget} /></li>)}</ul>}
    </Panel>
  );
}

/** What turns meet as a budget is used up. */
const STATES: Record<string, string> = { ok: "Within it", cheaper: "Cheaper models first", cheapest: "Cheapest model only", exhausted: "Used up: listener only", ended: "Period is over" };
const nameOf = (name: string) => (name === "month" ? "All features" : name === "feature:api" ? "API" : plain(name.replace(/^feature:/, "")));

function Meter({ budget: { name, period, limit_micros, spent_micros, reserved_micros, state } }: { budget: Budget }) {
  const used = limit_micros === 0 ? 0 : (spent_micros + reserved_micros) / limit_micros;
  const share = (micros: number) => `${Math.min(100, limit_micros === 0 ? 0 : (micros / limit_micros) * 100)}%`;
  const isOver = used >= 1;
  const isNear = used >= 0.8;
  const isPast = state === "ended";
  return (
    <>
      <div className="flex items-baseline justify-between gap-3"><h3>{nameOf(name)} <span className="font-normal text-ink-2">{period}</span></h3>
        <span className={`tag ${isPast ? "" : isOver ? "tag-bad" : isNear ? "tag-wait" : "tag-good"}`}>{!isPast && (isOver || isNear) && <Icon name="warn" size={13} />}{STATES[state] ?? plain(state)}</span></div>
      <p className="mt-0.5"><span className="text-[1.35rem]">{money(spent_micros)}</span> <span className="text-ink-2">of {money(limit_micros)}, {percent(used, 0)}</span></p>
      <div className="mt-1 flex h-2.5 overflow-hidden rounded-full bg-sunk" role="meter" aria-label={`${nameOf(name)}: ${percent(used, 0)} used`} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(Math.min(1, used) * 100)}>
        <div className={isPast ? "bg-line-2" : isOver ? "bg-bad" : isNear ? "bg-warn" : "bg-accent"} style={{ width: share(spent_micros) }} /><div className="bg-line-2" style={{ width: share(reserved_micros) }} />
      </div>
      <p className="hint mt-1">{money(reserved_micros)} reserved by turns under way</p>
    </>
  );
}

function Spent({ days }: Pick<Figures, "days">) {
  const names = [...new Set(days.map(({ day }) => day))].sort();
  const sums = new Map<string, { micros: number; turns: number }>();
  for (const { product, micros, turns } of days) {
    const sum = sums.get(product) ?? { micros: 0, turns: 0 };
    sums.set(product, { micros: sum.micros + micros, turns: sum.turns + turns });
  }
  const products = [...sums].sort(([, a], [, b]) => b.micros - a.micros);
  const total = products.reduce((sum, [, { micros }]) => sum + micros, 0);
  if (products.length === 0) return <Panel title="By product"><Empty title="Nothing was spent in these days" /></Panel>;
  return (
    <Panel title="By product" aside={<span className="text-[1.25rem]">{money(total)}</span>}>
      <Bars title="Cost by day" days={names} format={money} tick={moneyTick} lines={products.map(([product], index) => ({ key: product, name: plain(product), colour: COLOURS[index % COLOURS.length] ?? "", values: names.map((day) => days.find((one) => one.day === day && one.product === product)?.micros ?? 0) }))} />
      <dl className="mt-4 flex flex-wrap gap-x-10 gap-y-3">
        {products.map(([product, { micros, turns }], index) => (
          <div key={product}><dt className="flex items-center gap-1.5 text-ink-2"><span aria-hidden="true" className="size-2.5 rounded-sm" style={{ background: COLOURS[index % COLOURS.length] }} />{plain(product)}</dt><dd>{money(micros)} <span className="hint">{compact(turns)} turns, {money(turns === 0 ? null : micros / turns)} each</span></dd></div>
        ))}
      </dl>
    </Panel>
  );
}
