// One variant: how it does, who gets it, what it says, what happened to it.
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link } from "wouter";
import { changes, isOpen } from "../../api/changes";
import { overview } from "../../api/metrics";
import type { Categories, Variant as Entity } from "../../api/types";
import { allVariants, categories as categoriesOf, oneVariant } from "../../api/variants";
import { smallerArm, useDecisions } from "../../lib/decisions";
import { ago, dateTime } from "../../lib/format";
import { nextStep } from "../../lib/next";
import { categoryName, shortName } from "../../lib/words";
import { can, demote, pause, promote, retire, rollback } from "../../lib/wishes";
import { useAct } from "../../shell/act";
import { NextBadge, StatusBadge } from "../../ui/badges";
import { useNow } from "../../ui/hooks";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";
import { Explain } from "../people/explain";
import { Cohorts } from "./cohorts";
import { ConfigEditor } from "./config";
import { Figures } from "./figures";
import { History } from "./history";
import { PreviewLink } from "./preview";
import { Share } from "./share";

export default function Variant({ category, id }: { category: string; id: string }) {
  const variant = useQuery({ ...oneVariant(category, id), refetchInterval: 15_000 });
  const categories = useQuery(categoriesOf());
  const isThere = variant.data !== undefined && categories.data !== undefined;
  useEffect(() => {
    // A link may lead to a part: #config, #share.
    const part = isThere && location.hash !== "" ? document.getElementById(location.hash.slice(1)) : null;
    part?.scrollIntoView({ block: "start" });
    part?.focus({ preventScroll: true });
  }, [isThere]);
  return (
    <Loaded query={variant} lines={9}>
      {(found) => <Loaded query={categories} lines={9}>{(known) => <Detail variant={found} categories={known} />}</Loaded>}
    </Loaded>
  );
}

function Detail({ variant, categories }: { variant: Entity; categories: Categories }) {
  const category = categories.categories.find((other) => other.category === variant.category);
  const control = category && !category.is_pool ? category.defaults[0] : undefined;
  const all = useQuery(allVariants()).data?.variants ?? [];
  const production = all.find((other) => other.category === variant.category && other.id === control);
  return (
    <>
      <p className="mb-1 text-ink-2"><Link href="/variants">Variants</Link> <span aria-hidden="true">/</span> <Link href={`/variants?category=${variant.category}`}>{categoryName(variant.category)}</Link></p>
      <Head variant={variant} categories={categories} control={control} />
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,7fr)_minmax(0,5fr)]">
        <div className="contents min-w-0 xl:block xl:space-y-5 [&>*]:order-2">
          <Figures variant={variant} control={control} />
          <ConfigEditor key={`${variant.category}/${variant.id}`} variant={variant} category={category} production={production} />
          <History variant={variant} />
        </div>
        <div className="contents min-w-0 xl:block xl:space-y-5 [&>*]:order-1 [&>*:last-child]:order-3">
          <Share variant={variant} category={category} rivals={all.filter((other) => other.category === variant.category && other.id !== variant.id)} />
          <Cohorts variant={variant} />
          <Panel title="Why this variant"><Explain category={variant.category} /></Panel>
        </div>
      </div>
    </>
  );
}

function Head({ variant, categories, control }: { variant: Entity; categories: Categories; control: string | undefined }) {
  const act = useAct();
  const now = useNow(1_000);
  const waiting = useQuery(changes()).data;
  const category = categories.categories.find((other) => other.category === variant.category);
  const decisions = useDecisions([variant], categories.categories);
  const compared = decisions.get(`${variant.category}/${variant.id}`);
  const change = waiting?.find((other) => isOpen(other) && other.command.target?.id === variant.id && other.command.target.category === variant.category);
  const figures = useQuery(overview()).data?.variants.find(({ category: other, id }) => other === variant.category && id === variant.id);
  const sessionsPerDay = figures && figures.days.length > 0 ? figures.total.sessions / figures.days.length : null;
  const step = nextStep(variant, { now, sessionsPerDay, change, decision: compared?.decision, isSwitchedOff: category?.is_switched_off ?? false, sessions: compared && smallerArm(compared) });
  const allowed = can(variant, category);
  const isNotControl = control !== undefined && control !== variant.id;
  return (
    <Title name={variant.id} aside={
      <>
        {isNotControl && <Link className="btn" href={`/compare?${new URLSearchParams({ category: variant.category, control, treatment: variant.id })}`}>Compare with production</Link>}
        {allowed.promote && <button type="button" className="btn btn-main" onClick={() => act(promote(variant, category))}>Promote</button>}
        {allowed.pause && <button type="button" className="btn" onClick={() => act(pause(variant))}>Pause</button>}
        {allowed.demote && <button type="button" className="btn" onClick={() => act(demote(variant))}>Demote</button>}
        {allowed.rollback && <button type="button" className="btn btn-bad" onClick={() => act(rollback(variant))}>Roll back</button>}
        {variant.status !== "retired" && <PreviewLink variant={variant} />}
        {allowed.retire && <button type="button" className="btn btn-quiet text-bad" onClick={() => act(retire(variant))}>Retire</button>}
      </>
    } lead={
      <>
        <span className="text-ink">{variant.description}</span>
        <span className="mt-1.5 flex flex-wrap items-center gap-x-3 gap-y-1">
          <span className="text-ink"><StatusBadge status={variant.status} /></span>
          {step && <NextBadge step={step} variant={variant} control={control} />}
          <span>Version {variant.version}</span>
          <span title={dateTime(variant.updated_at)}>changed {ago(variant.updated_at, now)}</span>
          <span title={dateTime(variant.created_at)}>made by {shortName(variant.created_by)} {ago(variant.created_at, now)}</span>
        </span>
      </>
    }><span className="font-mono text-[.82em] tracking-tight">{variant.id}</span></Title>
  );
}
