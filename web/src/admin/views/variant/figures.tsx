// Days of figures, against production.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { series } from "../../api/metrics";
import type { Day, Figures as All, Series, Variant } from "../../api/types";
import { Legend, type Line } from "../../charts/figure";
import { Lines } from "../../charts/lines";
import { compact, isoDay, money, moneyTick, ms, msTick, percent, percentTick, score } from "../../lib/format";
import { Empty } from "../../ui/fault";
import { Loaded } from "../../ui/loaded";
import { Panel } from "../../ui/panel";
import { Range } from "../../ui/range";

type Name = keyof All;
const CHARTS: { name: Name; title: string; format: (value: number | null) => string; tick?: (value: number) => string; most?: number }[] = [
  { name: "latency_p95_ms", title: "Latency, p95", format: ms, tick: msTick },
  { name: "ttft_p50_ms", title: "First token, p50", format: ms, tick: msTick },
  { name: "cost_per_turn_micros", title: "Cost per turn", format: money, tick: moneyTick },
  { name: "satisfaction", title: "Satisfaction", format: score, most: 1 },
  { name: "return_rate", title: "Return rate", format: percent, tick: percentTick, most: 1 },
  { name: "error_rate", title: "Errors", format: (value) => percent(value, 2), tick: percentTick, most: 1 },
];

export function Figures({ variant, control }: { variant: Variant; control: string | undefined }) {
  const [range, setRange] = useState(30);
  const own = useQuery(series(variant.category, variant.id, range));
  const isControl = control === undefined || control === variant.id;
  const base = useQuery({ ...series(variant.category, control ?? "", range), enabled: !isControl });
  const lines = legend(variant.id, isControl ? undefined : control);
  return (
    <Panel title="Figures" aside={<>{lines.length > 1 && <span className="flex flex-wrap gap-x-4">{lines.map((line) => <Legend key={line.key} line={line} />)}</span>}<Range days={range} onChange={setRange} /></>}>
      <Loaded query={own} lines={8} absent={{ title: "No figures yet", why: "They come with the first turns after the nightly roll-up." }}>
        {(found) => (found.days.every(({ turns }) => turns === 0)
          ? <Empty title="No turns in these days">{variant.rollout_percent === 0 && variant.status !== "production" ? "It takes no traffic. Give it a share to see how it does." : "Nobody has met it yet."}</Empty>
          : <Charts own={found} base={base.data ?? null} lines={lines} range={range} />)}
      </Loaded>
    </Panel>
  );
}

const legend = (id: string, control: string | undefined): Line[] => [
  { key: "own", name: id, colour: "var(--one)", values: [] },
  ...(control === undefined ? [] : [{ key: "base", name: `${control} (production)`, colour: "var(--base)", values: [], isBase: true }]),
];

const DAY_MS = 86_400_000;
/** Whoever came on a day may return for so many days. */
const RETURN_DAYS = 7;

function Charts({ own, base, lines, range }: { own: Series; base: Series | null; lines: Line[]; range: number }) {
  const days = own.days.map(({ day }) => day);
  const isGrowing = range <= RETURN_DAYS;
  // The return rate of the last days is still growing, and would look like a fall.
  const settled = isoDay(Date.now() - RETURN_DAYS * DAY_MS);
  const isKnown = (name: Name, day: string) => name !== "return_rate" || isGrowing || day < settled;
  const values = (all: Day[], name: Name) => days.map((day) => (isKnown(name, day) ? all.find((figures) => figures.day === day)?.[name] ?? null : null));
  return (
    <>
      {own.total && (
        <dl className="mb-4 flex flex-wrap gap-x-8 gap-y-2 [&_dd]:text-[1.25rem] [&_dd]:leading-tight [&_dt]:text-[.8667rem] [&_dt]:text-ink-2">
          <div><dt>Sessions</dt><dd>{compact(own.total.sessions)}</dd></div>
          <div><dt>Turns</dt><dd>{compact(own.total.turns)}</dd></div>
          <div><dt>Ratings</dt><dd>{compact(own.total.ratings)}</dd></div>
          <div><dt>Crisis rate</dt><dd>{percent(own.total.crisis_rate, 2)}</dd></div>
          <div><dt>Tokens in, out</dt><dd>{compact(own.total.tokens_in)}, {compact(own.total.tokens_out)}</dd></div>
        </dl>
      )}
      <div className="grid gap-x-6 gap-y-5 sm:grid-cols-2 2xl:grid-cols-3">
        {CHARTS.map(({ name, title, format, tick, most }) => (
          <Lines key={name} isPlain title={name === "return_rate" && isGrowing ? `${title}, still growing` : title} days={days} format={format} {...(tick ? { tick } : {})} {...(most ? { most } : {})} lines={lines.map((line) => ({ ...line, values: values(line.isBase ? (base?.days ?? []) : own.days, name) }))} />
        ))}
      </div>
    </>
  );
}
