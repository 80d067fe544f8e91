// Vendors for the benchmark of voice, in a process of their own: they answer after fixed waits, and note when they were asked and
// when they began to answer. Who asks is told by the loudness of the sound, which becomes a number in the text.
import { createServer } from "node:http";
import { form } from "../speech/kit.mjs";
import { BASE_PEAK, PEAK_STEP, WAIT_MS } from "./voice-signal.mjs";

const now = () => performance.timeOrigin + performance.now();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const notes = [];
const counts = new Map();
// 400 ms, so that a turn is soon over.
const SPEECH = Buffer.alloc(24_000 * 2 * 0.4, Buffer.from([0, 8, 0, 248]));

const server = createServer(async (request, response) => {
  const began = now();
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  const note = (who, what) => notes.push({ who, what, began, first: now() });
  if (request.url.endsWith("/audio/transcriptions")) {
    const { file } = form(raw, request.headers["content-type"]);
    let peak = 0;
    for (let at = 44; at + 1 < file.bytes.length; at += 2) peak = Math.max(peak, file.bytes.readInt16LE(at));
    const who = Math.round((peak - BASE_PEAK) / PEAK_STEP);
    const turn = counts.get(who) ?? 0;
    counts.set(who, turn + 1);
    await sleep(WAIT_MS);
    note(`${who}-${turn}`, "stt");
    response.writeHead(200, { "content-type": "application/json" });
    return response.end(JSON.stringify({ text: `Good morning, this is caller ${who}-${turn} here.` }));
  }
  const body = JSON.parse(raw.toString());
  if (request.url.endsWith("/chat/completions")) {
    const who = /caller (\d+-\d+) here/.exec(body.messages.at(-1).content)[1];
    await sleep(WAIT_MS);
    response.writeHead(200, { "content-type": "text/event-stream" });
    note(who, "llm");
    const send = (value) => response.write(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
    const chunk = (delta, finish_reason = null) => ({ id: "c", object: "chat.completion.chunk", created: 1, model: "mock-1", choices: [{ index: 0, delta, finish_reason }] });
    send(chunk({ role: "assistant", content: `Hello there, caller ${who} here. ` }));
    send(chunk({ content: "How was your night?" }));
    send(chunk({}, "stop"));
    send("[DONE]");
    return response.end();
  }
  const who = /caller (\d+-\d+) here/.exec(body.input)?.[1];
  await sleep(WAIT_MS);
  if (who) note(who, "tts");
  response.writeHead(200, { "content-type": "audio/pcm" });
  return response.end(SPEECH);
});
server.listen(0, "127.0.0.1", () => process.send({ url: `http://127.0.0.1:${server.address().port}` }));
process.on("message", () => { counts.clear(); process.send({ notes: notes.splice(0) }); });
process.on("disconnect", () => process.exit(0));
