// The one way to change something: says what will happen, asks why, and keeps what was typed until it is done.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useId, useMemo, useRef, useState, type FormEvent, type ReactNode } from "react";
import { Link } from "wouter";
import { Keyring, get, path as pathOf, send, type Ask } from "../api/client";
import { isOpen } from "../api/changes";
import { Problem, asProblem } from "../api/problem";
import type { Outcome, Variant } from "../api/types";
import { changedRows, diff, visible } from "../lib/diff";
import { signedPoints } from "../lib/format";
import { DiffRows } from "../ui/diff";
import { Sheet } from "../ui/dialog";
import { Fault } from "../ui/fault";
import { Icon } from "../ui/icon";

/** A change of a share by more than so many points has to be confirmed. */
export const LARGE_STEP = 25;
const REASON = { min: 3, max: 500 };

export interface Action {
  title: string;
  /** What the button says. */
  verb: string;
  method?: "POST" | "PATCH" | "DELETE";
  path: string;
  body?: Record<string, unknown>;
  /** The variant as the admin saw it; its version is sent, and a newer one is shown. */
  seen?: Variant;
  /** What will happen. */
  tells?: ReactNode;
  /** By how many points the share changes. */
  points?: number;
  isBad?: boolean;
  /** What is said when it is done. */
  said: string;
  onDone?: (outcome: Outcome) => void;
}

interface Toast { text: string; waits: boolean }
const Context = createContext<(action: Action) => void>(() => undefined);
export const useAct = () => useContext(Context);

export function ActProvider({ children }: { children: ReactNode }) {
  const [action, setAction] = useState<Action | null>(null);
  const [toast, setToast] = useState<Toast | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const act = useCallback((next: Action) => { setToast(null); setAction(next); }, []);
  const done = useCallback((outcome: Outcome, finished: Action) => {
    setAction(null);
    setToast({ text: outcome.change?.state === "waiting" ? `${finished.title}: it waits.` : finished.said, waits: outcome.change !== undefined && isOpen(outcome.change) });
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setToast(null), 12_000);
    finished.onDone?.(outcome);
  }, []);
  return (
    <Context value={act}>
      {children}
      {action && <ActSheet action={action} onClose={() => setAction(null)} onDone={done} />}
      <div role="status" className="pointer-events-none fixed inset-x-0 bottom-20 z-20 flex justify-center px-4 lg:bottom-6">
        {toast && (
          <p className="panel pointer-events-auto flex items-center gap-3 px-4 py-2.5 shadow-(--shade)">
            <span className={toast.waits ? "text-warn" : "text-good"}><Icon name={toast.waits ? "wait" : "check"} /></span>
            <span>{toast.text} {toast.waits && <Link href="/approvals" className="font-medium text-accent">See approvals</Link>}</span>
            <button type="button" className="btn btn-quiet btn-small" aria-label="Dismiss" onClick={() => setToast(null)}><Icon name="cross" size={14} /></button>
          </p>
        )}
      </div>
    </Context>
  );
}

