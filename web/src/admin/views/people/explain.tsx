// Why a person has what they have: the registry's own answer, drawn on the layer's buckets.
import { useQuery } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";
import { Link } from "wouter";
import { explanation, type Whom } from "../../api/variants";
import type { Explanation } from "../../api/types";
import { count } from "../../lib/format";
import { COHORTS, categoryName, outcomeName, plain } from "../../lib/words";
import { Loaded } from "../../ui/loaded";

const BUCKETS = 10_000;

export function Explain({ category, isWide = false }: { category?: string; isWide?: boolean }) {
  const id = useId();
  const [typed, setTyped] = useState("");
  const [isNew, setNew] = useState(false);
  const [isPaid, setPaid] = useState(false);
  const [whom, setWhom] = useState<Whom | null>(null);
  const [isEmpty, setEmpty] = useState(false);
  const answer = useQuery({ ...explanation(whom ?? { personId: "", isNew, isPaid }), enabled: whom !== null });
  const ask = (event: FormEvent) => {
    event.preventDefault();
    const personId = typed.trim();
    setEmpty(personId === "");
    if (personId === "") { document.getElementById(id)?.focus(); return; }
    setWhom({ personId, isNew, isPaid, ...(category === undefined ? {} : { category }) });
  };
  return (
    <>
      <form onSubmit={ask} noValidate>
        <label className="label" htmlFor={id}>Person’s id</label>
        <div className={`flex gap-2 ${isWide ? "max-w-xl" : ""}`}>
          <input id={id} className="field mono" autoComplete="off" spellCheck={false} maxLength={128} value={typed} aria-invalid={isEmpty} aria-describedby={isEmpty ? `${id}-flaw` : undefined} onChange={(event) => { setTyped(event.target.value); setEmpty(false); }} />
          <button type="submit" className="btn">Explain</button>
        </div>
        {isEmpty && <p id={`${id}-flaw`} className="flaw mt-1">Type the id of a person.</p>}
        <p className="mt-2 flex flex-wrap gap-x-5 gap-y-1">
          <label className="flex items-center gap-2"><input type="checkbox" checked={isNew} onChange={(event) => setNew(event.target.checked)} />in their first session</label>
          <label className="flex items-center gap-2"><input type="checkbox" checked={isPaid} onChange={(event) => setPaid(event.target.checked)} />pays</label>
        </p>
      </form>
      {whom && (
        <div className="mt-3" aria-live="polite">
          <Loaded query={answer} lines={3}>
            {({ explanations, person_id }) => (
              <ul className={`grid gap-3 ${isWide ? "md:grid-cols-2 2xl:grid-cols-3" : ""}`} aria-label={`Variants of ${person_id}`}>
                {explanations.map((one) => <li key={one.explanation.category} className={isWide ? "panel p-4" : "border-t border-line pt-3"}><One answer={one} isNamed={isWide} /></li>)}
              </ul>
            )}
          </Loaded>
        </div>
      )}
    </>
  );
}

const WHY: Record<string, string> = { default: "by default", split: "enrolled by the split", override: "by a tester’s link", crisis_default: "in a crisis: production only", withdrawn: "since the pinned one was withdrawn" };

function One({ answer: { explanation: { category, variant, reason, bucket, cohorts, candidates, exclusion, salt } }, isNamed }: { answer: Explanation; isNamed: boolean }) {
  return (
    <>
      {isNamed && <h3 className="text-ink-2">{categoryName(category)}</h3>}
      <p className="text-[1.05rem]"><Link href={`/variants/${category}/${encodeURIComponent(variant)}`} className="mono font-medium">{variant}</Link> <span className="text-ink-2">{WHY[reason] ?? plain(reason).toLowerCase()}</span></p>
      <Buckets bucket={bucket} candidates={candidates} />
      <p className="hint">Bucket {count(bucket)} of {count(BUCKETS)} · {cohorts.map((cohort) => COHORTS[cohort].toLowerCase()).join(", ")}{exclusion && ` · only half of all people are enrolled here`}</p>
      {candidates.length === 0 ? <p>Nothing is being tried here.</p> : (
        <ul className="mt-1">{candidates.map((one) => (
          <li key={one.variant} className="flex flex-wrap items-baseline gap-x-2"><code>{one.variant}</code><span className="text-ink-2">has {count(one.from_bucket)} to {count(one.to_bucket)}:</span><span className={one.outcome === "enrolled" ? "font-medium text-good" : ""}>{outcomeName(one.outcome)}</span></li>
        ))}</ul>
      )}
      <p className="hint">Salt <code>{salt}</code></p>
    </>
  );
}

function Buckets({ bucket, candidates }: Pick<Explanation["explanation"], "bucket" | "candidates">) {
  const percent = (value: number) => `${(value / BUCKETS) * 100}%`;
  return (
    <div aria-hidden="true" className="relative my-2 h-3 rounded-sm bg-sunk">
      {candidates.map(({ variant, from_bucket, to_bucket, outcome }) => <div key={variant} className={`absolute inset-y-0 ${outcome === "enrolled" ? "bg-accent" : "bg-base"}`} style={{ insetInlineStart: percent(from_bucket), inlineSize: percent(to_bucket - from_bucket) }} />)}
      <div className="absolute -inset-y-1 w-0.5 -translate-x-1/2 bg-ink" style={{ insetInlineStart: percent(bucket) }} />
    </div>
  );
}
