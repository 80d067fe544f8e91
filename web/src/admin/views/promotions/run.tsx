// One promotion under way: how far it is, what happened, and how it is taken back.
import { Link } from "wouter";
import { path } from "../../api/client";
import type { Run, RunState } from "../../api/types";
import { ago, dateTime } from "../../lib/format";
import { RUN_STATES, categoryName, shortName } from "../../lib/words";
import { useAct } from "../../shell/act";
import { useNow } from "../../ui/hooks";
import { Icon } from "../../ui/icon";
import { Panel } from "../../ui/panel";

const STAGES = ["Collect", "Test", "Ask", "Promote", "Tell"];
const STAGE: Record<RunState, number> = { collecting: 0, testing: 1, asking: 2, waiting: 2, requesting: 3, signing: 3, settling: 3, telling: 4, ended: 5 };

function Stages({ state }: { state: RunState }) {
  const at = STAGE[state];
  return (
    <ol className="my-3 grid max-w-2xl grid-cols-5 gap-1.5" aria-label="How far it is">
      {STAGES.map((name, index) => (
        <li key={name} aria-current={index === at ? "step" : undefined} className={`border-t-[3px] pt-1.5 text-[.8667rem] ${index < at ? "border-good text-ink-2" : index === at ? "border-accent font-medium" : "border-line text-ink-2"}`}>
          <span className="flex items-center gap-1">{index < at && <span className="text-good"><Icon name="check" size={13} /></span>}{name}{index < at && <span className="sr-only">, done</span>}</span>
        </li>
      ))}
    </ol>
  );
}

export function OpenRun({ run }: { run: Run }) {
  const act = useAct();
  const now = useNow(10_000);
  const canCancel = STAGE[run.state] <= STAGE.waiting;
  const cancel = () => act({
    title: `Take back: ${run.variant}`, verb: "Take it back", path: path("workflows", run.id, "cancel"), isBad: true,
    tells: <p>The promotion ends, and a link that was sent holds no more. The variant stays as it is.</p>, said: `The promotion of ${run.variant} is taken back.`,
  });
  const due = run.due_at && (run.state === "waiting" ? `The link holds until ${dateTime(run.due_at)}.` : run.state === "collecting" ? `It tests on ${dateTime(run.due_at)}.` : null);
  return (
    <Panel title={`Promote ${run.variant}`} aside={<span className="tag tag-wait">{RUN_STATES[run.state]}</span>}>
      <p className="-mt-1 text-ink-2">
        <Link href={path("variants", run.category, run.variant)}>{categoryName(run.category)}</Link> · begun by <span className="text-ink">{run.author}</span> <span title={dateTime(run.created_at)}>{ago(run.created_at, now)}</span>{run.round > 1 && <>, round {run.round}</>}{run.approved_by && <>, approved by <span className="text-ink">{shortName(run.approved_by)}</span></>}
      </p>
      <p className="my-2 font-serif text-[1.15rem] leading-snug wrap-anywhere">“{run.reason}”</p>
      <Stages state={run.state} />
      {due && <p>{due}</p>}
      <details className="mt-2">
        <summary className="cursor-pointer text-ink-2 hover:text-ink">What happened</summary>
        <ol className="mt-1.5 space-y-1" aria-label="Steps">
          {run.steps.map(({ at, what }, index) => <li key={index} className="flex flex-wrap gap-x-3"><time dateTime={at} className="hint whitespace-nowrap">{dateTime(at)}</time><span className="min-w-0 wrap-anywhere first-letter:uppercase">{what}</span></li>)}
        </ol>
      </details>
      {canCancel && <div className="mt-3"><button type="button" className="btn" onClick={cancel}>Take it back…</button></div>}
    </Panel>
  );
}
