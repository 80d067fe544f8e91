// Seven days of figures, against production.
import { useQuery } from "@tanstack/react-query";
import { series } from "../../api/metrics";
import type { Day, Figures as All, Series, Variant } from "../../api/types";
import { Legend, type Line } from "../../charts/figure";
import { Lines } from "../../charts/lines";
import { compact, money, moneyTick, ms, msTick, percent, percentTick, score } from "../../lib/format";
import { Empty } from "../../ui/fault";
import { Loaded } from "../../ui/loaded";
import { Panel } from "../../ui/panel";

type Name = keyof All;
const CHARTS: { name: Name; title: string; format: (value: number | null) => string; tick?: (value: number) => string }[] = [
  { name: "latency_p95_ms", title: "Latency, p95", format: ms, tick: msTick },
  { name: "ttft_p50_ms", title: "First token, p50", format: ms, tick: msTick },
  { name: "cost_per_turn_micros", title: "Cost per turn", format: money, tick: moneyTick },
  { name: "satisfaction", title: "Satisfaction", format: score },
  { name: "return_rate", title: "Return rate", format: percent, tick: percentTick },
  { name: "error_rate", title: "Errors", format: (value) => percent(value, 2), tick: percentTick },
];

export function Figures({ variant, control }: { variant: Variant; control: string | undefined }) {
  const own = useQuery(series(variant.category, variant.id));
  const isControl = control === undefined || control === variant.id;
  const base = useQuery({ ...series(variant.category, control ?? ""), enabled: !isControl });
  const lines = legend(variant.id, isControl ? undefined : control);
  return (
    <Panel title="Seven days" aside={<span className="flex flex-wrap gap-x-4">{lines.length > 1 && lines.map((line) => <Legend key={line.key} line={line} />)}</span>}>
      <Loaded query={own} lines={8} absent={{ title: "No figures yet", why: "They come with the first turns after the nightly roll-up." }}>
        {(found) => (found.days.every(({ turns }) => turns === 0)
          ? <Empty title="No turns in seven days">{variant.rollout_percent === 0 && variant.status !== "production" ? "It takes no traffic. Give it a share to see how it does." : "Nobody has met it yet."}</Empty>
          : <Charts own={found} base={base.data ?? null} lines={lines} />)}
      </Loaded>
    </Panel>
  );
}

const legend = (id: string, control: string | undefined): Line[] => [
  { key: "own", name: id, colour: "var(--one)", values: [] },
  ...(control === undefined ? [] : [{ key: "base", name: `${control} (production)`, colour: "var(--base)", values: [], isBase: true }]),
];

function Charts({ own, base, lines }: { own: Series; base: Series | null; lines: Line[] }) {
  const days = own.days.map(({ day }) => day);
  const values = (all: Day[], name: Name) => days.map((day) => all.find((figures) => figures.day === day)?.[name] ?? null);
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
        {CHARTS.map(({ name, title, format, tick }) => (
          <Lines key={name} isPlain title={title} days={days} format={format} {...(tick ? { tick } : {})} lines={lines.map((line) => ({ ...line, values: values(line.isBase ? (base?.days ?? []) : own.days, name) }))} />
        ))}
      </div>
    </>
  );
}
