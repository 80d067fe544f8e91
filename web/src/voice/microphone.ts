// The microphone: asked for, listened to in the audio thread, let go.
import worklet from "./capture.worklet.ts?worker&url";

/** Why there is no microphone. */
export type Fault = "denied" | "missing" | "occupied" | "unsupported";

export class MicrophoneError extends Error {
  constructor(readonly fault: Fault) {
    super(fault);
  }
}

/** What `getUserMedia` fails with (Media Capture and Streams, section 10.2), as something that a person can act on. */
export function faultOf(error: unknown): Fault {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  return name === "TypeError" ? "unsupported" : "occupied";
}

interface Piece {
  pcm: ArrayBuffer;
  level: number;
}

/** Listens until what it gives is called; `lost` is called when the device goes away. */
export async function listen(take: (piece: Piece) => void, lost: () => void): Promise<() => void> {
  if (typeof AudioWorkletNode === "undefined" || !navigator.mediaDevices) throw new MicrophoneError("unsupported");
  const wish = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: wish }).catch((error: unknown) => { throw new MicrophoneError(faultOf(error)); });
  const context = new AudioContext();
  const close = () => {
    stream.getTracks().forEach((track) => track.stop());
    void context.close().catch(() => {});
  };
  try {
    await context.audioWorklet.addModule(worklet);
    const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = ({ data }: MessageEvent<Piece>) => take(data);
    context.createMediaStreamSource(stream).connect(node);
    stream.getAudioTracks()[0]?.addEventListener("ended", lost);
    await context.resume();
    return close;
  } catch {
    close();
    throw new MicrophoneError("unsupported");
  }
}
