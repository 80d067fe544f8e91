// The guardrails: one tile each, with its interval and the line that it must not cross.
import type { Gate } from "../../api/types";
import { domainOf, scale, span } from "../../lib/geometry";
import { unitOf } from "../../lib/units";
import { metricName, plain } from "../../lib/words";
import { useWidth } from "../../ui/hooks";
import { Icon } from "../../ui/icon";
import { Panel } from "../../ui/panel";

const VERDICT = { pass: ["Holds", "text-good", "check"], fail: ["Broken", "text-bad", "cross"], insufficient_data: ["Undecided", "text-warn", "wait"] } as const;

export function Gates({ gates }: { gates: Gate[] }) {
  return (
    <Panel title="Gates" aside={<span className="hint">all must hold; undecided does not</span>}>
      <ul className="grid gap-3 sm:grid-cols-2">{gates.map((gate) => <li key={gate.name} className="rounded-lg border border-line px-4 py-3" data-gate={gate.name}><Tile gate={gate} /></li>)}</ul>
    </Panel>
  );
}

const SIDE = 6;

function Tile({ gate: { name, verdict, estimate, low, high, threshold, note } }: { gate: Gate }) {
  const [word, ink, icon] = VERDICT[verdict];
  const unit = unitOf(name);
  const isCrisis = name === "crisis_detection";
  const allowed = isCrisis ? "no new miss" : `${unit.better === "up" ? "at worst" : "at most"} ${unit.format(threshold)}`;
  return (
    <>
      <div className="flex items-center justify-between gap-3"><h3>{metricName(name)}</h3><span className={`inline-flex items-center gap-1 font-medium ${ink}`}><Icon name={icon} size={16} />{word}</span></div>
      <p className="flex items-baseline gap-2"><span className="text-[1.35rem] leading-tight">{isCrisis && estimate === null ? (verdict === "pass" ? "None missed" : verdict === "fail" ? "Missed" : "Replay not run") : unit.format(estimate)}</span><span className="hint">allowed: {allowed}</span></p>
      {note && <p className="hint">{plain(note)}</p>}
      {(low !== null || high !== null) && <Axis {...{ name, estimate, low, high, threshold }} verdict={verdict} />}
    </>
  );
}

function Axis({ name, estimate, low, high, threshold, verdict }: Gate) {
  const unit = unitOf(name);
  const [ref, outer] = useWidth(280);
  const width = Math.max(120, outer - 2 * SIDE);
  const domain = domainOf([0, estimate, low, high, threshold], 0.15);
  const place = scale(domain, width);
  const { from, to } = span(domain, width, low, high);
  const line = place(threshold);
  // What lies beyond the line is not allowed.
  const isAbove = unit.better === "down";
  return (
    <svg ref={ref} role="img" aria-label={`${metricName(name)}: ${unit.format(estimate)}, between ${unit.format(low)} and ${unit.format(high)}, threshold ${unit.format(threshold)}: ${VERDICT[verdict][0].toLowerCase()}`} viewBox={`${-SIDE} 0 ${width + 2 * SIDE} 44`} height={44} className="mt-1.5 w-full" fontSize="11.5" fill="var(--ink-2)">
      <rect x={isAbove ? line : 0} width={Math.max(0, isAbove ? width - line : line)} y="4" height="22" fill="var(--bad-soft)" />
      <line x1="0" x2={width} y1="26" y2="26" stroke="var(--line-2)" />
      <line x1={place(0)} x2={place(0)} y1="22" y2="30" stroke="var(--ink-2)" /><text x={place(0)} y="41" textAnchor="middle">0</text>
      <line x1={from} x2={to} y1="15" y2="15" stroke="var(--ink)" strokeWidth="2" strokeDasharray="5 4" />
      {low !== null && <line x1={from} x2={from} y1="11" y2="19" stroke="var(--ink)" strokeWidth="1.5" />}
      {high !== null && <line x1={to} x2={to} y1="11" y2="19" stroke="var(--ink)" strokeWidth="1.5" />}
      {estimate !== null && <circle cx={place(estimate)} cy="15" r="4.5" fill="var(--ink)" stroke="var(--raised)" strokeWidth="1.5" />}
      <line x1={line} x2={line} y1="1" y2="30" stroke="var(--bad)" strokeWidth="2" />
      {Math.abs(line - place(0)) > 24 && <text x={line} y="41" textAnchor={line > width - 24 ? "end" : line < 24 ? "start" : "middle"} fill="var(--bad)">{unit.format(threshold)}</text>}
    </svg>
  );
}
