// Where a person writes, or speaks.
import { type FormEvent, type KeyboardEvent, type ReactNode, type Ref, useEffect, useImperativeHandle, useRef, useState } from "react";
import { Icon } from "../components/icon";
import { useWords } from "../i18n";
import { hear } from "../presence";
import { useUi } from "../variants";

/** Puts a line into the composer, after what is there. */
export interface Draft {
  insert: (line: string) => void;
}

interface Props {
  ref?: Ref<Draft>;
  busy: boolean;
  initial: string;
  editing: boolean;
  /** Above the line: what is heard and said. */
  above?: ReactNode;
  /** Before the last button. */
  button?: ReactNode;
  onSend: (text: string) => void;
  onStop: () => void;
  onCancel: () => void;
}

const MAX = 8_000;
/** Pixels; beyond it the text scrolls in its box. */
const TALLEST = 220;

export function Composer({ ref, busy, initial, editing, above, button, onSend, onStop, onCancel }: Props) {
  const words = useWords();
  const { position } = useUi();
  const [text, setText] = useState(initial);
  const box = useRef<HTMLTextAreaElement>(null);
  useImperativeHandle(ref, () => ({
    insert: (line) => {
      setText((now) => (now.trim() === "" ? line : `${now.trimEnd()}\n${line}`));
      box.current?.focus();
    },
  }), []);
  // A screen without a mouse has a key of its own for a new line and none for sending.
  const touch = matchMedia("(pointer: coarse)").matches;
  useEffect(() => { if (!touch || editing) box.current?.focus({ preventScroll: !editing }); }, [touch, editing]);
  useEffect(() => {
    const field = box.current;
    if (!field) return;
    field.style.blockSize = "auto";
    field.style.blockSize = `${Math.min(field.scrollHeight, TALLEST)}px`;
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
  const write = (next: string) => {
    setText(next);
    hear();
  };
  return (
    <form className="composer" data-position={position} onSubmit={send}>
      {editing && <p className="editing">{words.editing} <button type="button" className="link" onClick={onCancel}>{words.cancel}</button></p>}
      <div className="pill">
        {above}
        <textarea ref={box} rows={1} dir={text ? "auto" : undefined} value={text} maxLength={MAX} placeholder={words.placeholder} aria-label={words.message} onChange={(event) => write(event.target.value)} onKeyDown={keys} />
        {button}
        {busy
          ? <button type="button" className="round" onClick={onStop} aria-label={words.stop}><Icon name="stop" /></button>
          : <button type="submit" className="round" disabled={text.trim() === ""} aria-label={words.send}><Icon name="send" /></button>}
      </div>
    </form>
  );
}
