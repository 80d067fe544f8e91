// Where answers are heard: an audio context at the answer's own rate, so that blocks join without a seam.
import type { Output } from "./playback";
import { level } from "./sound";
import { OUT_RATE_HZ } from "./wire";

export interface Speaker extends Output {
  /** How loud it is now, 0 to 1. */
  level(): number;
  close(): void;
}

export function speaker(): Speaker {
  const context = new AudioContext({ sampleRate: OUT_RATE_HZ });
  const meter = context.createAnalyser();
  meter.fftSize = 1_024;
  meter.connect(context.destination);
  const window = new Float32Array(meter.fftSize);
  void context.resume();
  return {
    now: () => context.currentTime,
    latency: () => context.outputLatency || context.baseLatency || 0,
    play(samples, at) {
      const buffer = context.createBuffer(1, samples.length, OUT_RATE_HZ);
      buffer.copyToChannel(samples, 0);
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(meter);
      source.start(at);
      return () => {
        source.stop();
        source.disconnect();
      };
    },
    level() {
      meter.getFloatTimeDomainData(window);
      return level(window);
    },
    close: () => void context.close().catch(() => {}),
  };
}
