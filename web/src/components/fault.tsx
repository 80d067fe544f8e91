// An error in human words, with what support needs to find it.
import { useEffect, useState } from "react";
import { ProblemError } from "../api/problem";
import { words } from "../messages";

function sentence(error: unknown): string {
  if (error instanceof ProblemError) return words.errors[error.problem.slug] ?? words.errors.other ?? "";
  if (error instanceof TypeError) return words.errors.network ?? "";
  return error instanceof Error && error.message ? error.message : words.errors.other ?? "";
}

export function Fault({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const problem = error instanceof ProblemError ? error.problem : undefined;
  const [left, setLeft] = useState(problem?.retryAfter ?? 0);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1_000);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <div className="fault" role="alert">
      <p>{sentence(error)}{problem?.detail ? ` (${problem.detail})` : ""}</p>
      <button type="button" className="quiet" disabled={left > 0} onClick={onRetry}>{left > 0 ? words.inSeconds(left) : words.retry}</button>
      {problem?.correlationId && <small>{words.reference} <code>{problem.correlationId.slice(0, 12)}</code></small>}
    </div>
  );
}
