// Something above the conversation, which goes on underneath. The way out is in it too: a modal dialog makes the rest inert.
import { type ReactNode, useEffect, useId, useRef } from "react";
import { useWords } from "../i18n";
import { Icon } from "./icon";
import { leave } from "./quick-exit";

export const LeaveButton = () => {
  const words = useWords();
  return <button type="button" className="leave" title={words.leaveHint} onClick={leave}>{words.leave}<Icon name="away" /></button>;
};

interface Props {
  title: string;
  /** A page of its own, rather than a short question. */
  wide?: boolean;
  children: ReactNode;
  onClose: () => void;
}

export function Sheet({ title, wide = false, children, onClose }: Props) {
  const words = useWords();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // Not the first button: that one leaves.
    heading.current?.focus();
  }, []);
  return (
    <dialog ref={dialog} className={wide ? "sheet wide" : "sheet"} onClose={onClose} aria-labelledby={id} onClick={(event) => { if (event.target === dialog.current) dialog.current?.close(); }}>
      <div className="sheet-body">
        <header>
          <h2 id={id} ref={heading} tabIndex={-1}>{title}</h2>
          <span className="spring" />
          <LeaveButton />
          <button type="button" className="icon" aria-label={words.close} onClick={() => dialog.current?.close()}><Icon name="close" /></button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm({ title, text, onClose, onYes }: { title: string; text: string; onClose: () => void; onYes: () => void }) {
  const words = useWords();
  return (
    <Sheet title={title} onClose={onClose}>
      <p>{text}</p>
      <div className="choices">
        <button type="button" className="quiet" onClick={onClose}>{words.cancel}</button>
        <button type="button" className="danger" onClick={onYes}>{title}</button>
      </div>
    </Sheet>
  );
}

const KEYS = [["Enter", "enter"], ["Shift + Enter", "shiftEnter"], ["Ctrl / ⌘ + K", "fresh"], ["Esc", "esc"], ["Esc Esc", "escEsc"], ["?", "help"]] as const;

export function Keys() {
  const words = useWords();
  return <dl className="keys">{KEYS.map(([key, does]) => <div key={key}><dt><kbd dir="ltr">{key}</kbd></dt><dd>{words.keys[does]}</dd></div>)}</dl>;
}
