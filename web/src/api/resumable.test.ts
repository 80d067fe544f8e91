import { expect, test } from "vitest";
import { ProblemError } from "./problem";
import { resumableFetch } from "./resumable";

const encoder = new TextEncoder();
const TEXT = "wörter und 🌙 mehr";
const events = [...TEXT].map((letter, id) => `id: ${id}\ndata: {"t":${JSON.stringify(letter)}}\n\n`);
events.push(`id: ${events.length}\ndata: [DONE]\n\n`);
const whole = encoder.encode(events.join(""));
const headers = { "x-turn-id": "trn_1", "content-type": "text/event-stream" };

/** A server that serves `bytes` of the rest on each connection, then breaks off (or ends cleanly). */
function server(cuts: number[], clean = false) {
  const asked: (string | undefined)[] = [];
  const fetch = async (_url: unknown, init?: RequestInit) => {
    const last = (init?.headers as Record<string, string> | undefined)?.["last-event-id"];
    asked.push(last);
    const rest = encoder.encode(events.slice(last === undefined ? 0 : Number(last) + 1).join(""));
    const cut = cuts.shift() ?? rest.length;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of rest.subarray(0, cut)) controller.enqueue(new Uint8Array([byte]));
        if (cut >= rest.length || clean) controller.close();
        else setTimeout(() => controller.error(new TypeError("network")), 0);
      },
    });
    return new Response(body, { headers });
  };
  return { fetch: fetch as typeof globalThis.fetch, asked };
}

async function read(cuts: number[], clean = false) {
  const { fetch, asked } = server(cuts, clean);
  const get = resumableFetch({ streamUrl: (turn) => `/stream/${turn}`, fetch, wait: async () => {} });
  const response = await get("/turns", { method: "POST" });
  const text = await response.text();
  return { text, asked };
}

test("a whole stream passes unchanged, with one request", async () => {
  const { text, asked } = await read([]);
  expect(text).toBe(new TextDecoder().decode(whole));
  expect(asked).toEqual([undefined]);
});

test("a cut at any byte loses and doubles nothing", async () => {
  for (let cut = 0; cut < whole.length; cut += 3) {
    for (const clean of [false, true]) {
      const { text } = await read([cut], clean);
      expect(text, `cut at ${cut}`).toBe(events.join(""));
    }
  }
});

test("two drops in a row, the first before the first event", async () => {
  const { text, asked } = await read([0, 60, 10]);
  expect(text).toBe(events.join(""));
  expect(asked.slice(0, 2)).toEqual([undefined, undefined]);
});

test("it gives up after its attempts", async () => {
  const broken = resumableFetch({
    streamUrl: () => "/stream", wait: async () => {}, attempts: 3,
    fetch: (async (url: unknown) => {
      if (url === "/stream") throw new TypeError("offline");
      return new Response(new ReadableStream({ start: (c) => c.error(new TypeError("cut")) }), { headers });
    }) as typeof fetch,
  });
  await expect((await broken("/turns")).text()).rejects.toThrow("offline");
});

test("a problem is an error that says what it is", async () => {
  const body = JSON.stringify({ type: "https://x/problems/queue-full", title: "Too many", correlation_id: "c1" });
  const get = resumableFetch({ streamUrl: () => "", fetch: (async () => new Response(body, { status: 429, headers: { "retry-after": "5" } })) as typeof fetch });
  const error = await get("/turns").catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ProblemError);
  expect((error as ProblemError).problem).toEqual({ slug: "queue-full", title: "Too many", status: 429, detail: undefined, correlationId: "c1", retryAfter: 5 });
});
