// An error in human words, with what support needs to find it.
import { useEffect, useState } from "react";
import { ProblemError } from "../api/problem";
import { type Words, useWords } from "../i18n";

function sentence({ errors }: Words, error: unknown): string {
  if (error instanceof ProblemError) return errors[error.problem.slug as keyof Words["errors"]] ?? errors.other;
  if (error instanceof TypeError) return errors.network;
  return error instanceof Error && error.message ? error.message : errors.other;
}

export function Fault({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const words = useWords();
  const problem = error instanceof ProblemError ? error.problem : undefined;
  const [left, setLeft] = useState(problem?.retryAfter ?? 0);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1_000);
    return () => clearTimeout(timer);
  }, [left]);
  return (
    <div className="fault" role="alert">
      <p>{sentence(words, error)}{problem?.detail ? ` (${problem.detail})` : ""}</p>
      <button type="button" className="quiet" disabled={left > 0} onClick={onRetry}>{left > 0 ? words.inSeconds(left) : words.retry}</button>
      {problem?.correlationId && <small>{words.reference} <code>{problem.correlationId.slice(0, 12)}</code></small>}
    </div>
  );
}
