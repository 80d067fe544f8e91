// In the audio thread: the microphone's sound, brought to 16 kHz and given away in pieces of 20 ms with their level.
import { Resampler } from "./resample";
import { level, toPcm16 } from "./sound";
import { IN_RATE_HZ, PIECE } from "./wire";

// What an audio worklet has, which the DOM's types leave out.
declare const sampleRate: number;
declare function registerProcessor(name: string, processor: unknown): void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

class Capture extends AudioWorkletProcessor {
  private readonly resampler = sampleRate === IN_RATE_HZ ? null : new Resampler(sampleRate, IN_RATE_HZ);
  private piece = new Float32Array(PIECE);
  private filled = 0;

  process([input]: Float32Array[][]): boolean {
    const channel = input?.[0];
    if (channel) for (const sample of this.resampler?.push(channel) ?? channel) this.take(sample);
    return true;
  }

  private take(sample: number) {
    this.piece[this.filled++] = sample;
    if (this.filled < PIECE) return;
    this.filled = 0;
    const { buffer } = toPcm16(this.piece);
    this.port.postMessage({ pcm: buffer, level: level(this.piece) }, [buffer]);
  }
}

registerProcessor("capture", Capture);
