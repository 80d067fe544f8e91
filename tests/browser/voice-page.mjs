// A browser whose microphone hears a script, and what a page's sound and socket did, for the tests of voice.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { speak, wav } from "../speech/tones.mjs";
import { ARTEFACTS, openBrowser } from "./browser.mjs";

const RATE_HZ = 48_000;

/** A recording of texts (strings, in the mock's tones) and silences (numbers, seconds) in a row. */
function script(name, lines) {
  const parts = lines.map((line) => (typeof line === "number" ? new Int16Array(line * RATE_HZ) : speak(line, RATE_HZ)));
  const samples = new Int16Array(parts.reduce((all, part) => all + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  const file = join(ARTEFACTS, `voice-${name}.wav`);
  writeFileSync(file, wav(samples, RATE_HZ));
  return file;
}

/** Chromium whose microphone hears the lines once, from the moment on at which it is opened. */
export const speakingBrowser = (name, ...lines) => openBrowser([
  "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", `--use-file-for-fake-audio-capture=${script(name, lines)}%noloop`,
]);

/** Notes what the page does with microphones and sound; `window.sound` tells it. */
export const watchSound = (context) => context.addInitScript(() => {
  const [sources, tracks] = [[], []];
  const { start, stop } = AudioBufferSourceNode.prototype;
  AudioBufferSourceNode.prototype.start = function (at) {
    sources.push({ node: this, start: at, end: at + this.buffer.duration, stopped: false });
    return start.call(this, at);
  };
  AudioBufferSourceNode.prototype.stop = function (...when) {
    sources.find(({ node }) => node === this).stopped = true;
    return stop.apply(this, when);
  };
  const ask = navigator.mediaDevices.getUserMedia;
  navigator.mediaDevices.getUserMedia = async function (...wish) {
    const stream = await ask.apply(this, wish);
    tracks.push(...stream.getTracks());
    return stream;
  };
  window.sound = {
    started: () => sources.length,
    stopped: () => sources.filter(({ stopped }) => stopped).length,
    /** Blocks that are heard now or will be. */
    pending: () => sources.filter(({ node, end, stopped }) => !stopped && node.context.state !== "closed" && end > node.context.currentTime).length,
    open: () => tracks.filter(({ readyState }) => readyState === "live").length,
  };
});
export const sound = (page, what) => page.evaluate((name) => window.sound[name](), what);

/** All messages of JSON that went over a page's sockets, each with `out` where the page sent it. */
export function overheard(page) {
  const messages = [];
  const note = (out) => ({ payload }) => { if (typeof payload === "string") messages.push({ out, ...JSON.parse(payload) }); };
  page.on("websocket", (socket) => socket.on("framesent", note(true)).on("framereceived", note(false)));
  return messages;
}

export const button = (page, name = "Talk with your voice") => page.getByRole("button", { name });
export const strip = (page, state) => page.locator(`.voice-strip[data-state="${state}"]`);
/** Waiting for voices takes longer than for words. */
export const PATIENT = { timeout: 60_000 };
