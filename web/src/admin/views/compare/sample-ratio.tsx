// Whether the arms hold the shares they were given.
import type { Comparison } from "../../api/types";
import { count, pValue, percent } from "../../lib/format";
import { Icon } from "../../ui/icon";
import { Panel } from "../../ui/panel";

export function SampleRatio({ ratio: { p, alarm }, arms }: { ratio: Comparison["sample_ratio"]; arms: Comparison["arms"] }) {
  const total = arms.reduce((sum, { sessions }) => sum + (sessions ?? 0), 0);
  const isUnknown = p === null && !alarm;
  const [ink, icon, words] = alarm ? ["text-bad", "warn", "The arms do not hold their shares"] as const : isUnknown ? ["text-warn", "wait", "Not checked"] as const : ["text-good", "check", "The arms hold their shares"] as const;
  return (
    <Panel title="Sample ratio">
      <p className={`flex items-center gap-2 font-medium ${ink}`} role={alarm ? "alert" : undefined}><Icon name={icon} size={17} />{words}<span className="ms-auto font-normal text-ink-2">p {pValue(p)}</span></p>
      {isUnknown && <p className="hint mt-1">Shares that changed within these days, or that only some cohorts are given, cannot be checked. Begin after the last change.</p>}
      {alarm && <p className="mt-1">Look for people who are lost on one side: a crash, a redirect, a filter, events that never came. Until it is found, the figures compare different people.</p>}
      {total > 0 && (
        <>
          <div aria-hidden="true" className="mt-3 flex h-2.5 gap-px overflow-hidden rounded-sm">{arms.map((arm, index) => <div key={arm.id} className={index === 0 ? "bg-base" : "bg-one"} style={{ width: percent((arm.sessions ?? 0) / total, 3).replace(" ", "") }} />)}</div>
          <ul className="mt-1.5 space-y-0.5 text-[.8667rem]">{arms.map((arm, index) => <li key={arm.id} className="flex items-center gap-2"><span aria-hidden="true" className={`size-2.5 rounded-sm ${index === 0 ? "bg-base" : "bg-one"}`} /><code className="truncate">{arm.id}</code><span className="ms-auto whitespace-nowrap">{count(arm.sessions)} <span className="text-ink-2">({percent((arm.sessions ?? 0) / total)})</span></span></li>)}</ul>
        </>
      )}
    </Panel>
  );
}
