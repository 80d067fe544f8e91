// Speaking in a conversation: loads what it needs when it is wanted, and puts spoken turns among the messages.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Message, readSession } from "../api/client";
import { leave, whenLeaving } from "../components/quick-exit";
import type { Call } from "./call";
import { messagesOf, withTurn } from "./messages";
import type { Fault } from "./microphone";
import type { Ending, Trouble, Turn, View } from "./talk";

export const load = () => import("./call");

/** What a person has to be told about it. */
export type Note = Fault | Ending | Trouble;

export interface Voice {
  /** A talk is wanted, also while it is not open yet. */
  on: boolean;
  /** A turn is under way. */
  busy: boolean;
  view: View | null;
  note: Note | null;
  /** Spoken turns that are not among the conversation's messages yet. */
  messages: Message[];
  toggle: () => void;
  end: () => void;
  stop: () => void;
  say: (text: string) => void;
  dismiss: () => void;
  levels: () => { said: number; heard: number };
}

/** Between two pictures of a talk. */
const THROTTLE_MS = 40;
const SILENCE = { said: 0, heard: 0 };

type Change = (how: (now: Message[]) => Message[]) => void;

export function useVoice(session: string, change: Change, onTurn: () => void): Voice {
  const [view, setView] = useState<View | null>(null);
  const [on, setOn] = useState(false);
  const [note, setNote] = useState<Note | null>(null);
  const current = useRef<Call | null>(null);
  const attempt = useRef(0);
  const settled = useRef(new Set<string>());
  const told = useRef({ change, onTurn });
  told.current = { change, onTurn };

  /** Puts a turn that is over among the conversation's messages. */
  const keep = useCallback(async (turn: Turn, from: Call) => {
    if (settled.current.has(turn.key)) return;
    settled.current.add(turn.key);
    const known = await readSession(session).then(({ messages }) => messages, () => []);
    told.current.change((now) => withTurn(now, turn, known));
    from.forget(turn.key);
    told.current.onTurn();
  }, [session]);

  const end = useCallback(() => {
    attempt.current++;
    current.current?.end();
    setOn(false);
  }, []);
  useEffect(() => {
    const stop = whenLeaving(end);
    return () => {
      stop();
      end();
    };
  }, [end]);

  const start = async () => {
    const mine = ++attempt.current;
    setOn(true);
    setNote(null);
    // A talk that is still ending says no more.
    const before = current.current;
    before?.view.turns.forEach((turn) => void keep({ ...turn, outcome: turn.outcome ?? "stopped" }, before));
    current.current = null;
    setView(null);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let own: Call | null = null;
    const changed = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (!own || current.current !== own) return;
        setView(own.view);
        if (own.view.phase === "over" && mine === attempt.current) {
          setOn(false);
          setNote(own.view.ending);
        }
      }, THROTTLE_MS);
    };
    const fail = (why: Note) => {
      if (mine !== attempt.current) return;
      end();
      setNote(why);
    };
    try {
      own = await (await load()).call(session, changed, () => fail("missing"));
    } catch (error) {
      return fail((error as { fault?: Fault }).fault ?? "unreachable");
    }
    // Somebody has changed their mind while the browser asked.
    if (mine !== attempt.current) return own.end();
    current.current = own;
    changed();
  };

  useEffect(() => {
    const call = current.current;
    for (const turn of view?.turns ?? []) {
      if (turn.parts.some(({ type, data }) => type === "data-safety" && (data as { exit?: string }).exit === "leave")) leave();
      if (call && turn.outcome !== null) void keep(turn, call);
    }
  }, [view, keep]);

  const messages = useMemo(() => messagesOf(view?.turns ?? []), [view]);
  return {
    on,
    busy: view?.turns.some(({ outcome }) => outcome === null) || (on && (view?.state === "thinking" || view?.state === "speaking")),
    view,
    note: note ?? (on ? view?.trouble ?? null : null),
    messages,
    toggle: () => (on ? end() : void start()),
    end,
    stop: () => current.current?.stop(),
    say: (text) => current.current?.say(text),
    dismiss: () => setNote(null),
    levels: () => current.current?.levels() ?? SILENCE,
  };
}
