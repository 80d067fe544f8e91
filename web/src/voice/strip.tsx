// What a talk shows above the line to write in: how it is, and a surface of water that both voices move.
import { useEffect, useRef } from "react";
import { useWords } from "../i18n";
import { ripple, settle } from "./ripple";
import type { Voice } from "./use-voice";

/** Between two pictures; where motion is unwanted, a level is shown now and then, and does not travel. */
const FRAME_MS = 33;
const CALM_MS = 250;

export default function Strip({ voice }: { voice: Voice }) {
  const { voice: words } = useWords();
  const { view } = voice;
  const state = view === null || view.phase === "opening" ? "opening" : view.phase === "lost" ? "lost" : view.state;
  return (
    <div className="voice-strip" data-state={state}>
      <Water levels={voice.levels} state={state} />
      {voice.note ? <p role="alert">{words.notes[voice.note]}</p> : <p role="status">{words.states[state]}</p>}
    </div>
  );
}

function Water({ levels, state }: { levels: Voice["levels"]; state: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const read = useRef({ levels, state });
  read.current = { levels, state };
  useEffect(() => {
    const surface = canvas.current;
    const pen = surface?.getContext("2d");
    if (!surface || !pen) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    let shown = 0;
    let before = 0;
    let frame = requestAnimationFrame(draw);
    function draw(now: number) {
      frame = requestAnimationFrame(draw);
      if (!surface || !pen || now - before < (calm.matches ? CALM_MS : FRAME_MS)) return;
      before = now;
      const { said, heard } = read.current.levels();
      shown = settle(shown, read.current.state === "speaking" ? Math.max(heard, said * 0.6) : said);
      surface.dataset.level = shown.toFixed(2);
      const scale = devicePixelRatio;
      const [width, height] = [surface.clientWidth, surface.clientHeight];
      if (surface.width !== Math.round(width * scale)) [surface.width, surface.height] = [Math.round(width * scale), Math.round(height * scale)];
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, width, height);
      pen.strokeStyle = getComputedStyle(surface).color;
      ripple(pen, { width, height, level: shown, time: calm.matches ? 0 : now / 1_000 });
    }
    return () => cancelAnimationFrame(frame);
  }, []);
  return <canvas ref={canvas} className="water-line" aria-hidden="true" />;
}
