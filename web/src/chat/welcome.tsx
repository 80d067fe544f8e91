// The empty page: a presence over still water, a question, and ways to begin.
import type { ReactNode } from "react";
import { useWords } from "../i18n";
import { Face } from "./face";
import { Topics } from "./topics";

interface Props {
  starters: string[];
  /** The composer, where it stands on the page itself. */
  children: ReactNode;
  onSay: (line: string) => void;
  onDraft: (line: string) => void;
}

export function Welcome({ starters, children, onSay, onDraft }: Props) {
  const words = useWords();
  return (
    <section className="welcome">
      <div className="water">
        <Face size="large" />
        <div className="mirror"><Face size="large" /></div>
      </div>
      <h1>{words.greeting}</h1>
      <p>{words.greetingMore}</p>
      {children}
      <ul className="starters" aria-label={words.startersTitle}>{starters.map((line) => <li key={line}><button type="button" dir="auto" onClick={() => onSay(line)}>{line}</button></li>)}</ul>
      <Topics onPick={onDraft} />
    </section>
  );
}
