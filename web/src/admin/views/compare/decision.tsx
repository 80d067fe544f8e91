// What to do now, and all that stands against a promotion.
import { useId } from "react";
import { useLocation } from "wouter";
import type { Category, Comparison, Variant } from "../../api/types";
import { isChallenger } from "../../lib/rows";
import { NEXT, blocker } from "../../lib/words";
import { demote, promoteOverDays, promoteWinner } from "../../lib/wishes";
import { useAct } from "../../shell/act";
import { Icon } from "../../ui/icon";

const LOOK = { roll_back: ["bg-bad-soft", "text-bad", "warn"], investigate_sample_ratio: ["bg-bad-soft", "text-bad", "warn"], collect_more: ["bg-warn-soft", "text-warn", "wait"], ready_for_review: ["bg-good-soft", "text-good", "check"] } as const;
const HELP = {
  roll_back: "A guardrail is broken. Take its traffic away now and look for the cause afterwards.",
  investigate_sample_ratio: "Assignment or logging is broken: no figure below can be trusted until it is found.",
  collect_more: "Wait. Looking again and again is fine: the decision stays valid.",
  ready_for_review: "Nothing stands against it. Another admin approves the step to production.",
} as const;

export function Decision({ found: { decision }, treatment, category }: { found: Comparison; treatment: Variant | undefined; category: Category | undefined }) {
  const act = useAct();
  const [, navigate] = useLocation();
  const id = useId();
  const [ground, ink, icon] = LOOK[decision.next] ?? LOOK.collect_more;
  const isStep = treatment?.status === "experimental" || treatment?.status === "staged";
  const isLosing = decision.next === "roll_back" && treatment && isStep;
  return (
    <section aria-labelledby={`${id}-title`} className={`rounded-[10px] px-5 py-4 ${ground}`}>
      <h2 id={`${id}-title`} className={`flex items-center gap-2 font-serif text-[1.35rem] font-normal ${ink}`}><Icon name={icon} size={20} />{NEXT[decision.next] ?? decision.next}</h2>
      <p className="mt-1">{HELP[decision.next]}</p>
      {decision.reasons.length > 0 && <ul id={id} className="mt-2 space-y-1">{decision.reasons.map((reason) => <li key={blocker(reason)} className="flex gap-2"><span aria-hidden="true">·</span>{blocker(reason)}</li>)}</ul>}
      <div className="mt-3 flex flex-wrap gap-2">
        {isLosing && <button type="button" className="btn btn-bad" onClick={() => act(demote(treatment))}>Demote {treatment.id}</button>}
        {treatment && isStep && <button type="button" className="btn btn-main" disabled={!decision.promote} aria-describedby={decision.promote ? undefined : id} onClick={() => act(promoteWinner(treatment, category))}>Promote winner</button>}
        {treatment?.status === "staged" && isChallenger(treatment) && !category?.is_pool && !isLosing && <button type="button" className="btn" onClick={() => act({ ...promoteOverDays(treatment), onDone: () => navigate("/promotions") })}>Promote over days…</button>}
        {treatment?.status === "production" && <span className="tag">The treatment is production</span>}
      </div>
    </section>
  );
}
