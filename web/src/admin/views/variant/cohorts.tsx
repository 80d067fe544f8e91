// Which people may be enrolled.
import { path } from "../../api/client";
import type { Cohort, Variant } from "../../api/types";
import { COHORTS } from "../../lib/words";
import { useAct } from "../../shell/act";
import { useDraft } from "../../ui/hooks";
import { Panel } from "../../ui/panel";

const ALL = Object.keys(COHORTS) as Cohort[];

export function CohortPicker({ value, onChange, disabled = false }: { value: Cohort[]; onChange: (cohorts: Cohort[]) => void; disabled?: boolean }) {
  return (
    <fieldset disabled={disabled}>
      <legend className="sr-only">Cohorts</legend>
      <div className="flex flex-wrap gap-1.5">
        {ALL.map((cohort) => (
          <label key={cohort} className="chip">
            <input type="checkbox" className="sr-only" checked={value.includes(cohort)} onChange={(event) => onChange(ALL.filter((other) => (other === cohort ? event.target.checked : value.includes(other))))} />
            {value.includes(cohort) && <span aria-hidden="true">✓</span>}{COHORTS[cohort]}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Cohorts({ variant }: { variant: Variant }) {
  const act = useAct();
  const [draft, setDraft] = useDraft<{ cohorts: Cohort[]; seen: Variant }>(`cohorts:${variant.category}/${variant.id}`);
  const wished = draft?.cohorts ?? variant.cohorts;
  const isSame = wished.length === variant.cohorts.length && wished.every((cohort) => variant.cohorts.includes(cohort));
  const isRetired = variant.status === "retired";
  const names = wished.map((cohort) => COHORTS[cohort]).join(", ");
  const apply = () => act({
    title: `Open ${variant.id} to other cohorts`, verb: "Apply", path: path("variants", variant.category, variant.id, "cohorts"), body: { cohorts: wished }, seen: draft?.seen ?? variant,
    tells: <p>From {variant.cohorts.map((cohort) => COHORTS[cohort]).join(", ")} to {names}. Who has begun a session keeps what they have in it.</p>,
    said: `${variant.id} is open to: ${names}.`, onDone: () => setDraft(null),
  });
  return (
    <Panel title="Cohorts">
      <CohortPicker value={wished} disabled={isRetired} onChange={(cohorts) => setDraft({ cohorts, seen: draft?.seen ?? variant })} />
      <p className="hint mt-2">Whoever is in any of them may be enrolled.{wished.includes("all") && wished.length > 1 && " “Everybody” makes the others idle."}</p>
      {wished.length === 0 && <p className="flaw">Choose at least one. To stop enrolment, pause it.</p>}
      {!isSame && (
        <div className="mt-3 flex gap-2">
          <button type="button" className="btn btn-main" disabled={wished.length === 0} onClick={apply}>Apply cohorts</button>
          <button type="button" className="btn btn-quiet" onClick={() => setDraft(null)}>Back</button>
        </div>
      )}
    </Panel>
  );
}
