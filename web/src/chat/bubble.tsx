// One message with what can be done with it.
import { Suspense, lazy, useState } from "react";
import { type Message, rateTurn } from "../api/client";
import { words } from "../messages";
import { SafetyCard } from "./safety-card";

const markdown = () => import("./markdown");
const Markdown = lazy(markdown);
// Fetched while the person still writes, so that no answer is ever seen as raw Markdown.
if (typeof requestIdleCallback === "function") requestIdleCallback(() => void markdown());
else setTimeout(() => void markdown(), 200);

export const textOf = (message: Message | undefined): string => message?.parts.map((part) => (part.type === "text" ? part.text : "")).join("") ?? "";

interface Props {
  message: Message;
  session: string;
  live: boolean;
  onRegenerate?: () => void;
  onEdit?: () => void;
}

export function Bubble({ message, session, live, onRegenerate, onEdit }: Props) {
  const text = textOf(message);
  const mine = message.role === "user";
  const status = message.metadata?.status;
  const note = mine || live ? undefined : status === "stopped" ? words.stopped : status === "interrupted" ? words.interrupted : status === "failed" ? words.failed : undefined;
  return (
    <li className={mine ? "said" : "heard"} data-status={status} aria-busy={live}>
      <span className="unseen">{mine ? words.you : words.listener}</span>
      {mine ? <p className="text">{text}</p> : text && <div className="text"><Suspense fallback={<p>{text}</p>}><Markdown text={text} /></Suspense></div>}
      {message.parts.map((part, index) => (part.type === "data-safety" && part.data.resources.length > 0 ? <SafetyCard key={index} {...part.data} /> : null))}
      {message.parts.map((part, index) => (part.type === "data-disclosure" ? <p key={index} className="note" role="note">{part.data.text}</p> : null))}
      {note && <p className="note">{note} {onRegenerate && <button type="button" className="link" onClick={onRegenerate}>{words.retry}</button>}</p>}
      {!live && <Actions message={message} session={session} text={text} mine={mine} onRegenerate={note ? undefined : onRegenerate} onEdit={onEdit} />}
    </li>
  );
}

function Actions({ message, session, text, mine, onRegenerate, onEdit }: { message: Message; session: string; text: string; mine: boolean; onRegenerate?: () => void; onEdit?: () => void }) {
  const [copied, setCopied] = useState(false);
  const [thumb, setThumb] = useState<"up" | "down" | null>(null);
  const turn = message.metadata?.turn_id;
  const rate = (next: "up" | "down") => {
    if (!turn) return;
    setThumb(next);
    rateTurn(session, turn, next).catch(() => setThumb(null));
  };
  const copy = () => void navigator.clipboard.writeText(text).then(() => { setCopied(true); setTimeout(() => setCopied(false), 1_500); });
  return (
    <div className="actions">
      {onEdit && <button type="button" onClick={onEdit}>{words.edit}</button>}
      {!mine && text && <button type="button" onClick={copy}>{copied ? words.copied : words.copy}</button>}
      {onRegenerate && <button type="button" onClick={onRegenerate}>{words.regenerate}</button>}
      {!mine && text && turn && (
        <>
          <button type="button" aria-pressed={thumb === "up"} aria-label={words.helpful} onClick={() => rate("up")}>👍</button>
          <button type="button" aria-pressed={thumb === "down"} aria-label={words.unhelpful} onClick={() => rate("down")}>👎</button>
        </>
      )}
    </div>
  );
}
