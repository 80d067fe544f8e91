// What an owner does with a twin, and everybody with their memory.
import { type DragEvent, useCallback, useEffect, useState } from "react";
import { Icon } from "../src/components/icon";
import { Confirm, Sheet } from "../src/components/sheet";
import { useLocale, useWords } from "../src/i18n";
import { type Fact, type Share, type Twin, createShare, deleteTwin, exportUrl, forget, listFacts, listShares, readTwin, reason, revokeShare, saveTwin } from "./api";
import { useTwinWords } from "./words";

const LINK_DAYS = 30;

/** Runs what may fail, and keeps why it did. */
function useTrying() {
  const [fault, setFault] = useState("");
  const tried = useCallback(async <T,>(work: () => Promise<T>): Promise<T | undefined> => {
    setFault("");
    try {
      return await work();
    } catch (error) {
      setFault(reason(error));
      return undefined;
    }
  }, []);
  return [fault, tried] as const;
}

const Wrong = ({ text }: { text: string }) => (text ? <p className="wrong" role="alert">{text}</p> : null);

const useDay = () => {
  const locale = useLocale();
  return (at: string) => new Date(at).toLocaleDateString(locale, { dateStyle: "medium" });
};

export function Persona({ twin, onSaved, onDeleted, onClose }: { twin?: Twin; onSaved: (twin: Twin) => void; onDeleted: () => void; onClose: () => void }) {
  const words = useTwinWords();
  const [source, setSource] = useState("");
  const [over, setOver] = useState(false);
  const [asks, setAsks] = useState(false);
  const [fault, tried] = useTrying();
  const id = twin?.twin_id;
  useEffect(() => {
    if (id) void tried(() => readTwin(id)).then((whole) => setSource(whole?.source ?? ""));
  }, [id, tried]);
  const save = async (persona: File | string) => {
    const saved = await tried(() => saveTwin(persona, id));
    if (saved) onSaved(saved);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer.files[0];
    if (file) void save(file);
  };
  if (asks && id) {
    return <Confirm title={words.remove} text={words.removeMore} onClose={() => setAsks(false)} onYes={() => void tried(() => deleteTwin(id)).then(onDeleted)} />;
  }
  return (
    <Sheet title={twin?.name ?? words.fresh} wide onClose={onClose}>
      <div className="group">
        <p>{words.personaMore}</p>
        <label className="drop" data-over={over || undefined} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
          <Icon name="save" />{words.file}
          <input type="file" accept=".txt,.md,.json,.png,text/plain,text/markdown,application/json,image/png" onChange={(event) => { const file = event.target.files?.[0]; if (file) void save(file); }} />
        </label>
        <label className="typed"><span className="note">{words.or}</span>
          <textarea rows={11} dir="auto" value={source} placeholder={words.example} onChange={(event) => setSource(event.target.value)} />
        </label>
        <Wrong text={fault} />
        <div className="choices">
          <button type="button" className="quiet main" disabled={source.trim() === ""} onClick={() => void save(source)}>{id ? words.save : words.create}</button>
        </div>
      </div>
      {id && (
        <div className="group">
          <h3>{words.download}</h3>
          <div className="choices start">
            <a className="quiet" href={exportUrl(id, "json")} download><Icon name="save" />JSON</a>
            <a className="quiet" href={exportUrl(id, "png")} download><Icon name="save" />PNG</a>
            <button type="button" className="quiet grave" onClick={() => setAsks(true)}><Icon name="trash" />{words.remove}</button>
          </div>
        </div>
      )}
    </Sheet>
  );
}

export function Links({ twin, onClose }: { twin: Twin; onClose: () => void }) {
  const words = useTwinWords();
  const common = useWords();
  const day = useDay();
  const [shares, setShares] = useState<Share[] | null>(null);
  const [copied, setCopied] = useState("");
  const [fault, tried] = useTrying();
  const id = twin.twin_id;
  const load = useCallback(() => tried(() => listShares(id)).then((found) => { if (found) setShares(found); }), [id, tried]);
  useEffect(() => void load(), [load]);
  const copy = (url: string) => void navigator.clipboard.writeText(url).then(() => setCopied(url));
  return (
    <Sheet title={`${twin.name}: ${words.links}`} onClose={onClose}>
      <p className="note">{words.linksMore}</p>
      <ul className="rows">
        {shares?.map(({ share_id, url, expires_at }) => (
          <li key={share_id}>
            <a href={url}>{words.until(day(expires_at))}</a>
            <button type="button" className="icon" aria-label={common.copy} onClick={() => copy(url)}><Icon name={copied === url ? "check" : "copy"} /></button>
            <button type="button" className="link" onClick={() => void tried(() => revokeShare(id, share_id)).then(load)}>{words.revoke}</button>
          </li>
        ))}
        {shares?.length === 0 && <li className="note">{words.noLinks}</li>}
      </ul>
      <Wrong text={fault} />
      <div className="choices"><button type="button" className="quiet main" onClick={() => void tried(() => createShare(id, LINK_DAYS)).then(load)}><Icon name="plus" />{words.newLink(LINK_DAYS)}</button></div>
    </Sheet>
  );
}

export function Memory({ onClose }: { onClose: () => void }) {
  const words = useTwinWords();
  const day = useDay();
  const [facts, setFacts] = useState<Fact[] | null>(null);
  const [fault, tried] = useTrying();
  const load = useCallback(() => tried(listFacts).then((found) => { if (found) setFacts(found); }), [tried]);
  useEffect(() => void load(), [load]);
  return (
    <Sheet title={words.facts} onClose={onClose}>
      <p className="note">{words.factsMore}</p>
      <ul className="rows">
        {facts?.map(({ fact_id, kind, value, source }) => (
          <li key={fact_id}>
            <p><b>{kind}: <bdi>{value}</bdi></b><small>{words.from(day(source.at), source.event_id)}</small></p>
            <button type="button" className="link" onClick={() => void tried(() => forget(fact_id)).then(load)}>{words.forget}</button>
          </li>
        ))}
        {facts?.length === 0 && <li className="note">{words.noFacts}</li>}
      </ul>
      <Wrong text={fault} />
    </Sheet>
  );
}
