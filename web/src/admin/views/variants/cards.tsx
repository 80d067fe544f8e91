// The list on a phone: a card for each variant that matters, a line for the others.
import { Link } from "wouter";
import type { Category } from "../../api/types";
import { money, ms, percent, points, signedScore } from "../../lib/format";
import type { NextStep } from "../../lib/next";
import { isChallenger, type Row } from "../../lib/rows";
import { categoryName } from "../../lib/words";
import { can, demote, pause, promote } from "../../lib/wishes";
import { useAct } from "../../shell/act";
import { NextBadge, StatusBadge } from "../../ui/badges";
import { Icon } from "../../ui/icon";
import { Figure, LEAST_DELTA, Share } from "./figure";
import { GroupTools } from "./group";
import { hrefOf, type ListProps } from "./table";

export function VariantCards({ groups, next, onShowAll }: ListProps) {
  return (
    <div className="space-y-7">
      {groups.map(({ category, rows, hidden }) => (
        <section key={category.category} aria-label={category.category}>
          <h2 className="mb-2"><GroupTools category={category} /></h2>
          <ul className="space-y-2">{rows.map((row) => <li key={row.variant.id}><Card row={row} category={category} step={next(row)} /></li>)}</ul>
          {hidden > 0 && <button type="button" className="btn btn-quiet mt-1 w-full text-ink-2" onClick={() => onShowAll(category.category)}>{hidden} more of {categoryName(category.category).toLowerCase()}</button>}
        </section>
      ))}
    </div>
  );
}

function Card({ row, category, step }: { row: Row; category: Category; step: NextStep | null }) {
  const act = useAct();
  const { variant, total, days, delta, deltas } = row;
  const allowed = can(variant, category);
  const head = (
    <div className="flex items-start justify-between gap-3">
      <Link href={hrefOf(row)} className="mono -my-2 min-w-0 py-2 font-medium no-underline wrap-anywhere">{variant.id}</Link>
      <StatusBadge status={variant.status} />
    </div>
  );
  if (!isChallenger(variant) && (variant.status !== "production" || category.is_pool)) {
    return <article className="panel px-4 py-2.5">{head}<p className="hint truncate">{variant.description}</p></article>;
  }
  return (
    <article className="panel px-4 py-3">
      {head}
      <p className="hint">{variant.description}</p>
      {step && <p className="mt-1.5"><NextBadge step={step} variant={variant} control={row.control} /></p>}
      <div className="mt-2.5"><span className="flex justify-between"><span className="text-ink-2">Share</span><span className="font-medium">{points(row.share)}</span></span><Share value={row.share} slot={variant.slot} /></div>
      {total && (
        <dl className="mt-2.5 grid grid-cols-2 gap-x-4 gap-y-2 [&_dt]:text-[.8667rem] [&_dt]:text-ink-2">
          <div><dt>p95 latency</dt><dd><Figure values={days.map((figures) => figures?.latency_p95_ms)} text={ms(total.latency_p95_ms)} label="p95 latency" /></dd></div>
          <div><dt>Cost per turn</dt><dd><Figure values={days.map((figures) => figures?.cost_per_turn_micros)} text={money(total.cost_per_turn_micros)} label="Cost per turn" /></dd></div>
          <div><dt>Satisfaction Δ</dt><dd><Figure values={deltas} text={signedScore(delta)} label="Satisfaction against production" leastRange={LEAST_DELTA} /></dd></div>
          <div><dt>Return rate</dt><dd><span className="font-medium" title="Of the week before: who comes now may still return">{percent(total.return_rate)}</span></dd></div>
        </dl>
      )}
      <div className="mt-3 flex flex-wrap gap-2 border-t border-line pt-2.5">
        {allowed.promote && <button type="button" className="btn btn-small" onClick={() => act(promote(variant, category))}><Icon name="promote" size={15} />Promote</button>}
        {allowed.pause && <button type="button" className="btn btn-small" onClick={() => act(pause(variant))}><Icon name="pause" size={15} />Pause</button>}
        {allowed.demote && <button type="button" className="btn btn-small" onClick={() => act(demote(variant))}><Icon name="demote" size={15} />Demote</button>}
        <Link href={`${hrefOf(row)}#config`} className="btn btn-small"><Icon name="edit" size={15} />Edit</Link>
      </div>
    </article>
  );
}
