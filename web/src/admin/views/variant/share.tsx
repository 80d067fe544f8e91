// Who gets it: the share, as a slider over the layer's buckets.
import { useId } from "react";
import { path } from "../../api/client";
import type { Category, Variant } from "../../api/types";
import { count, points, signedPoints } from "../../lib/format";
import { isChallenger, shareOf } from "../../lib/rows";
import { LARGE_STEP, useAct } from "../../shell/act";
import { useDraft } from "../../ui/hooks";
import { Panel } from "../../ui/panel";

const PRESETS = [0, 1, 5, 10, 25, 50, 100];
/** Models and prompts share their people half and half. */
const HALVES = new Set(["LLM_MODEL", "SYSTEM_PROMPT"]);

export function Share({ variant, category, rivals }: { variant: Variant; category: Category | undefined; rivals: Variant[] }) {
  const act = useAct();
  const ids = { slider: useId(), number: useId(), note: useId() };
  const [draft, setDraft] = useDraft<{ percent: number; seen: Variant }>(`share:${variant.category}/${variant.id}`);
  const now = variant.rollout_percent;
  const wished = draft?.percent ?? now;
  const step = Math.round((wished - now) * 100) / 100;
  const isFixed = variant.status === "production" || variant.status === "retired";
  const others = rivals.filter(isChallenger);
  const set = (value: number) => {
    const percent = Math.round(Math.min(100, Math.max(0, Number.isFinite(value) ? value : 0)) * 100) / 100;
    setDraft(percent === now ? null : { percent, seen: draft?.seen ?? variant });
  };
  const apply = () => act({
    title: `Give ${variant.id} ${points(wished)} of the traffic`, verb: `Apply ${points(wished)}`, path: path("variants", variant.category, variant.id, "rollout"),
    body: { percent: wished }, seen: draft?.seen ?? variant, points: step,
    tells: <p>From {points(now)} to {points(wished)}: {signedPoints(step)} points. {step > 0 && category?.is_critical ? "It is confirmed a second time, then it cools down for five minutes." : step > 0 ? "Nobody who has it now loses it." : "It is immediate, in running sessions too."}</p>,
    said: `${variant.id} has ${points(wished)} of the traffic.`, onDone: () => setDraft(null),
  });
  return (
    <Panel title="Share of the traffic" aside={<span className="text-[1.25rem] font-medium">{points(isFixed ? shareOf(variant, [variant, ...rivals]) : wished)}</span>}>
      <div id="share" tabIndex={-1} className="outline-none">
        <Layer variant={variant} percent={wished} others={others} />
        {isFixed ? <p className="hint mt-2">{variant.status === "production" ? `Production has what its challengers leave${category?.is_pool ? ", in equal parts" : ""}.` : "A retired variant takes no traffic."}</p> : (
          <>
            <div className="mt-3 flex items-center gap-3">
              <label htmlFor={ids.slider} className="sr-only">Share, percent</label>
              <div className="relative grow">
                <Track now={now} wished={wished} />
                <input id={ids.slider} type="range" className="slider" min={0} max={100} step={1} value={wished} aria-describedby={ids.note} aria-valuetext={points(wished)} onChange={(event) => set(event.target.valueAsNumber)} />
              </div>
              <label className="flex items-center gap-1"><span className="sr-only">Share as a number, percent</span><input id={ids.number} type="number" className="field w-20 text-end" min={0} max={100} step={0.01} value={wished} onChange={(event) => set(event.target.valueAsNumber)} /><span aria-hidden="true">%</span></label>
            </div>
            <div role="group" aria-label="Usual shares" className="mt-1 flex flex-wrap gap-1.5">{PRESETS.map((preset) => <button key={preset} type="button" className="chip" aria-pressed={preset === wished} onClick={() => set(preset)}>{preset} %</button>)}</div>
            <p id={ids.note} className="hint mt-2.5">
              {count(Math.round(wished * 100))} of 10,000 buckets{HALVES.has(variant.category) ? " of one half of the people: a model and a prompt are never tried on one person" : ""}. A step above {LARGE_STEP} points, outside the shaded part, has to be confirmed.
            </p>
            <div className="mt-3 flex flex-wrap gap-2">
              <button type="button" className="btn btn-main" disabled={step === 0} onClick={apply}>{step === 0 ? "Nothing to apply" : `Apply ${points(wished)} (${signedPoints(step)})`}</button>
              {draft && <button type="button" className="btn btn-quiet" onClick={() => setDraft(null)}>Back to {points(now)}</button>}
            </div>
          </>
        )}
      </div>
    </Panel>
  );
}

/** The slider's track: where it is, and how far a step may go without a confirmation. */
function Track({ now, wished }: { now: number; wished: number }) {
  const place = (value: number) => `calc(.675rem + (100% - 1.35rem) * ${value / 100})`;
  const [low, high] = [Math.max(0, now - LARGE_STEP), Math.min(100, now + LARGE_STEP)];
  return (
    <div aria-hidden="true" className="absolute inset-0">
      <div className="absolute inset-x-0 top-1/2 h-1.5 -translate-y-1/2 rounded-full bg-line" />
      <div className="absolute top-1/2 h-3.5 -translate-y-1/2 rounded-sm bg-accent-soft" style={{ insetInlineStart: place(low), inlineSize: `calc((100% - 1.35rem) * ${(high - low) / 100})` }} />
      <div className="absolute top-1/2 h-1.5 -translate-y-1/2 rounded-full bg-accent" style={{ insetInlineStart: 0, inlineSize: place(wished) }} />
      <div className="absolute top-1/2 h-5 w-0.5 -translate-x-1/2 -translate-y-1/2 bg-ink" style={{ insetInlineStart: place(now) }} />
    </div>
  );
}

/** The layer's 10,000 buckets: challengers grow from its two ends. */
function Layer({ variant, percent, others }: { variant: Variant; percent: number; others: Variant[] }) {
  const isOwn = variant.status !== "production" && variant.status !== "retired" && percent > 0;
  const arms = [...(isOwn ? [{ id: variant.id, percent, slot: others.some(({ slot }) => slot === variant.slot) ? "high" : variant.slot, isOwn: true }] : []), ...others.map(({ id, rollout_percent, slot }) => ({ id, percent: rollout_percent, slot, isOwn: false }))];
  const taken = arms.reduce((sum, arm) => sum + arm.percent, 0);
  const bar = (arm: (typeof arms)[number]) => <div key={arm.id} className={`h-full ${arm.isOwn ? "bg-accent" : "bg-base"}`} style={{ width: `${arm.percent}%` }} />;
  return (
    <>
      <div aria-hidden="true" className="flex h-3.5 gap-px overflow-hidden rounded-sm bg-raised">
        {arms.filter(({ slot }) => slot === "low").map(bar)}
        <div className="h-full min-w-0 grow bg-sunk" />
        {arms.filter(({ slot }) => slot === "high").map(bar)}
      </div>
      <p className="mt-1 flex flex-wrap gap-x-4 text-[.8667rem] text-ink-2">
        {arms.map((arm) => <span key={arm.id} className="inline-flex items-center gap-1.5"><span aria-hidden="true" className={`size-2.5 rounded-sm ${arm.isOwn ? "bg-accent" : "bg-base"}`} />{arm.id} {points(arm.percent)}</span>)}
        <span className="inline-flex items-center gap-1.5"><span aria-hidden="true" className="size-2.5 rounded-sm border border-line-2 bg-sunk" />production {points(Math.max(0, 100 - taken))}</span>
      </p>
      {taken > 100 && <p className="flaw mt-1">Together they would take more than there is.</p>}
    </>
  );
}
