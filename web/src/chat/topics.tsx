// Themes to begin with, in one of three forms. A line goes into the composer, where it can be changed before it is sent.
import { type KeyboardEvent, useId, useRef, useState } from "react";
import { Icon } from "../components/icon";
import { useWords } from "../i18n";
import { TOPICS, type TopicId } from "../topics";
import { useUi } from "../variants";

interface Props {
  onPick: (line: string) => void;
}

function Lines({ lines, onPick }: Props & { lines: readonly string[] }) {
  return <ul className="lines">{lines.map((line) => <li key={line}><button type="button" onClick={() => onPick(line)}>{line}</button></li>)}</ul>;
}

/** One list: a line of each theme, then all of them. */
function Flat({ onPick }: Props) {
  const { topics, topicsMore } = useWords();
  const [all, setAll] = useState(false);
  return (
    <>
      <ul className="lines flat">
        {TOPICS.flatMap((id) => (all ? topics[id].lines : topics[id].lines.slice(0, 1)).map((line) => (
          <li key={line}><button type="button" onClick={() => onPick(line)}><small>{topics[id].name}</small>{line}</button></li>
        )))}
      </ul>
      {!all && <button type="button" className="link" onClick={() => setAll(true)}>{topicsMore}</button>}
    </>
  );
}

/** Themes first; one of them opens its lines. */
function DrillDown({ onPick }: Props) {
  const { topics, back } = useWords();
  const [open, setOpen] = useState<TopicId | null>(null);
  if (open === null) return <ul className="themes">{TOPICS.map((id) => <li key={id}><button type="button" onClick={() => setOpen(id)}>{topics[id].name}<Icon name="back" /></button></li>)}</ul>;
  return (
    <div className="drilled">
      {/* The focus moves with what replaced its place. */}
      <button type="button" autoFocus className="up" onClick={() => setOpen(null)}><Icon name="back" /><span className="unseen">{back}: </span>{topics[open].name}</button>
      <Lines lines={topics[open].lines} onPick={onPick} />
    </div>
  );
}

/** A tab for each theme (the tabs pattern of the ARIA Authoring Practices). */
function Tabs({ onPick }: Props) {
  const { topics, topicsTitle } = useWords();
  const [open, setOpen] = useState<TopicId>(TOPICS[0]);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const keys = (event: KeyboardEvent) => {
    const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = forward === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    const at = TOPICS.indexOf(open);
    const to = { [forward]: at + 1, [back]: at - 1 + TOPICS.length, Home: 0, End: TOPICS.length - 1 }[event.key];
    const next = to === undefined ? undefined : TOPICS[to % TOPICS.length];
    if (!next) return;
    event.preventDefault();
    setOpen(next);
    list.current?.querySelector<HTMLElement>(`[data-topic="${next}"]`)?.focus();
  };
  return (
    <div className="tabs">
      <div role="tablist" aria-label={topicsTitle} ref={list} onKeyDown={keys}>
        {TOPICS.map((topic) => (
          <button key={topic} type="button" role="tab" data-topic={topic} id={`${id}${topic}`} aria-selected={topic === open} aria-controls={`${id}panel`} tabIndex={topic === open ? 0 : -1} onClick={() => setOpen(topic)}>{topics[topic].name}</button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}panel`} aria-labelledby={`${id}${open}`}><Lines lines={topics[open].lines} onPick={onPick} /></div>
    </div>
  );
}

const FORMS = { flat: Flat, "drill-down": DrillDown, tabs: Tabs };

export function Topics({ onPick }: Props) {
  const { topicsTitle } = useWords();
  const form = useUi().topics;
  const Form = FORMS[form];
  const id = useId();
  return (
    <section className="topics" data-form={form} aria-labelledby={id}>
      <h2 id={id}>{topicsTitle}</h2>
      <Form onPick={onPick} />
    </section>
  );
}
