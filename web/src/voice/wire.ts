// What goes over the socket of a live conversation (docs/voice.md).
import { fromPcm16 } from "./sound";

export const IN_RATE_HZ = 16_000;
export const OUT_RATE_HZ = 24_000;
/** Samples of a message to the server: 20 ms. */
export const PIECE = IN_RATE_HZ / 50;

export type Speaking = "idle" | "listening" | "thinking" | "speaking";
export type Outcome = "finished" | "stopped" | "failed";

export type ClientMessage =
  | { type: "played"; turn: number; played_ms: number }
  | { type: "text"; text: string }
  | { type: "stop" }
  | { type: "hang-up" };

/** A part of the answer that is not its text, as the stream of a written turn has it. */
export interface DataPart {
  type: `data-${string}`;
  data: unknown;
}

export type ServerMessage =
  | { type: "ready"; resumed: boolean; turn: { turn: number; turn_id: string | null; text: string } | null }
  | { type: "state"; state: Speaking | "closed" }
  | { type: "transcript"; utterance: number; text: string; final: boolean }
  | { type: "turn"; turn: number; text: string }
  | { type: "turn-id"; turn: number; turn_id: string; message_id: string }
  | { type: "text"; turn: number; delta: string }
  | { type: "part"; turn: number; part: DataPart }
  | { type: "audio-end" | "flush"; turn: number }
  | { type: "turn-end"; turn: number; turn_id: string | null; outcome: Outcome }
  | { type: "error"; error: string }
  | { type: "closed"; reason: "hung-up" | "lost" | "idle" }
  | { type: "pong" };

/** A message, or null for what is none: a newer server may say more than this page knows. */
export function parse(text: string): ServerMessage | null {
  try {
    const message = JSON.parse(text) as ServerMessage | null;
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}

export interface Block {
  turn: number;
  block: number;
  samples: Float32Array<ArrayBuffer>;
}

const HEAD = 8;

/** Sound: turn and block as little-endian numbers of 32 bits, then 16-bit PCM. */
export function block(bytes: ArrayBuffer): Block | null {
  if (bytes.byteLength <= HEAD) return null;
  const view = new DataView(bytes);
  return { turn: view.getUint32(0, true), block: view.getUint32(4, true), samples: fromPcm16(new DataView(bytes, HEAD)) };
}
