// Keyboard shortcuts: letters, alone or after `g`. They never act while somebody types, and can be switched off.
import { createContext, useContext, useEffect, useMemo, useRef, type ReactNode } from "react";
import { useSetting } from "../ui/hooks";

type Handlers = Map<string, () => void>;
interface Keys { handlers: Handlers; isOn: boolean; setOn: (on: boolean) => void }
const Context = createContext<Keys>({ handlers: new Map(), isOn: false, setOn: () => undefined });
/** How long a sequence may take. */
const PAUSE_MS = 1_200;

export const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName) || (target instanceof HTMLInputElement && !/^(checkbox|radio|range|button)$/.test(target.type)));

export function KeysProvider({ children }: { children: ReactNode }) {
  const [isOn, setOn] = useSetting("shortcuts", true);
  const handlers = useRef<Handlers>(new Map()).current;
  useEffect(() => {
    if (!isOn) return;
    let first: { key: string; at: number } | null = null;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
      const sequence = first && Date.now() - first.at < PAUSE_MS ? `${first.key} ${event.key}` : event.key;
      first = event.key === "g" ? { key: "g", at: Date.now() } : null;
      const handler = handlers.get(sequence);
      if (!handler) return;
      event.preventDefault();
      first = null;
      handler();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [handlers, isOn]);
  const value = useMemo(() => ({ handlers, isOn, setOn }), [handlers, isOn, setOn]);
  return <Context value={value}>{children}</Context>;
}

/** While the component is there, these keys do this. */
export function useShortcuts(map: Record<string, () => void>) {
  const { handlers } = useContext(Context);
  const latest = useRef(map);
  latest.current = map;
  const names = Object.keys(map).join("\n");
  useEffect(() => {
    const keys = names.split("\n");
    for (const key of keys) handlers.set(key, () => latest.current[key]?.());
    return () => { for (const key of keys) handlers.delete(key); };
  }, [handlers, names]);
}

export const useShortcutSetting = () => useContext(Context);
