// The list of conversations, in the margin, in a panel or in a drawer.
import { type ReactNode, useEffect, useState } from "react";
import { type SessionEntry, deleteSession, listSessions } from "../api/client";
import { useLocale, useWords } from "../i18n";
import { isShown } from "../veil";
import { Icon } from "./icon";
import { Confirm } from "./sheet";

interface ListProps {
  current: string | null;
  /** Grows with each turn, so that the list is read again. */
  changed: number;
  /** Whether a field to find one is offered. */
  searchable?: boolean;
  onOpen: (id: string | null) => void;
}

/** The index hears of a turn a moment after its end. */
const INDEXED_MS = 1_500;

export function HistoryList({ current, changed, searchable = false, onOpen }: ListProps) {
  const words = useWords();
  const locale = useLocale();
  const [entries, setEntries] = useState<SessionEntry[]>([]);
  const [asked, setAsked] = useState<SessionEntry | null>(null);
  const [sought, setSought] = useState("");
  useEffect(() => {
    if (!current) return;
    const load = () => listSessions().then(setEntries, () => {});
    void load();
    const again = setTimeout(load, INDEXED_MS);
    return () => clearTimeout(again);
  }, [current, changed]);

  const remove = async (entry: SessionEntry) => {
    setAsked(null);
    await deleteSession(entry.session_id);
    setEntries((all) => all.filter((other) => other !== entry));
    if (entry.session_id === current) onOpen(null);
  };
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const title = (entry: SessionEntry) => entry.title ?? words.untitled;
  const kept = entries.filter((entry) => isShown(entry.session_id) && (entry.turns > 0 || entry.session_id === current));
  const shown = kept.filter((entry) => title(entry).toLocaleLowerCase(locale).includes(sought.trim().toLocaleLowerCase(locale)));
  return (
    <>
      {searchable && kept.length > 5 && <input type="search" className="search" value={sought} placeholder={words.search} aria-label={words.search} onChange={(event) => setSought(event.target.value)} />}
      <ul className="entries">
        {shown.map((entry) => (
          <li key={entry.session_id} className={entry.session_id === current ? "here" : undefined}>
            <button type="button" className="entry" aria-current={entry.session_id === current ? "page" : undefined} onClick={() => onOpen(entry.session_id)}>
              <span><bdi>{title(entry)}</bdi></span>
              <time dateTime={entry.last_active_at}>{day.format(new Date(entry.last_active_at))}</time>
            </button>
            <button type="button" className="icon" aria-label={`${words.remove}: ${title(entry)}`} onClick={() => setAsked(entry)}><Icon name="close" /></button>
          </li>
        ))}
        {sought !== "" && shown.length === 0 && <li className="none">{words.noneFound}</li>}
      </ul>
      {asked && <Confirm title={words.remove} text={words.removeAsk} onClose={() => setAsked(null)} onYes={() => void remove(asked)} />}
    </>
  );
}

interface PanelProps extends ListProps {
  open: boolean;
  onClose: () => void;
  /** What stands above the list. */
  children?: ReactNode;
  onSheet: (sheet: "settings" | "plans" | "keys") => void;
}

/** Beside the conversation where there is room, else a drawer. */
export function HistoryPanel({ open, onClose, onSheet, children, ...list }: PanelProps) {
  const words = useWords();
  useEffect(() => {
    if (!open) return;
    const keys = (event: KeyboardEvent) => { if (event.key === "Escape") onClose(); };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, [open, onClose]);
  return (
    <>
      {open && <div className="veil" onClick={onClose} />}
      <nav className={open ? "side open" : "side"} aria-label={words.history}>
        {children}
        <button type="button" className="fresh" onClick={() => list.onOpen(null)}><Icon name="plus" />{words.fresh}</button>
        <HistoryList {...list} />
        <div className="more">
          <button type="button" onClick={() => onSheet("settings")}><Icon name="settings" />{words.settings}</button>
          <button type="button" onClick={() => onSheet("plans")}><Icon name="plans" />{words.plans.title}</button>
          <button type="button" className="keys-button" onClick={() => onSheet("keys")}><Icon name="keys" />{words.keysTitle}</button>
        </div>
      </nav>
    </>
  );
}
