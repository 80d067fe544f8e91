// What went wrong, and what helps.
import { advice, asProblem } from "../api/problem";
import { blocker } from "../lib/words";
import { Icon } from "./icon";

export function Fault({ error, onRetry, isRetrying = false, compact = false }: { error: unknown; onRetry?: (() => void) | undefined; isRetrying?: boolean; compact?: boolean }) {
  const problem = asProblem(error);
  const { what, todo, signIn } = advice(problem);
  return (
    <div role="alert" className={`rounded-md border-s-3 border-bad bg-bad-soft text-ink ${compact ? "px-3 py-2" : "px-4 py-3"}`}>
      <p className="flex items-start gap-2 font-medium"><span className="text-bad mt-0.5"><Icon name="warn" size={16} /></span><span className="min-w-0 wrap-anywhere">{what}</span></p>
      {problem.unmet.length > 0 && <ul className="mt-1 space-y-0.5" aria-label="What is not met">{problem.unmet.map((reason) => <li key={blocker(reason)} className="flex gap-2"><span aria-hidden="true">·</span>{blocker(reason)}</li>)}</ul>}
      <p className="mt-1">{todo}</p>
      {(onRetry || signIn) && (
        <p className="mt-2 flex flex-wrap gap-2">
          {signIn && <a className="btn btn-small" href="/admin/" target="_blank" rel="noreferrer">Sign in again</a>}
          {onRetry && <button type="button" className="btn btn-small" onClick={onRetry} disabled={isRetrying}>{isRetrying ? "Trying…" : "Try again"}</button>}
        </p>
      )}
      {problem.correlationId && <p className="mt-2 text-[.8rem] text-ink-2 wrap-anywhere">For a report: <code>{problem.correlationId}</code></p>}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: React.ReactNode }) {
  return (
    <div className="py-6 text-center text-ink-2">
      <svg aria-hidden="true" width="64" height="20" viewBox="0 0 64 20" className="mx-auto mb-2 text-line-2" fill="none" stroke="currentColor" strokeWidth="1.3"><path d="M2 10c5-6 10-6 15 0s10 6 15 0 10-6 15 0 10 6 15 0" /></svg>
      <p className="text-ink">{title}</p>
      {children && <p className="hint mx-auto mt-0.5 max-w-[44ch] text-balance">{children}</p>}
    </div>
  );
}
