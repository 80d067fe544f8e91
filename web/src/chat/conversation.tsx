// One conversation: useChat over our stream, and everything a person does with its messages.
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { type ComponentType, Suspense, lazy, useEffect, useMemo, useRef, useState } from "react";
import { type Message, type Session, readSession, regionHeader, sessionStreamUrl, stopTurn, turnStreamUrl, turnsUrl } from "../api/client";
import { resumableFetch } from "../api/resumable";
import { Fault } from "../components/fault";
import { leave } from "../components/quick-exit";
import { useWords } from "../i18n";
import { answer } from "../presence";
import { RatingForm } from "../rating/form";
import { useUi } from "../variants";
import { VoiceButton, VoiceNote } from "../voice/button";
import { type Voice, useVoice } from "../voice/use-voice";
import { Bubble, hasBegun, isSafety, textOf } from "./bubble";
import { Composer, type Draft } from "./composer";
import { Ghost } from "./ghost";
import { Welcome } from "./welcome";

// A talk goes on without its picture.
const Strip = lazy<ComponentType<{ voice: Voice }>>(() => import("../voice/strip").catch(() => ({ default: () => null })));
const LEAVE = /^(please |quick,? ?|now )?((close|hide|delete|clear) (this|it|everything|(the|this) (chat|page|screen|conversation))|get me out|(he|she)[’']?s back)( now| please| quick)*[.!]*$/i;

interface Props {
  session: Session;
  /** Whether there is somebody to speak with. */
  speakable: boolean;
  onTurn: () => void;
}

export function Conversation({ session, speakable, onTurn }: Props) {
  const words = useWords();
  const { ghost, position: place } = useUi();
  const id = session.session_id;
  const draft = useRef<Draft>(null);
  const turn = useRef<string | null>(session.active_turn);
  const [lost, setLost] = useState(false);
  const [position, setPosition] = useState(0);
  const [editing, setEditing] = useState(false);
  const [older, setOlder] = useState(session.next);

  const transport = useMemo(() => new DefaultChatTransport<Message>({
    api: turnsUrl(id),
    credentials: "same-origin",
    fetch: resumableFetch({
      streamUrl: (name) => turnStreamUrl(id, name),
      onTurn: (name) => { turn.current = name; },
      onConnection: setLost,
    }),
    // The server keeps the conversation: only what is new is sent, under a key that makes a retry harmless.
    prepareSendMessagesRequest: ({ messages, body }) => ({
      headers: { "idempotency-key": crypto.randomUUID(), ...regionHeader() },
      body: body?.regenerate ? { regenerate: body.regenerate } : { message: textOf(messages.at(-1)), ...(body?.replaces ? { replaces: body.replaces } : {}) },
    }),
    prepareReconnectToStreamRequest: () => ({ api: sessionStreamUrl(id) }),
  }), [id]);

  const chat = useChat<Message>({
    id,
    messages: session.messages,
    transport,
    resume: session.active_turn !== null,
    throttle: 40,
    onData: (part) => {
      if (part.type === "data-turn") setPosition(part.data.position);
      if (part.type === "data-safety" && part.data.exit === "leave") leave();
    },
    onFinish: () => { turn.current = null; setPosition(0); setLost(false); onTurn(); },
  });
  const { status } = chat;
  const voice = useVoice(id, chat.setMessages, onTurn);
  const messages = useMemo(() => {
    const kept = new Set(chat.messages.map((message) => message.id));
    return [...chat.messages, ...voice.messages.filter((message) => !kept.has(message.id))];
  }, [chat.messages, voice.messages]);
  const writes = status === "submitted" || status === "streaming";
  const busy = writes || voice.busy;
  const lastAnswer = messages.findLast((message) => message.role === "assistant");
  const lastSaid = messages.findLast((message) => message.role === "user");

  // The answer's message begins before its first words do.
  const waits = busy && !hasBegun(messages.at(-1));
  const listens = voice.on && voice.view?.phase === "open" && (voice.view.state === "idle" || voice.view.state === "listening");
  useEffect(() => {
    answer(listens ? "listening" : !busy ? null : waits ? "thinking" : "speaking");
    return () => answer(null);
  }, [busy, waits, listens]);

  const stop = async () => {
    if (voice.busy) return voice.stop();
    if (!turn.current) return chat.stop();
    // The stream itself says that it was stopped, with all that was said until then.
    await stopTurn(id, turn.current).catch(() => chat.stop());
  };
  /** What follows a spoken turn stands after it, also when that was not read back yet. */
  const gather = () => {
    if (voice.messages.length > 0) chat.setMessages(messages);
  };
  const answerAgain = () => {
    const replaced = lastAnswer?.metadata?.turn_id;
    gather();
    if (replaced) void chat.regenerate({ body: { regenerate: replaced } });
  };
  const send = (text: string) => {
    // The gate knows many more of these; this one works without a network.
    if (LEAVE.test(text.trim())) return leave();
    chat.clearError();
    // What is written during a talk belongs to it.
    if (voice.on) return voice.say(text);
    gather();
    const replaces = editing ? lastAnswer?.metadata?.turn_id : undefined;
    setEditing(false);
    void chat.sendMessage({ text, ...(replaces && lastSaid ? { messageId: lastSaid.id } : {}) }, replaces ? { body: { replaces } } : undefined);
  };
  /** After an error, what the server has is what counts. */
  const recover = async () => {
    chat.clearError();
    const known = await readSession(id);
    const said = textOf(messages.at(-1));
    const unsent = messages.at(-1)?.role === "user" && textOf(known.messages.findLast((message) => message.role === "user")) !== said;
    chat.setMessages(known.messages);
    if (unsent) send(said);
    else if (known.active_turn) void chat.resumeStream();
  };
  const showOlder = async () => {
    if (!older) return;
    const page = await readSession(id, older);
    setOlder(page.next);
    chat.setMessages((now) => [...page.messages, ...now]);
  };

  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
      if (voice.on) voice.end();
      else if (busy) void stop();
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  });
  const talk = useRef<HTMLDivElement>(null);
  // Follows the answer for as long as the person has not scrolled away from its end.
  const follows = useRef(true);
  const spoken = voice.messages.length;
  useEffect(() => {
    if (status === "submitted" || spoken > 0) follows.current = true;
  }, [status, spoken]);
  useEffect(() => {
    const page = document.documentElement;
    // Only the person moves up; what grows below is no reason to stop following.
    let before = scrollY;
    const moved = () => {
      if (page.scrollHeight - innerHeight - scrollY < 120) follows.current = true;
      else if (scrollY < before) follows.current = false;
      before = scrollY;
    };
    const grown = new ResizeObserver(() => {
      // An empty conversation has no end to follow, and of an answer with help the beginning is what has to be seen.
      const last = talk.current?.querySelector(".messages > li:last-child");
      if (!follows.current || !last) return;
      if (last.querySelector(".care")) last.scrollIntoView({ block: "start" });
      else scrollTo({ top: page.scrollHeight });
    });
    if (talk.current) grown.observe(talk.current);
    addEventListener("scroll", moved, { passive: true });
    return () => { grown.disconnect(); removeEventListener("scroll", moved); };
  }, []);

  const above = speakable && (
    <>
      {voice.on && <Suspense fallback={null}><Strip voice={voice} /></Suspense>}
      <VoiceNote voice={voice} />
    </>
  );
  const composer = (
    <Composer ref={draft} key={editing ? "edit" : "new"} busy={busy} above={above} button={speakable && !editing && <VoiceButton voice={voice} disabled={writes && !voice.on} />} initial={editing ? textOf(lastSaid) : ""} editing={editing} onCancel={() => setEditing(false)} onSend={send} onStop={() => void stop()} />
  );
  const rated = lastAnswer?.metadata?.turn_id;
  const asks = !busy && !editing && !voice.on && !chat.error && rated && lastAnswer === messages.at(-1) && lastAnswer.metadata?.status === "done" && !isSafety(lastAnswer);
  return (
    <>
      {place === "top-fixed" && composer}
      <div className="talk" data-testid="talk" ref={talk}>
        {older && <button type="button" className="quiet" onClick={() => void showOlder()}>{words.older}</button>}
        {messages.length === 0 && !voice.view?.caption && <Welcome starters={session.starters} onSay={send} onDraft={(line) => draft.current?.insert(line)}>{place === "inline" && composer}</Welcome>}
        <ol className="messages">
          {messages.map((message, index) => (waits && message === messages.at(-1) && message.role === "assistant" ? null : (
            <Bubble
              key={message.id}
              message={message}
              live={busy && index === messages.length - 1 && message.role === "assistant"}
              onRegenerate={!busy && !voice.on && message === lastAnswer && !isSafety(message) ? answerAgain : undefined}
              onEdit={!busy && !voice.on && message === lastSaid && lastAnswer ? () => setEditing(true) : undefined}
            />
          )))}
          {voice.view?.caption && <li className="said" data-status="forming"><span className="unseen">{words.you}</span><p className="text" dir="auto">{voice.view.caption}</p></li>}
        </ol>
        {waits && <Ghost style={ghost} text={position > 0 ? words.waiting(position) : words.thinking} waiting={position > 0} />}
        {lost && <p className="banner" role="status">{words.lost}</p>}
        {chat.error && lastAnswer?.metadata?.status !== "failed" && <Fault error={chat.error} onRetry={() => void recover()} />}
        {asks && <RatingForm key={rated} session={id} turn={rated} />}
        {place === "inline" && messages.length > 0 && composer}
        <Announcer message={lastAnswer} busy={busy} quiet={voice.on} />
      </div>
      {place === "bottom-pill" && composer}
    </>
  );
}

/** Tells a screen reader whole sentences, not every piece of the stream; nothing while a voice says them. */
function Announcer({ message, busy, quiet }: { message: Message | undefined; busy: boolean; quiet: boolean }) {
  const text = textOf(message);
  const whole = busy ? text.slice(0, Math.max(text.lastIndexOf(". "), text.lastIndexOf("? "), text.lastIndexOf("! ")) + 1) : text;
  const [said, setSaid] = useState("");
  const first = useRef(true);
  const aloud = useRef<string | null>(null);
  useEffect(() => {
    // What was there when the page opened is read by moving to it, not by being announced.
    // What was said aloud is not said again when the talk ends.
    if (quiet) aloud.current = whole;
    else if (!first.current && whole !== aloud.current) setSaid(whole);
    first.current = false;
  }, [whole, quiet]);
  return <p className="unseen" aria-live="polite">{said}</p>;
}
