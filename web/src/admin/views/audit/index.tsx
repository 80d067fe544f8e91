// The audit log: who did what, when and why; and whether its chain holds.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useSearchParams } from "wouter";
import { audit, verdict } from "../../api/audit";
import { clock, count, dateTime } from "../../lib/format";
import { useShortcuts } from "../../shell/keys";
import { Empty, Fault } from "../../ui/fault";
import { useNow } from "../../ui/hooks";
import { Icon } from "../../ui/icon";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";
import { Entries } from "./entry";

const ACTIONS = ["create", "edit", "rollout", "cohorts", "promote", "demote", "pause", "rollback", "retire", "kill", "revive", "promote.requested", "promote.signed", "edit.requested", "rollout.requested", "preview-link", "api-key.create", "api-key.revoke"];

export default function Audit() {
  return (
    <>
      <Title name="Audit log" lead="Every change: who, what and why. Entries are chained by SHA-256; none can be altered or taken away unseen." />
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <Log />
        <div className="xl:order-none order-first"><Chain /></div>
      </div>
    </>
  );
}

function Log() {
  const [params, setParams] = useSearchParams();
  const first = useRef<HTMLInputElement>(null);
  const get = (name: string) => params.get(name) ?? "";
  const filter = { subject: get("subject"), actor: get("actor"), action: get("action") };
  const log = useInfiniteQuery(audit(filter));
  const set = (name: string, value: string) => setParams((old) => { const next = new URLSearchParams(old); if (value) next.set(name, value); else next.delete(name); return next; }, { replace: true });
  useShortcuts({ "/": () => first.current?.focus() });
  return (
    <Panel title="Entries">
      <search className="mb-4 grid gap-2 sm:grid-cols-3">
        <label><span className="label">About</span><Typed field={first} value={filter.subject} placeholder="LLM_MODEL/claude-haiku-4-5" onChange={(value) => set("subject", value)} /></label>
        <label><span className="label">By</span><Typed value={filter.actor} placeholder="ada@example.org" onChange={(value) => set("actor", value)} /></label>
        <label><span className="label">Action</span>
          <select className="field" value={filter.action} onChange={(event) => set("action", event.target.value)}><option value="">Any</option>{ACTIONS.map((action) => <option key={action} value={action}>{action}</option>)}</select></label>
      </search>
      <Loaded query={log} lines={8}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.entries);
          if (entries.length === 0) return <Empty title="No entry is like that">The fields want the whole name: CATEGORY/id, or a whole address.</Empty>;
          return (
            <>
              <Entries entries={entries} />
              {log.hasNextPage ? <button type="button" className="btn" disabled={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>{log.isFetchingNextPage ? "Loading…" : "Older entries"}</button> : <p className="hint">The log’s beginning.</p>}
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}

/** A filter that asks when the typing rests. */
function Typed({ value, onChange, placeholder, field }: { value: string; onChange: (value: string) => void; placeholder: string; field?: React.RefObject<HTMLInputElement | null> }) {
  const [text, setText] = useState(value);
  const latest = useRef(onChange);
  latest.current = onChange;
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => latest.current(text.trim()), 400);
    return () => clearTimeout(timer);
  }, [text, value]);
  return <input ref={field} className="field mono" type="search" autoComplete="off" spellCheck={false} value={text} placeholder={placeholder} onChange={(event) => setText(event.target.value)} />;
}

function Chain() {
  const check = useQuery(verdict());
  const { data, isFetching, isError, error, dataUpdatedAt, refetch } = check;
  return (
    <Panel title="The chain">
      <p className="hint">Walks every entry from the first, recomputes its hash, and looks for the log’s end as the registry remembers it outside the database.</p>
      <div className="mt-3" aria-live="polite">
        {isFetching ? <Walking /> : isError ? <Fault error={error} onRetry={() => void refetch()} compact /> : data && (
          <div className={`rounded-md px-4 py-3 ${data.holds ? "bg-good-soft" : "bg-bad-soft"}`}>
            <p className={`flex items-center gap-2 font-medium ${data.holds ? "text-good" : "text-bad"}`}><Icon name={data.holds ? "check" : "warn"} />{data.holds ? `The chain holds: ${count(data.entries)} entries` : `The chain is broken at entry ${data.broken?.seq ?? "?"}`}</p>
            {data.broken && <p className="mt-1">{data.broken.why}. Do not change anything; tell whoever keeps the database.</p>}
            <p className="mt-1 text-[.8rem] text-ink-2 wrap-anywhere">End <code>{data.head}</code><br />as of {dateTime(new Date(dataUpdatedAt).toISOString())}</p>
          </div>
        )}
      </div>
      <button type="button" className="btn btn-main mt-3" disabled={isFetching} onClick={() => void refetch()}>{data ? "Verify again" : "Verify the chain"}</button>
    </Panel>
  );
}

function Walking() {
  const [start] = useState(() => Date.now());
  const now = useNow(500);
  return <div><div className="progress" role="progressbar" aria-label="Verifying the chain" /><p className="hint mt-1.5">Walking the chain… {clock(now - start)}</p></div>;
}
