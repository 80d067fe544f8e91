// Promotions that take days: which are under way, and how the others ended.
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { path } from "../../api/client";
import { runs } from "../../api/operations";
import type { Run } from "../../api/types";
import { ago, dateTime } from "../../lib/format";
import { categoryName, ending, plural, shortName } from "../../lib/words";
import { Empty } from "../../ui/fault";
import { useNow } from "../../ui/hooks";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";
import { OpenRun } from "./run";

export default function Promotions() {
  const query = useQuery(runs());
  return (
    <>
      <Title name="Promotions" lead="A canary’s way to production when nobody wants to watch it: collect, test every gate, ask another admin by a link, promote, tell." />
      <Loaded query={query} lines={6}>
        {(all) => {
          const open = all.filter(({ state }) => state !== "ended");
          const over = all.filter(({ state }) => state === "ended");
          return (
            <div className="space-y-5">
              {open.length === 0
                ? <div className="panel"><Empty title="None is under way">One begins in <Link href="/compare">Compare</Link>, for a staged variant that takes traffic.</Empty></div>
                : <ul className="space-y-4" aria-label="Promotions under way">{open.map((run) => <li key={run.id}><OpenRun run={run} /></li>)}</ul>}
              {over.length > 0 && <Past runs={over} />}
            </div>
          );
        }}
      </Loaded>
    </>
  );
}

const TONE = { promoted: "tag-good", rejected: "tag-bad", failed: "tag-bad", undecided: "", expired: "", cancelled: "" } as const;
const NAME = { promoted: "Promoted", rejected: "Rejected", failed: "Failed", undecided: "Undecided", expired: "Expired", cancelled: "Cancelled" } as const;

function Past({ runs: over }: { runs: Run[] }) {
  const now = useNow(30_000);
  return (
    <Panel title="Before" aside={<span className="hint">{plural(over.length, "promotion")}</span>}>
      <ul className="divide-y divide-line" aria-label="Promotions that ended">
        {over.map((run) => (
          <li key={run.id} className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 py-2">
            {run.ending && <span className={`tag ${TONE[run.ending.ending]}`}>{NAME[run.ending.ending]}</span>}
            <Link href={path("variants", run.category, run.variant)} className="font-medium">{run.variant}</Link>
            <span className="text-ink-2">{categoryName(run.category)} · {shortName(run.author)}{run.approved_by && ` and ${shortName(run.approved_by)}`}</span>
            <span className="min-w-0 grow basis-48 text-ink-2 wrap-anywhere">{run.ending && ending(run.ending)}</span>
            <time dateTime={run.created_at} title={dateTime(run.created_at)} className="hint">begun {ago(run.created_at, now)}</time>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
