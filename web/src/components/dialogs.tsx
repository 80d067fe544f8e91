import { type ReactNode, useEffect, useRef, useState } from "react";
import { words } from "../messages";

function Dialog({ title, children, onClose }: { title: string; children: ReactNode; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => { dialog.current?.showModal(); }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="dialog-title">
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={words.help} onClose={onClose}>
      <dl className="keys">{words.keys.map(([key, does]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div>)}</dl>
      <form method="dialog"><button type="submit" className="quiet">{words.close}</button></form>
    </Dialog>
  );
}

/** Asks before something that cannot be undone; `word` has to be typed where it is given. */
export function Confirm({ title, text, word, onClose, onYes }: { title: string; text: string; word?: string; onClose: () => void; onYes: () => void }) {
  const [typed, setTyped] = useState("");
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      {word && <label className="typed">{words.eraseType}<input value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" /></label>}
      <div className="choices">
        <button type="button" className="quiet" onClick={onClose}>{words.cancel}</button>
        <button type="button" className="danger" disabled={word !== undefined && typed !== word} onClick={onYes}>{title}</button>
      </div>
    </Dialog>
  );
}
