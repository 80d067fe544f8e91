// Changes that wait for a second word or cool down, and what became of the others.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { path } from "../../api/client";
import { changes, isOpen } from "../../api/changes";
import type { Change } from "../../api/types";
import { allVariants, categories as categoriesOf, me } from "../../api/variants";
import { ago, clock, dateTime } from "../../lib/format";
import { proposal } from "../../lib/proposal";
import { categoryName, plural, shortName, wish } from "../../lib/words";
import { useAct } from "../../shell/act";
import { StateBadge } from "../../ui/badges";
import { VariantDiffs } from "../../ui/diff";
import { Empty } from "../../ui/fault";
import { useNow } from "../../ui/hooks";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";

/** A critical change cools down for so long, if the deployment does not say otherwise. */
const COOL_DOWN_MS = 300_000;

export default function Approvals() {
  const query = useQuery(changes());
  return (
    <>
      <Title name="Approvals" lead="What goes to production needs another admin’s word, and what steers safety is confirmed twice and cools down. Whoever asked for a promotion cannot approve it." />
      <Loaded query={query} lines={6}>
        {(all) => {
          const open = all.filter(isOpen);
          const over = all.filter((change) => !isOpen(change));
          return (
            <div className="space-y-5">
              {open.length === 0 ? <div className="panel"><Empty title="Nothing waits">Changes that need a second word come here.</Empty></div>
                : <ul className="space-y-4" aria-label="Open changes">{open.map((change) => <li key={change.id}><Open change={change} /></li>)}</ul>}
              {over.length > 0 && <Past changes={over} />}
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

const nameOf = ({ command }: Change) => wish(command);

function Open({ change }: { change: Change }) {
  const act = useAct();
  const now = useNow(1_000);
  const own = useQuery(me()).data;
  const variants = useQuery(allVariants());
  const category = useQuery(categoriesOf()).data?.categories.find((other) => other.category === change.command.target?.category);
  const { target } = change.command;
  const isMine = own !== undefined && own.id === change.author;
  const isForOthers = change.needs.sign === "another" && isMine;
  const isProgram = own !== undefined && own.kind !== "user";
  const isApproval = change.needs.sign === "another";
  const moved = variants.data?.variants.find((variant) => variant.category === target?.category && variant.id === target.id);
  const isOld = moved !== undefined && change.expected_version !== null && moved.version !== change.expected_version;
  const confirm = () => act({
    title: `${isApproval ? "Approve" : "Confirm"}: ${nameOf(change)}`, verb: isApproval ? "Approve" : "Confirm", path: path("changes", change.id, "confirm"),
    tells: <p>{change.needs.cool_down ? "It then cools down for five minutes, in which anybody can cancel it." : "It takes effect at once."} {shortName(change.author)} wrote: “{change.reason}”</p>,
    said: change.needs.cool_down ? "It cools down." : `${nameOf(change)}: done.`,
  });
  const cancel = () => act({ title: `Cancel: ${nameOf(change)}`, verb: "Cancel the change", path: path("changes", change.id, "cancel"), isBad: true, tells: <p>It does not take effect. Whoever wants it asks again.</p>, said: "The change is cancelled." });
  const left = Date.parse(change.due_at) - now;
  return (
    <Panel title={nameOf(change)} aside={<StateBadge state={change.state} />}>
      <p className="-mt-1 text-ink-2">
        {target && <><Link href={path("variants", target.category, target.id)}>{categoryName(target.category)}</Link> · </>}asked for by <span className="text-ink">{isMine ? "you" : change.author}</span> <span title={dateTime(change.created_at)}>{ago(change.created_at, now)}</span>{change.signed_by && <>, confirmed by <span className="text-ink">{change.signed_by}</span></>}
      </p>
      <p className="my-2 font-serif text-[1.15rem] leading-snug wrap-anywhere">“{change.reason}”</p>
      <Loaded query={variants} lines={2}>{({ variants: all }) => <div className="max-w-4xl"><VariantDiffs diffs={proposal(change, all, category?.defaults ?? [], category?.is_pool ?? false)} /></div>}</Loaded>
      {isOld && <p role="alert" className="mt-2 rounded-md bg-warn-soft px-3 py-2 text-warn">The variant is at version {moved.version}; this was asked for on version {change.expected_version}. It will be refused: cancel it and ask again.</p>}
      {change.state === "cooling" ? (
        <div className="mt-3 max-w-md">
          <div className="h-1.5 overflow-hidden rounded-full bg-line" role="progressbar" aria-label="Cool-down" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(Math.min(100, Math.max(0, 100 - (left / COOL_DOWN_MS) * 100)))}><div className="h-full bg-warn transition-[width] duration-1000 ease-linear" style={{ width: `${Math.min(100, Math.max(0, 100 - (left / COOL_DOWN_MS) * 100))}%` }} /></div>
          <p className="mt-1">{left > 0 ? <>Takes effect in <strong className="font-semibold">{clock(left)}</strong></> : "Takes effect any moment"}</p>
        </div>
      ) : <p className="hint mt-2">Forgotten {ago(change.due_at, now)} if nobody confirms it.</p>}
      <div className="mt-3 flex flex-wrap items-center gap-2">
        {change.state === "waiting" && !isForOthers && !isProgram && <button type="button" className="btn btn-main" onClick={confirm}>{isApproval ? "Approve…" : "Confirm…"}</button>}
        <button type="button" className="btn" onClick={cancel}>Cancel it…</button>
        {change.state === "waiting" && isForOthers && <span className="tag tag-wait">Another admin has to approve it</span>}
        {change.state === "waiting" && isProgram && <span className="tag tag-wait">Only a person can confirm it</span>}
      </div>
    </Panel>
  );
}

function Past({ changes: over }: { changes: Change[] }) {
  const [isAll, setAll] = useState(false);
  const now = useNow(30_000);
  const shown = isAll ? over : over.slice(0, 8);
  return (
    <Panel title="Before" aside={<span className="hint">{plural(over.length, "change")}</span>}>
      <ul className="divide-y divide-line">
        {shown.map((change) => (
          <li key={change.id} className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 py-2">
            <StateBadge state={change.state} />
            {change.command.target ? <Link href={path("variants", change.command.target.category, change.command.target.id)} className="font-medium">{nameOf(change)}</Link> : <span className="font-medium">{nameOf(change)}</span>}
            <span className="text-ink-2">{shortName(change.author)}{change.signed_by && ` and ${shortName(change.signed_by)}`}</span>
            <span className="min-w-0 grow basis-48 truncate text-ink-2" title={change.reason}>“{change.reason}”</span>
            <time dateTime={change.created_at} title={dateTime(change.created_at)} className="hint">{ago(change.created_at, now)}</time>
          </li>
        ))}
      </ul>
      {over.length > shown.length && <button type="button" className="btn btn-quiet mt-1" onClick={() => setAll(true)}>All {over.length}</button>}
    </Panel>
  );
}
