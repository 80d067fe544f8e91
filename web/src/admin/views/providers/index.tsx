// Vendors' health: failures and their causes, how fast they begin and end, and what breakers spared them.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { providers } from "../../api/operations";
import type { Provider, Providers as Figures } from "../../api/types";
import { ago, count, dateTime, ms, percent } from "../../lib/format";
import { plain, plural } from "../../lib/words";
import { DataTable } from "../../ui/data-table";
import { Empty } from "../../ui/fault";
import { useNow } from "../../ui/hooks";
import { Icon } from "../../ui/icon";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";

const RANGES = [[24, "24 hours"], [168, "7 days"]] as const;
/** A breaker is open for two minutes at most before it looks again: what was spared a little longer ago may go on. */
const NOW_MS = 5 * 60_000;
/** A share of failures that somebody should look at. */
const MANY = 0.05;
/** Fewer of them say nothing. */
const FEW = 3;

const isOpenNow = ({ breaker: { last_at } }: Provider, now: number) => last_at !== null && now - Date.parse(last_at) < NOW_MS;

export default function Providers() {
  const [hours, setHours] = useState<number>(24);
  const query = useQuery(providers(hours));
  const now = useNow(30_000);
  return (
    <>
      <Title name="Providers" lead="As the attempts of turns record it. After repeated failures a breaker spares a model for a while and the next one is asked; each isolate has breakers of its own, so what is known here is what they spared."
        aside={<div role="group" aria-label="Time" className="flex gap-1.5">{RANGES.map(([n, name]) => <button key={n} type="button" className="chip" aria-pressed={n === hours} onClick={() => setHours(n)}>{name}</button>)}</div>} />
      <Loaded query={query} lines={6} absent={{ title: "No figures yet", why: "They come with the first attempts." }}>
        {(found) => <Models found={found} now={now} />}
      </Loaded>
    </>
  );
}

function Models({ found: { providers: all, turns, is_complete, oldest_at }, now }: { found: Figures; now: number }) {
  const open = all.filter((one) => isOpenNow(one, now)).length;
  const spared = all.filter(({ breaker }) => breaker.spared > 0).length;
  const [tone, words] = open > 0 ? ["tag-bad", `${plural(open, "breaker is", "breakers are")} open`] : spared > 0 ? ["tag-wait", `${plural(spared, "model was", "models were")} spared meanwhile`] : ["tag-good", "No breaker opened"];
  return (
    <Panel title="Models" flush aside={all.length > 0 && <span className={`tag ${tone}`}>{words}</span>}>
      {all.length === 0 ? <Empty title="No attempt in this time" /> : (
        <>
          <DataTable label="Health of providers" rows={all} keyOf={({ provider, model }) => `${provider}/${model}`} columns={[
            { name: "Model", cell: ({ provider, model }) => <><code>{model}</code> <span className="hint block font-normal">{provider}</span></> },
            { name: "Attempts", isNumber: true, cell: ({ attempts, fallback_share }) => <>{count(attempts)}<span className="hint block whitespace-nowrap">{fallback_share === null || fallback_share === 0 ? "none" : fallback_share === 1 ? "all" : percent(fallback_share)} as fall-back</span></> },
            { name: "Failures", isNumber: true, cell: (one) => <Failures one={one} /> },
            { name: "First token", isNumber: true, cell: ({ ttft_p50_ms, ttft_p95_ms }) => <Quantiles p50={ttft_p50_ms} p95={ttft_p95_ms} /> },
            { name: "Whole answer", isNumber: true, cell: ({ latency_p50_ms, latency_p95_ms }) => <Quantiles p50={latency_p50_ms} p95={latency_p95_ms} /> },
            { name: "Breaker", isLong: true, cell: (one) => <Breaker one={one} now={now} /> },
          ]} />
          <p className="hint px-4 pb-3">{is_complete ? `From ${plural(turns, "turn")}.` : `From the newest ${count(turns)} turns, since ${dateTime(oldest_at)}.`} Large figures are medians, small ones the 95th percentile.</p>
        </>
      )}
    </Panel>
  );
}

const Quantiles = ({ p50, p95 }: { p50: number | null; p95: number | null }) => <>{ms(p50)}<span className="hint block">{ms(p95)}</span></>;

function Failures({ one: { failures, error_rate, failures_by } }: { one: Provider }) {
  const causes = Object.entries(failures_by).sort(([, a], [, b]) => b - a).map(([slug, n]) => `${plain(slug.replace(/^provider-/, "")).toLowerCase()} ${count(n)}`);
  return (
    <>
      <span className={failures >= FEW && (error_rate ?? 0) >= MANY ? "font-medium text-bad" : ""}>{percent(error_rate)}</span>
      <span className="hint block" title={causes.join(", ")}>{failures === 0 ? "none" : causes.slice(0, 2).join(", ")}{causes.length > 2 && " …"}</span>
    </>
  );
}

function Breaker({ one, now }: { one: Provider; now: number }) {
  const { spared, share, last_at } = one.breaker;
  if (spared === 0) return <span className="tag tag-good"><Icon name="check" size={13} />Did not open</span>;
  const isOpen = isOpenNow(one, now);
  return (
    <>
      <span className={`tag ${isOpen ? "tag-bad" : "tag-wait"}`} title={dateTime(last_at)}><Icon name={isOpen ? "cross" : "wait"} size={13} />{isOpen ? "Open" : `Last open ${ago(last_at, now)}`}</span>
      <span className="hint block">spared {count(spared)}, {percent(share)}</span>
    </>
  );
}