function ActSheet({ action, onClose, onDone }: { action: Action; onClose: () => void; onDone: (outcome: Outcome, action: Action) => void }) {
  const client = useQueryClient();
  const ids = { reason: useId(), flaw: useId(), confirm: useId() };
  const [reason, setReason] = useState("");
  const [isConfirmed, setConfirmed] = useState(false);
  const [mustConfirm, setMustConfirm] = useState(Math.abs(action.points ?? 0) > LARGE_STEP);
  const [flaw, setFlaw] = useState<"reason" | "confirm" | null>(null);
  // The variant that the next request is about, and the one that it was before somebody else changed it.
  const [seen, setSeen] = useState(action.seen);
  const [older, setOlder] = useState<Variant | null>(null);
  const keys = useMemo(() => new Keyring(), []);
  const reasonField = useRef<HTMLTextAreaElement>(null);
  const confirmField = useRef<HTMLInputElement>(null);

  const mutation = useMutation({
    mutationFn: async () => {
      const ask: Ask = {
        method: action.method ?? "POST", path: action.path,
        body: { ...action.body, reason: reason.trim(), ...(mustConfirm && isConfirmed ? { confirm: true } : {}) },
        ...(seen ? { version: seen.version } : {}),
      };
      return send<Outcome>({ ...ask, key: keys.of(ask) });
    },
    onSuccess: ({ body }) => {
      for (const key of ["variants", "categories", "changes", "audit", "explain", "dead-letters", "workflows", "alerts"]) void client.invalidateQueries({ queryKey: [key] });
      onDone(body, action);
    },
    onError: async (error) => {
      const problem = asProblem(error);
      if (problem.slug === "confirmation-required") setMustConfirm(true);
      if (problem.status === 412 && seen) {
        // What changed is shown; the next try is on top of it.
        const now = await get<Variant>(pathOf("variants", seen.category, seen.id)).catch(() => null);
        if (now) { setOlder(seen); setSeen(now); }
        void client.invalidateQueries({ queryKey: ["variants"] });
      }
    },
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (mutation.isPending) return;
    const { length } = reason.trim();
    if (length < REASON.min || length > REASON.max) { setFlaw("reason"); reasonField.current?.focus(); return; }
    if (mustConfirm && !isConfirmed) { setFlaw("confirm"); confirmField.current?.focus(); return; }
    setFlaw(null);
    mutation.mutate();
  };

  const isStale = mutation.error instanceof Problem && mutation.error.status === 412;
  return (
    <Sheet title={action.title} onClose={onClose}>
      <form onSubmit={submit} noValidate className="space-y-3.5">
        {action.tells && <div className="text-pretty">{action.tells}</div>}
        {isStale && older && seen && (
          <div role="alert" className="rounded-md border-s-3 border-warn bg-warn-soft px-4 py-3">
            <p className="font-medium">Somebody was faster: version {older.version} became {seen.version}.</p>
            <DiffRows rows={changedRows(diff(visible(older), visible(seen)))} before={`Version ${older.version}`} after={`Version ${seen.version}`} label="What changed since" />
            <p className="mt-1">Your change is still here. Send it again to make it on version {seen.version}.</p>
          </div>
        )}
        <div>
          <label className="label" htmlFor={ids.reason}>Why? It is kept in the audit log.</label>
          <textarea ref={reasonField} id={ids.reason} rows={2} className="field" maxLength={REASON.max} value={reason} data-first required aria-invalid={flaw === "reason"} aria-describedby={flaw === "reason" ? ids.flaw : undefined}
            onChange={(event) => { setReason(event.target.value.replaceAll(/[\r\n]+/g, " ")); if (flaw === "reason") setFlaw(null); }}
            onKeyDown={(event) => { if (event.key === "Enter" && !event.nativeEvent.isComposing) { event.preventDefault(); event.currentTarget.form?.requestSubmit(); } }} />
          {flaw === "reason" && <p id={ids.flaw} className="flaw mt-1">Give a reason of {REASON.min} to {REASON.max} characters.</p>}
        </div>
        {mustConfirm && (
          <div className="rounded-md bg-warn-soft px-3 py-2.5">
            <label htmlFor={ids.confirm} className="flex items-start gap-2.5">
              <input ref={confirmField} id={ids.confirm} type="checkbox" className="mt-1" checked={isConfirmed} onChange={(event) => { setConfirmed(event.target.checked); setFlaw(null); }} />
              <span><strong className="font-semibold">{action.points === undefined ? "This is a large step." : `The share moves by ${signedPoints(action.points)} points, more than ${LARGE_STEP}.`}</strong> I mean it.</span>
            </label>
            {flaw === "confirm" && <p className="flaw mt-1" role="alert">Tick the box to go on, or choose a smaller step.</p>}
          </div>
        )}
        {mutation.error && !(isStale && older) && <Fault error={mutation.error} compact />}
        {mutation.isPending && <div className="progress" role="progressbar" aria-label="Working" />}
        <div className="flex flex-wrap justify-end gap-2 pt-1">
          <button type="button" className="btn btn-quiet" onClick={onClose}>Cancel</button>
          <button type="submit" className={`btn ${action.isBad ? "btn-bad" : "btn-main"}`} aria-disabled={mutation.isPending}>
            {mutation.isPending ? "Working…" : isStale && seen ? `${action.verb} on version ${seen.version}` : mutation.error && asProblem(mutation.error).isPassing ? "Try again" : action.verb}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
