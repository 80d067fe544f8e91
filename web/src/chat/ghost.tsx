// What is seen while an answer forms: before its first words, and in the words that have just come.
import { useEffect, useRef, useState } from "react";
import type { GhostStyle } from "../variants";
import { murmur, settling } from "./settle";

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function Murmur() {
  const [line, setLine] = useState(murmur);
  useEffect(() => {
    if (still()) return;
    const timer = setInterval(() => setLine(murmur()), 140);
    return () => clearInterval(timer);
  }, []);
  return <span className="murmur">{line}</span>;
}

/** Its words are for ears, except where they say more than that an answer is coming. */
export function Ghost({ style, text, waiting }: { style: GhostStyle; text: string; waiting: boolean }) {
  return (
    <div className="ghost" data-ghost={style} role="status">
      {style === "scramble" && <span aria-hidden="true"><Murmur /></span>}
      {style === "dots" && <span className="dots" aria-hidden="true"><i /><i /><i /></span>}
      {style === "shimmer" && <span className="shimmer" aria-hidden="true"><i /><i /></span>}
      <span className={waiting ? "ghost-text" : "unseen"}>{text}</span>
    </div>
  );
}

const SETTLES_MS = 480;
const STEP_MS = 60;

/** The text as it is shown: while `live`, what is new settles from other letters. */
export function useSettling(text: string, live: boolean): string {
  const [done, setDone] = useState(1);
  const settled = useRef(text.length);
  useEffect(() => {
    if (!live || still() || text.length <= settled.current) {
      settled.current = text.length;
      return setDone(1);
    }
    const began = performance.now();
    setDone(0);
    const timer = setInterval(() => {
      const now = (performance.now() - began) / SETTLES_MS;
      setDone(Math.min(now, 1));
      if (now < 1) return;
      settled.current = text.length;
      clearInterval(timer);
    }, STEP_MS);
    return () => {
      clearInterval(timer);
      // More has come before this was done: it counts as settled, so that nobody waits to read.
      settled.current = text.length;
    };
  }, [text, live]);
  return live && done < 1 ? settling(text, settled.current, done) : text;
}
