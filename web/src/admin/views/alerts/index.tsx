// What somebody had to know at once, and whether they heard it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useSearchParams } from "wouter";
import { path } from "../../api/client";
import { alerts } from "../../api/operations";
import type { Alert, Delivery } from "../../api/types";
import { ago, dateTime } from "../../lib/format";
import { plain } from "../../lib/words";
import { useAct } from "../../shell/act";
import { Empty } from "../../ui/fault";
import { useNow } from "../../ui/hooks";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";

const KINDS: Record<string, string> = { budget: "Budget", demotion: "Demotion", slo: "Objectives", job: "Night’s work", approval: "Approval wanted", workflow: "Promotion" };
const CHANNEL = { slack: "Slack", webhook: "Webhook" } as const;

export default function Alerts() {
  const [params, setParams] = useSearchParams();
  const kind = params.get("kind");
  const query = useInfiniteQuery(alerts(kind));
  const filter = (
    <label className="flex items-center gap-2"><span className="text-ink-2">Kind</span>
      <select className="field" value={kind ?? ""} onChange={({ target }) => setParams(target.value ? { kind: target.value } : {}, { replace: true })}>
        <option value="">All</option>
        {Object.entries(KINDS).map(([slug, name]) => <option key={slug} value={slug}>{name}</option>)}
      </select>
    </label>
  );
  return (
    <>
      <Title name="Alerts" lead="Each is raised once, written down, and delivered to every channel that is configured until it is heard." aside={filter} />
      <Loaded query={query} lines={6}>
        {({ pages }) => {
          const all = pages.flatMap((page) => page.alerts);
          if (all.length === 0) return <div className="panel"><Empty title="No alerts">{kind ? "None of this kind." : "Nothing had to be told."}</Empty></div>;
          return (
            <Panel title="The newest first">
              <ul className="divide-y divide-line" aria-label="Alerts">{all.map((alert, index) => <li key={alert.id ?? `${alert.at}-${index}`} className="py-3 first:pt-1"><One alert={alert} /></li>)}</ul>
              {query.hasNextPage && <button type="button" className="btn mt-2" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{query.isFetchingNextPage ? "Loading…" : "More"}</button>}
            </Panel>
          );
        }}
      </Loaded>
    </>
  );
}

function One({ alert }: { alert: Alert }) {
  const act = useAct();
  const now = useNow(30_000);
  const { id, detail, deliveries } = alert;
  // A link within this dashboard is a button, not a line of text.
  const link = detail.link?.startsWith(`${location.origin}/`) ? detail.link : null;
  const text = (link ? detail.text?.replace(link, "").trim() : detail.text) ?? alert.subject;
  const again = id !== null && (() => act({
    title: "Deliver an alert again", verb: "Deliver again", path: path("alerts", id, "deliveries"),
    tells: <p>It goes to every channel that it had, under the same id: a receiver that has it already can tell.</p>, said: "The alert is under way again.",
  }));
  return (
    <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
      <div className="min-w-0 grow basis-80">
        <p className="wrap-anywhere">{text}</p>
        <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-[.8667rem] text-ink-2">
          <span className="tag">{KINDS[alert.kind] ?? plain(alert.kind)}</span>
          <time dateTime={alert.at} title={dateTime(alert.at)}>{ago(alert.at, now)}</time>
          {deliveries.map((delivery) => <Heard key={delivery.channel} delivery={delivery} now={now} />)}
          {deliveries.length === 0 && <span>{id === null ? "Not delivered yet" : "No channel is configured"}</span>}
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        {link && <a className="btn btn-small" href={link}>Read and approve</a>}
        {again && deliveries.length > 0 && <button type="button" className="btn btn-small" onClick={again} aria-label={`Deliver again: ${text}`}>Deliver again…</button>}
      </div>
    </div>
  );
}

const attempts = (n: number) => (n === 1 ? "once" : `${n} times`);

function Heard({ delivery: { channel, state, attempts: n, next_at, delivered_at, error }, now }: { delivery: Delivery; now: number }) {
  switch (state) {
    case "delivered": return <span className="tag tag-good" title={dateTime(delivered_at)}>{CHANNEL[channel]}: heard</span>;
    case "dead": return <span className="tag tag-bad" title={error ?? undefined}>{CHANNEL[channel]}: given up, tried {attempts(n)}</span>;
    case "pending": return <span className="tag tag-wait" title={error ?? undefined}>{CHANNEL[channel]}: {n === 0 ? "on its way" : `tried ${attempts(n)}, again ${ago(next_at, now)}`}</span>;
  }
}
