import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { words } from "../messages";

interface Props {
  busy: boolean;
  initial: string;
  editing: boolean;
  onSend: (text: string) => void;
  onStop: () => void;
  onCancel: () => void;
}

const MAX = 8_000;

export function Composer({ busy, initial, editing, onSend, onStop, onCancel }: Props) {
  const [text, setText] = useState(initial);
  const box = useRef<HTMLTextAreaElement>(null);
  // A screen without a mouse has a key of its own for a new line and none for sending.
  const touch = matchMedia("(pointer: coarse)").matches;
  useEffect(() => { if (!touch || editing) box.current?.focus(); }, [touch, editing]);
  useEffect(() => {
    const field = box.current;
    if (!field) return;
    field.style.blockSize = "auto";
    field.style.blockSize = `${Math.min(field.scrollHeight, 220)}px`;
  }, [text]);

  const send = (event?: FormEvent) => {
    event?.preventDefault();
    const said = text.trim();
    if (!said || busy) return;
    setText("");
    onSend(said);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !touch && !event.nativeEvent.isComposing) send(event);
  };
  return (
    <form className="composer" onSubmit={send}>
      {editing && <p className="editing">{words.editing} <button type="button" className="link" onClick={onCancel}>{words.cancel}</button></p>}
      <div className="pill">
        <textarea ref={box} rows={1} value={text} maxLength={MAX} placeholder={words.placeholder} aria-label={words.message} onChange={(event) => setText(event.target.value)} onKeyDown={keys} />
        {busy
          ? <button type="button" className="round" onClick={onStop} aria-label={words.stop}><span aria-hidden="true">■</span></button>
          : <button type="submit" className="round" disabled={text.trim() === ""} aria-label={words.send}><span aria-hidden="true">↑</span></button>}
      </div>
    </form>
  );
}
