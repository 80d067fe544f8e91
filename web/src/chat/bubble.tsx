// One message with what can be done with it.
import { Suspense, lazy, useState } from "react";
import type { Message } from "../api/client";
import { Icon } from "../components/icon";
import { useLanguage, useWords } from "../i18n";
import { useUi } from "../variants";
import { useSettling } from "./ghost";
import { SafetyCard } from "./safety-card";

const markdown = () => import("./markdown");
const Markdown = lazy(markdown);
// Fetched while the person still writes, so that no answer is ever seen as raw Markdown.
if (typeof requestIdleCallback === "function") requestIdleCallback(() => void markdown());
else setTimeout(() => void markdown(), 200);

export const textOf = (message: Message | undefined): string => message?.parts.map((part) => (part.type === "text" ? part.text : "")).join("") ?? "";

/** Whether a message is about safety: then nothing else asks for attention. */
export const isSafety = (message: Message | undefined): boolean =>
  (message?.metadata?.crisis_level ?? 0) >= 2 || (message?.parts.some((part) => part.type === "data-safety" && part.data.resources.length > 0) ?? false);

/** Whether an answer has anything to show yet. */
export const hasBegun = (message: Message | undefined): boolean => message?.role === "assistant" && (textOf(message) !== "" || isSafety(message));

interface Props {
  message: Message;
  live: boolean;
  onRegenerate?: () => void;
  onEdit?: () => void;
}

export function Bubble({ message, live, onRegenerate, onEdit }: Props) {
  const words = useWords();
  const language = useLanguage();
  const { ghost } = useUi();
  const text = textOf(message);
  const mine = message.role === "user";
  const shown = useSettling(text, live && !mine && ghost === "scramble" && !isSafety(message));
  const status = message.metadata?.status;
  const note = mine || live ? undefined : status === "stopped" ? words.stopped : status === "interrupted" ? words.interrupted : status === "failed" ? words.failed : undefined;
  return (
    <li className={mine ? "said" : "heard"} data-status={status} data-ghost={live ? ghost : undefined} aria-busy={live}>
      <span className="unseen">{mine ? words.you : words.listener}</span>
      {mine ? <p className="text" dir="auto">{text}</p> : text && <div className="text" dir="auto"><Suspense fallback={<p>{shown}</p>}><Markdown text={shown} /></Suspense></div>}
      {message.parts.map((part, index) => (part.type === "data-safety" && part.data.resources.length > 0 ? <SafetyCard key={index} {...part.data} /> : null))}
      {message.parts.map((part, index) => (part.type === "data-disclosure" ? <p key={index} className="note" role="note">{language === "en" ? part.data.text : `${words.ai} ${words.aiMore}`}</p> : null))}
      {note && <p className="note">{note} {onRegenerate && <button type="button" className="link" onClick={onRegenerate}>{words.retry}</button>}</p>}
      {!live && <Actions text={text} mine={mine} onRegenerate={note ? undefined : onRegenerate} onEdit={onEdit} />}
    </li>
  );
}

function Actions({ text, mine, onRegenerate, onEdit }: { text: string; mine: boolean; onRegenerate?: () => void; onEdit?: () => void }) {
  const words = useWords();
  const [copied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => { setCopied(true); setTimeout(() => setCopied(false), 1_500); });
  return (
    <div className="actions">
      {onEdit && <button type="button" onClick={onEdit}><Icon name="edit" />{words.edit}</button>}
      {!mine && text && <button type="button" onClick={copy}><Icon name={copied ? "check" : "copy"} />{copied ? words.copied : words.copy}</button>}
      {onRegenerate && <button type="button" onClick={onRegenerate}><Icon name="again" />{words.regenerate}</button>}
    </div>
  );
}
