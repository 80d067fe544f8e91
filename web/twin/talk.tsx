// A conversation with a twin. The first message begins the session; from then on it is one like any other of `/v1`.
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";
import { useEffect, useMemo, useRef, useState } from "react";
import { type Message, type Session, regionHeader, sessionStreamUrl, stopTurn, turnStreamUrl, turnsUrl } from "../src/api/client";
import { resumableFetch } from "../src/api/resumable";
import { Bubble, hasBegun, isSafety, textOf } from "../src/chat/bubble";
import { Composer } from "../src/chat/composer";
import { Ghost } from "../src/chat/ghost";
import { Fault } from "../src/components/fault";
import { useWords } from "../src/i18n";
import { Portrait } from "./portrait";
import { useTwinWords } from "./words";

interface Props {
  name: string;
  greeting: string | null;
  /** Who is talked with: `{}` is the deployment's own twin. */
  who: { twin?: string; share?: string };
  session: Session | null;
  onBegun: (session: string) => void;
}

export function Talk({ name, greeting, who, session, onBegun }: Props) {
  const words = useWords();
  const own = useTwinWords();
  const id = useRef(session?.session_id ?? null);
  const turn = useRef<string | null>(session?.active_turn ?? null);
  const [lost, setLost] = useState(false);

  const transport = useMemo(() => new DefaultChatTransport<Message>({
    credentials: "same-origin",
    fetch: resumableFetch({
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        const begun = response.headers.get("x-session-id");
        if (begun && id.current === null) {
          id.current = begun;
          onBegun(begun);
        }
        return response;
      },
      streamUrl: (name) => turnStreamUrl(id.current ?? "", name),
      onTurn: (name) => { turn.current = name; },
      onConnection: setLost,
    }),
    prepareSendMessagesRequest: ({ messages, body }) => {
      const message = textOf(messages.at(-1));
      const headers = { ...regionHeader(), "idempotency-key": crypto.randomUUID() };
      if (id.current === null) {
        const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
        return { api: "/api/chat", headers: regionHeader(), body: { message, stream: true, timezone, ...who } };
      }
      return { api: turnsUrl(id.current), headers, body: body?.regenerate ? { regenerate: body.regenerate } : { message } };
    },
    prepareReconnectToStreamRequest: () => ({ api: sessionStreamUrl(id.current ?? "") }),
  }), [who, onBegun]);

  const chat = useChat<Message>({
    messages: session?.messages ?? [],
    transport,
    resume: session?.active_turn != null,
    throttle: 40,
    onFinish: () => { turn.current = null; setLost(false); },
  });
  const { messages, status } = chat;
  const busy = status === "submitted" || status === "streaming";
  const waits = busy && !hasBegun(messages.at(-1));
  const lastAnswer = messages.findLast((message) => message.role === "assistant");

  const send = (text: string) => {
    chat.clearError();
    void chat.sendMessage({ text });
  };
  const again = () => {
    const said = messages.at(-1);
    chat.clearError();
    if (said?.role !== "user") return;
    chat.setMessages(messages.slice(0, -1));
    void chat.sendMessage({ text: textOf(said) });
  };
  const stop = async () => {
    if (!turn.current || !id.current) return chat.stop();
    await stopTurn(id.current, turn.current).catch(() => chat.stop());
  };
  useEffect(() => {
    const keys = (event: KeyboardEvent) => { if (event.key === "Escape" && busy && !document.querySelector("dialog[open]")) void stop(); };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  });
  const list = useRef<HTMLOListElement>(null);
  const text = textOf(messages.at(-1));
  useEffect(() => {
    const last = list.current?.querySelector(":scope > li:last-child");
    if (last?.querySelector(".care")) last.scrollIntoView({ block: "start" });
    else if (messages.length > 0) scrollTo({ top: document.documentElement.scrollHeight });
  }, [messages.length, text, waits]);

  return (
    <>
      <div className="talk" data-empty={messages.length === 0 || undefined}>
        <div className="persona">
          <Portrait name={name} size="large" />
          <h1>{name}</h1>
          <p>{greeting ?? own.hello(name)}</p>
          {messages.length === 0 && <ul className="starters">{own.starters.map((line) => <li key={line}><button type="button" onClick={() => send(line)}>{line}</button></li>)}</ul>}
        </div>
        <ol className="messages" ref={list}>
          {messages.map((message, index) => (waits && message === messages.at(-1) && message.role === "assistant" ? null : (
            <Bubble
              key={message.id}
              message={message}
              live={busy && index === messages.length - 1 && message.role === "assistant"}
              onRegenerate={!busy && message === lastAnswer && !isSafety(message) && message.metadata ? () => void chat.regenerate({ body: { regenerate: message.metadata?.turn_id } }) : undefined}
            />
          )))}
        </ol>
        {waits && <Ghost style="dots" text={words.thinking} waiting={false} />}
        {lost && <p className="banner" role="status">{words.lost}</p>}
        {chat.error && <Fault error={chat.error} onRetry={again} />}
        <p className="unseen" aria-live="polite">{busy ? "" : textOf(lastAnswer)}</p>
      </div>
      <Composer busy={busy} initial="" editing={false} onCancel={() => undefined} onSend={send} onStop={() => void stop()} />
    </>
  );
}
