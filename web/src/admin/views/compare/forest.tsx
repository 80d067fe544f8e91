// Every metric's difference with both intervals: the fixed one solid, the always-valid one dashed.
import type { MetricTest } from "../../api/types";
import { pValue } from "../../lib/format";
import { domainOf, scale, span, ticks } from "../../lib/geometry";
import { unitOf } from "../../lib/units";
import { metricName } from "../../lib/words";
import { Empty } from "../../ui/fault";
import { useWidth } from "../../ui/hooks";
import { Panel } from "../../ui/panel";

export function Forest({ tests }: { tests: MetricTest[] }) {
  return (
    <Panel title="Differences" aside={
      <span className="flex flex-wrap gap-x-4 text-[.8667rem] text-ink-2">
        <span className="inline-flex items-center gap-1.5"><svg aria-hidden="true" width="26" height="8"><line x1="0" y1="4" x2="26" y2="4" stroke="var(--one)" strokeWidth="3" /></svg>fixed, 95 %</span>
        <span className="inline-flex items-center gap-1.5"><svg aria-hidden="true" width="26" height="8"><line x1="0" y1="4" x2="26" y2="4" stroke="var(--one)" strokeWidth="1.6" strokeDasharray="4 3" /></svg>always valid, 95 %</span>
      </span>
    }>
      {tests.length === 0 ? <Empty title="No metric has enough data">Sessions are still few.</Empty> : <ul className="divide-y divide-line">{tests.map((test) => <li key={test.metric}><Row test={test} /></li>)}</ul>}
    </Panel>
  );
}

const HEIGHT = 54;
/** Room for half a label at both ends. */
const SIDE = 26;

function Row({ test: { metric, estimate, fixed, always_valid } }: { test: MetricTest }) {
  const unit = unitOf(metric);
  const isNotZero = always_valid !== null && always_valid.low !== null && always_valid.high !== null && (always_valid.low > 0 || always_valid.high < 0);
  const isBetter = isNotZero && estimate !== null && unit.better !== null ? (estimate > 0) === (unit.better === "up") : null;
  const between = (bounds: MetricTest["fixed"]) => (bounds === null ? "–" : `${unit.format(bounds.low)} to ${unit.format(bounds.high)}`);
  return (
    <div className="grid items-center gap-x-5 gap-y-1 py-3 md:grid-cols-[9rem_minmax(0,1fr)_auto]">
      <div>
        <h3>{metricName(metric)}</h3>
        <p className="hint">{unit.better === "up" ? "more is better" : unit.better === "down" ? "less is better" : ""}</p>
        {isNotZero && <p className={`tag mt-1 ${isBetter === null ? "" : isBetter ? "tag-good" : "tag-bad"}`}>{isBetter === null ? "differs" : isBetter ? "better" : "worse"}</p>}
      </div>
      <Drawing {...{ estimate, fixed, always_valid }} format={unit.format} label={`${metricName(metric)}: ${unit.format(estimate)}; fixed ${between(fixed)}; always valid ${between(always_valid)}`} />
      <dl className="grid grid-cols-[5.2rem_1fr] text-[.8667rem] md:w-[20rem] [&_dt]:text-ink-2 [&_dd]:flex [&_dd]:justify-between [&_dd]:gap-2 [&_dd]:whitespace-nowrap">
        <dt>Estimate</dt><dd className="text-[1rem] font-medium leading-snug">{unit.format(estimate)}</dd>
        <dt>Fixed</dt><dd>{between(fixed)}<span className="text-ink-2">p {pValue(fixed?.p)}</span></dd>
        <dt>Always valid</dt><dd>{between(always_valid)}<span className="text-ink-2">p {pValue(always_valid?.p)}</span></dd>
      </dl>
    </div>
  );
}

function Drawing({ estimate, fixed, always_valid, format, label }: Omit<MetricTest, "metric"> & { format: (value: number | null) => string; label: string }) {
  const [ref, outer] = useWidth(360);
  const width = Math.max(120, outer - 2 * SIDE);
  const domain = domainOf([0, estimate, fixed?.low, fixed?.high, always_valid?.low, always_valid?.high], 0.1);
  const place = scale(domain, width);
  const marks = ticks(domain, width > 300 ? 5 : 3);
  const bar = (bounds: MetricTest["fixed"], y: number, isDashed: boolean) => {
    if (bounds === null) return null;
    const { from, to, isOpenLow, isOpenHigh } = span(domain, width, bounds.low, bounds.high);
    return (
      <g stroke="var(--one)" strokeWidth={isDashed ? 1.6 : 3.2}>
        <line x1={from} x2={to} y1={y} y2={y} strokeDasharray={isDashed ? "5 4" : undefined} />
        {!isOpenLow && <line x1={from} x2={from} y1={y - 4} y2={y + 4} strokeWidth={1.6} />}
        {!isOpenHigh && <line x1={to} x2={to} y1={y - 4} y2={y + 4} strokeWidth={1.6} />}
      </g>
    );
  };
  return (
    <svg ref={ref} role="img" aria-label={label} viewBox={`${-SIDE} 0 ${width + 2 * SIDE} ${HEIGHT}`} height={HEIGHT} className="w-full min-w-0" fontSize="11.5" fill="var(--ink-2)">
      {marks.map((mark) => (
        <g key={mark}>
          <line x1={place(mark)} x2={place(mark)} y1="2" y2="36" stroke={mark === 0 ? "var(--ink-2)" : "var(--line)"} strokeWidth={mark === 0 ? 1.4 : 1} />
          <text x={place(mark)} y="50" textAnchor="middle">{mark === 0 ? "0" : format(mark)}</text>
        </g>
      ))}
      {bar(fixed, 13, false)}
      {bar(always_valid, 27, true)}
      {estimate !== null && <circle cx={place(estimate)} cy="13" r="5" fill="var(--one)" stroke="var(--raised)" strokeWidth="2" />}
    </svg>
  );
}
