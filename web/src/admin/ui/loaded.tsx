// A query's answer, or its state: loading, failed, absent, or old because the last refresh failed.
import type { ReactNode } from "react";
import { dateTime } from "../lib/format";
import { Empty, Fault } from "./fault";

interface Query<T> { data: T | undefined; error: Error | null; isError: boolean; isFetching: boolean; isPlaceholderData?: boolean; dataUpdatedAt: number; refetch: () => unknown }

export function Loaded<T>({ query, children, absent, lines = 3 }: { query: Query<T>; children: (data: NonNullable<T>) => ReactNode; absent?: { title: string; why?: string }; lines?: number }) {
  const retry = () => void query.refetch();
  if (query.data === undefined) {
    if (query.isError) return <Fault error={query.error} onRetry={retry} isRetrying={query.isFetching} />;
    return <Bones lines={lines} />;
  }
  if (query.data === null) return <Empty title={absent?.title ?? "Nothing here yet"}>{absent?.why}</Empty>;
  return (
    <>
      {query.isError && <Old at={query.dataUpdatedAt} onRetry={retry} isRetrying={query.isFetching} />}
      {query.isPlaceholderData ? <div aria-busy="true" className="opacity-50 transition-opacity">{children(query.data as NonNullable<T>)}</div> : children(query.data as NonNullable<T>)}
    </>
  );
}

function Old({ at, onRetry, isRetrying }: { at: number; onRetry: () => void; isRetrying: boolean }) {
  return (
    <p role="status" className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 rounded-md bg-warn-soft px-3 py-1.5 text-warn">
      <span>As of {dateTime(new Date(at).toISOString())}: refreshing failed.</span>
      <button type="button" className="underline underline-offset-2" onClick={onRetry} disabled={isRetrying}>{isRetrying ? "Trying…" : "Try again"}</button>
    </p>
  );
}

const WIDTHS = ["w-11/12", "w-8/12", "w-10/12", "w-7/12", "w-9/12"];
export function Bones({ lines }: { lines: number }) {
  return (
    <div role="status" aria-label="Loading" className="space-y-2.5 py-2">
      {Array.from({ length: lines }, (_, index) => <div key={index} className={`bone h-4 ${WIDTHS[index % WIDTHS.length]}`} />)}
    </div>
  );
}
