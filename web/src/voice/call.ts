// A talk with everything that it needs: microphone, speaker, socket. Loaded when somebody wants to speak.
import { regionHeader } from "../api/client";
import { listen } from "./microphone";
import { Playback } from "./playback";
import { speaker } from "./speaker";
import { type Ears, type Socket, Talk, type View } from "./talk";
import { IN_RATE_HZ } from "./wire";

/** How often the server is told what was heard. */
const REPORT_MS = 100;

export interface Call {
  readonly view: View;
  say(text: string): void;
  stop(): void;
  end(): void;
  forget(key: string): void;
  /** How loud the person and the answer are now, 0 to 1. */
  levels(): { said: number; heard: number };
}

function open(session: string, query: Record<string, number>, ears: Ears): Socket {
  const country = regionHeader()["x-country"];
  const asked = new URLSearchParams({ rate: String(IN_RATE_HZ), ...(country ? { country } : {}) });
  for (const [name, value] of Object.entries(query)) asked.set(name, String(value));
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/v1/sessions/${session}/live?${asked}`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => (typeof data === "string" ? ears.text(data) : ears.bytes(data));
  socket.onclose = ({ code }) => ears.close(code);
  return {
    send: (data) => { if (socket.readyState === WebSocket.OPEN) socket.send(data); },
    close: () => socket.close(),
  };
}

/** Begins a talk; fails with a `MicrophoneError`. `lost` is called when the microphone goes away. */
export async function call(session: string, changed: () => void, lost: () => void): Promise<Call> {
  const out = speaker();
  let said = 0;
  let talk: Talk | null = null;
  let leave = () => {};
  try {
    leave = await listen(({ pcm, level }) => {
      said = level;
      talk?.sound(pcm);
    }, lost);
  } catch (error) {
    out.close();
    throw error;
  }
  const playback = new Playback(out);
  const begun = new Talk({
    connect: (query, ears) => open(session, query, ears),
    playback,
    wait: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
    changed: () => {
      if (talk?.view.phase === "over") silence();
      changed();
    },
  }, Date.now().toString(36));
  talk = begun;
  const timer = setInterval(() => begun.report(), REPORT_MS);
  // Once: whoever ends it, the microphone goes first.
  function silence() {
    clearInterval(timer);
    leave();
    leave = () => {};
    out.close();
  }
  return {
    get view() { return begun.view; },
    say: (text) => begun.say(text),
    stop: () => begun.stop(),
    end: () => begun.end(),
    forget: (key) => begun.forget(key),
    levels: () => ({ said, heard: playback.isPlaying ? out.level() : 0 }),
  };
}
