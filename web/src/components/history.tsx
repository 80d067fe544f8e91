// The list of conversations, and what a person may do with all of them.
import { useEffect, useState } from "react";
import { EXPORT_URL, type SessionEntry, deleteSession, eraseMe, listSessions } from "../api/client";
import { words } from "../messages";
import { Confirm } from "./dialogs";

interface Props {
  current: string | null;
  open: boolean;
  onOpen: (id: string | null) => void;
  onClose: () => void;
  onHelp: () => void;
}

const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export function History({ current, open, onOpen, onClose, onHelp }: Props) {
  const [entries, setEntries] = useState<SessionEntry[]>([]);
  const [asked, setAsked] = useState<SessionEntry | "all" | null>(null);
  useEffect(() => {
    // The index hears of a turn a moment after its end.
    const load = () => listSessions().then(setEntries, () => {});
    void load();
    const again = setTimeout(load, 1_500);
    return () => clearTimeout(again);
  }, [current]);

  const remove = async (entry: SessionEntry) => {
    await deleteSession(entry.session_id);
    setEntries((all) => all.filter((other) => other !== entry));
    setAsked(null);
    if (entry.session_id === current) onOpen(null);
  };
  const erase = async () => {
    await eraseMe();
    localStorage.clear();
    location.replace("/");
  };
  const shown = entries.filter((entry) => entry.turns > 0 || entry.session_id === current);

  return (
    <>
      {open && <div className="veil" onClick={onClose} />}
      <nav className={open ? "side open" : "side"} aria-label={words.history}>
        <button type="button" className="fresh" onClick={() => onOpen(null)}><span aria-hidden="true">+ </span>{words.fresh}</button>
        <ul>
          {shown.map((entry) => (
            <li key={entry.session_id} className={entry.session_id === current ? "here" : undefined}>
              <button type="button" className="entry" aria-current={entry.session_id === current ? "page" : undefined} onClick={() => onOpen(entry.session_id)}>
                <span>{entry.title ?? words.untitled}</span>
                <time dateTime={entry.last_active_at}>{day.format(new Date(entry.last_active_at))}</time>
              </button>
              <button type="button" className="icon" aria-label={`${words.remove}: ${entry.title ?? words.untitled}`} onClick={() => setAsked(entry)}>×</button>
            </li>
          ))}
        </ul>
        <section aria-label={words.yours} className="yours">
          <a href={EXPORT_URL} download>{words.export}</a>
          <button type="button" onClick={() => setAsked("all")}>{words.erase}</button>
          <button type="button" onClick={onHelp}>{words.help}</button>
        </section>
      </nav>
      {asked === "all" && <Confirm title={words.erase} text={words.eraseAsk} word={words.eraseWord} onClose={() => setAsked(null)} onYes={() => void erase()} />}
      {asked !== null && asked !== "all" && <Confirm title={words.remove} text={words.removeAsk} onClose={() => setAsked(null)} onYes={() => void remove(asked)} />}
    </>
  );
}
