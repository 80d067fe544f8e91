// A `fetch` for event streams that a dropped connection does not end: it comes back with `Last-Event-ID` and
// splices the rest in, so that the reader sees one stream with every event once.
import { ProblemError, problemOf } from "./problem";

export interface Resumable {
  /** Where a turn's stream can be read again. */
  streamUrl: (turn: string) => string;
  onTurn?: (turn: string) => void;
  /** Whether the connection is lost right now. */
  onConnection?: (lost: boolean) => void;
  fetch?: typeof fetch;
  wait?: (ms: number, signal?: AbortSignal | null) => Promise<void>;
  attempts?: number;
}

const sleep = (ms: number, signal?: AbortSignal | null) => new Promise<void>((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
});

const decoder = new TextDecoder();
const END = "data: [DONE]";

/** Collects bytes into whole events; half an event of a lost connection is forgotten. */
class Events {
  private bytes = new Uint8Array(0);
  lastId: string | null = null;
  done = false;

  push(chunk: Uint8Array): Uint8Array[] {
    const joined = new Uint8Array(this.bytes.length + chunk.length);
    joined.set(this.bytes);
    joined.set(chunk, this.bytes.length);
    const whole: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at + 1 < joined.length; at++) {
      if (joined[at] === 10 && joined[at + 1] === 10) {
        const event = joined.slice(start, at + 2);
        const text = decoder.decode(event);
        this.lastId = /^id: (\d+)$/m.exec(text)?.[1] ?? this.lastId;
        this.done ||= text.includes(END);
        whole.push(event);
        start = at + 2;
        at++;
      }
    }
    this.bytes = joined.slice(start);
    return whole;
  }

  reset() {
    this.bytes = new Uint8Array(0);
  }
}

/** Makes the `fetch`. Answers other than success become `ProblemError`. */
export function resumableFetch(options: Resumable): typeof fetch {
  const get = options.fetch ?? ((input, init) => fetch(input, init));
  const wait = options.wait ?? sleep;
  const attempts = options.attempts ?? 8;
  return async (input, init) => {
    const first = await get(input, init);
    if (!first.ok) throw new ProblemError(await problemOf(first));
    const turn = first.headers.get("x-turn-id");
    if (!first.body || !turn) return first;
    options.onTurn?.(turn);
    const signal = init?.signal;
    const events = new Events();
    let reader: ReadableStreamDefaultReader<Uint8Array> | null = first.body.getReader();
    let failures = 0;

    const reconnect = async () => {
      reader = null;
      events.reset();
      options.onConnection?.(true);
      await wait(Math.min(300 * 2 ** failures, 8_000), signal);
      failures++;
      const headers: Record<string, string> = events.lastId === null ? {} : { "last-event-id": events.lastId };
      const response = await get(options.streamUrl(turn), { headers, credentials: init?.credentials, signal });
      if (!response.ok || !response.body) {
        const problem = await problemOf(response);
        // What will not change by asking again is the reader's to know.
        if (response.status < 500 && response.status !== 429) throw new ProblemError(problem);
        return;
      }
      reader = response.body.getReader();
      options.onConnection?.(false);
    };

    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        for (;;) {
          if (signal?.aborted) return controller.error(signal.reason);
          try {
            if (!reader) await reconnect();
            if (!reader) throw new TypeError("no stream");
            const { value, done } = await reader.read();
            if (value) {
              const whole = events.push(value);
              whole.forEach((event) => controller.enqueue(event));
              if (whole.length > 0) failures = 0;
              if (events.done) {
                void reader.cancel().catch(() => {});
                return controller.close();
              }
              if (whole.length > 0) return;
            }
            if (done) {
              reader = null;
              if (failures >= attempts) throw new TypeError("the connection was lost");
            }
          } catch (error) {
            reader = null;
            if (signal?.aborted || error instanceof ProblemError || failures >= attempts) return controller.error(error);
          }
        }
      },
      cancel: async (reason) => { await reader?.cancel(reason); },
    });
    return new Response(body, { status: first.status, headers: first.headers });
  };
}
