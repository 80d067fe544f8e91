// Small things that views share.
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";

export function useMedia(query: string): boolean {
  const subscribe = useCallback((onChange: () => void) => {
    const list = matchMedia(query);
    list.addEventListener("change", onChange);
    return () => list.removeEventListener("change", onChange);
  }, [query]);
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}
export const useIsWide = () => useMedia("(min-width: 64rem)");

/** The time, again and again while something waits for it. */
export function useNow(every_ms: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every_ms);
    return () => clearInterval(timer);
  }, [every_ms]);
  return now;
}

const read = <T,>(store: Storage, key: string): T | null => {
  try { return JSON.parse(store.getItem(key) ?? "null") as T | null; } catch { return null; }
};

/** State that outlives a reload: what somebody typed. Null means none. */
export function useDraft<T>(key: string): [T | null, (value: T | null) => void] {
  const name = `draft:${key}`;
  const [value, setValue] = useState<T | null>(() => read<T>(sessionStorage, name));
  const keep = useCallback((next: T | null) => {
    setValue(next);
    try { if (next === null) sessionStorage.removeItem(name); else sessionStorage.setItem(name, JSON.stringify(next)); } catch { /* kept in memory at least */ }
  }, [name]);
  return [value, keep];
}

/** A setting of this browser. */
export function useSetting<T>(key: string, initial: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => read<T>(localStorage, key) ?? initial);
  const keep = useCallback((next: T) => {
    setValue(next);
    try { localStorage.setItem(key, JSON.stringify(next)); } catch { /* for this visit */ }
  }, [key]);
  return [value, keep];
}

/** The width of an element in pixels, so that drawings keep their letters' size. */
export function useWidth(initial: number): [(element: Element | null) => void, number] {
  const [element, setElement] = useState<Element | null>(null);
  const [width, setWidth] = useState(initial);
  useEffect(() => {
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => { if (entry && entry.contentRect.width > 0) setWidth(entry.contentRect.width); });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, width];
}
