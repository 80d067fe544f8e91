// A spoken conversation as the page sees it: what the server says goes in, what is shown and played comes out.
//
// Invariants: a turn that was begun ends once; words and sound of the person wait while there is no connection, and go out in
// order; after the end nothing is played any more, but what still comes of the last answer is written down.
import type { Playback } from "./playback";
import { type ClientMessage, type DataPart, type Outcome, type ServerMessage, type Speaking, block, parse } from "./wire";

export interface Socket {
  send(data: string | ArrayBuffer): void;
  close(): void;
}

/** What a socket tells. */
export interface Ears {
  text(data: string): void;
  bytes(data: ArrayBuffer): void;
  close(code: number): void;
}

export interface Ports {
  /** Opens a socket; `query` says what is here of a running turn. */
  connect(query: Record<string, number>, ears: Ears): Socket;
  playback: Playback;
  /** Calls back later, once; gives what prevents it. */
  wait(ms: number, then: () => void): () => void;
  changed(): void;
}

export interface Turn {
  /** Unique, also after the turns were counted anew. */
  key: string;
  number: number;
  /** The person's words; null where they were told while the connection was lost. */
  said: string | null;
  id: string | null;
  messageId: string | null;
  text: string;
  parts: DataPart[];
  outcome: Outcome | null;
}

/** What went wrong without ending the talk. */
export type Trouble = "mute" | "unheard" | "rate-limited" | "refused";
/** Why it ended, where the person did not end it. */
export type Ending = "unreachable" | "gone" | "replaced" | "quiet";

export interface View {
  phase: "opening" | "open" | "lost" | "over";
  state: Speaking;
  /** What is being said, as far as it was understood. */
  caption: string;
  turns: readonly Turn[];
  trouble: Trouble | null;
  ending: Ending | null;
}

const FIRST_TRY_MS = 300;
const LONGEST_TRY_MS = 3_000;
/** How long to try for the first connection. */
const OPEN_MS = 10_000;
/** How long the server keeps a talk whose connection is lost. */
const GRACE_MS = 20_000;
/** How long the end of the last turn is waited for. */
const FAREWELL_MS = 5_000;
/** A newer socket has taken the session over. */
const REPLACED = 4_001;
const MORE_THAN_TIME = 1_008;
/** Pieces of 20 ms that wait for a connection: what the server forgives (30 s). */
const BACKLOG = 1_500;

export class Talk {
  view: View = { phase: "opening", state: "idle", caption: "", turns: [], trouble: null, ending: null };
  private socket: Socket | null = null;
  private tries = 0;
  private round = 0;
  private standing = "";
  private readonly backlog: ArrayBuffer[] = [];
  private readonly unsent: ClientMessage[] = [];
  private played = { turn: -1, ms: -1 };
  /** Until the server has said how it is after a lost connection. */
  private isBack = false;
  /** Until the first connection. */
  private isNew = true;
  /** The last turn whose voice failed. */
  private failed = "";
  private stopTrying: (() => void) | null = null;
  private retry: (() => void) | null = null;

  /** `name` is in the keys of its turns. */
  constructor(private readonly ports: Ports, private readonly name = "talk") {
    this.stopTrying = ports.wait(OPEN_MS, () => this.finish("unreachable"));
    this.connect();
  }

  /** The person's sound, 16-bit PCM. */
  sound(pcm: ArrayBuffer) {
    if (this.view.phase === "over") return;
    if (this.view.phase === "open") return this.socket?.send(pcm);
    this.backlog.push(pcm);
    if (this.backlog.length > BACKLOG) this.backlog.shift();
  }

  /** Something written, to be answered aloud. */
  say(text: string) {
    this.tell({ type: "text", text });
  }

  /** Enough of this answer. */
  stop() {
    this.ports.playback.stop();
    this.report();
    this.tell({ type: "stop" });
  }

  /** Enough of this talk. Silent at once; the rest of the last turn is still written down. */
  end() {
    if (this.view.phase === "over") return;
    this.report();
    const isOpen = this.view.phase === "open";
    if (isOpen) this.tell({ type: "hang-up" });
    this.finish(null);
    if (!isOpen) return this.part();
    this.retry = this.ports.wait(FAREWELL_MS, () => this.part());
  }

  /** Tells how much was heard; called every 100 ms. */
  report() {
    const { turn, playedMs } = this.ports.playback;
    if (this.view.phase !== "open" || turn === null || (this.played.turn === turn && this.played.ms === playedMs)) return;
    this.played = { turn, ms: playedMs };
    this.tell({ type: "played", turn, played_ms: playedMs });
  }

  /** A turn that is shown elsewhere now. */
  forget(key: string) {
    this.show({ turns: this.view.turns.filter((turn) => turn.key !== key) });
  }

  private tell(message: ClientMessage) {
    if (this.view.phase === "open") this.socket?.send(JSON.stringify(message));
    else if (this.view.phase !== "over" && message.type === "text") this.unsent.push(message);
  }

  private show(change: Partial<View>) {
    this.view = { ...this.view, ...change };
    this.ports.changed();
  }

  private connect() {
    this.retry = null;
    const last = this.view.turns.findLast(({ key, number }) => key === this.key(number));
    const { playback } = this.ports;
    const query: Record<string, number> = last ? { turn: last.number, received: playback.turn === last.number ? playback.received : 0 } : {};
    const own = (work: () => void) => { if (this.socket === socket) work(); };
    const socket: Socket = this.ports.connect(query, {
      text: (data) => own(() => {
        const message = parse(data);
        if (message) this.take(message);
      }),
      bytes: (data) => own(() => {
        const sound = block(data);
        if (sound && this.view.phase === "open") playback.push(sound);
      }),
      close: (code) => own(() => this.closed(code)),
    });
    this.socket = socket;
  }

  private closed(code: number) {
    this.socket = null;
    if (this.view.phase === "over") return this.part();
    if (code === REPLACED || code === MORE_THAN_TIME) {
      this.finish(code === REPLACED ? "replaced" : "gone");
      return this.part();
    }
    if (this.view.phase === "open") {
      this.show({ phase: "lost" });
      this.tries = 0;
      this.stopTrying = this.ports.wait(GRACE_MS, () => this.finish("gone"));
    }
    const after = Math.min(FIRST_TRY_MS * 2 ** this.tries++, LONGEST_TRY_MS);
    this.retry = this.ports.wait(after, () => this.connect());
  }

  /** Ends what is heard and asked; the socket may still bring words. */
  private finish(ending: Ending | null) {
    this.stopTrying?.();
    this.retry?.();
    this.stopTrying = this.retry = null;
    this.ports.playback.stop();
    this.show({ phase: "over", state: "idle", caption: "", trouble: null, ending });
    if (ending) this.part();
  }

  /** Nothing more is waited for. */
  private part() {
    this.retry?.();
    this.retry = null;
    const { socket } = this;
    this.socket = null;
    socket?.close();
    this.abandon();
  }

  /** Turns whose end will not be told any more. */
  private abandon() {
    if (this.view.turns.some(({ outcome }) => outcome === null)) this.show({ turns: this.view.turns.map((turn) => ({ ...turn, outcome: turn.outcome ?? "stopped" })) });
  }

  private take(message: ServerMessage) {
    switch (message.type) {
      case "ready": return this.ready(message);
      case "state":
        if (message.state === "closed" || this.view.phase === "over") return;
        // Nothing runs: its end was told while nobody heard it.
        if (this.isBack && message.state === "idle") this.abandon();
        this.isBack = false;
        return this.show({ state: message.state, ...(message.state === "idle" ? { caption: this.settle() } : {}) });
      case "transcript": return this.transcript(message.text, message.final);
      case "turn":
        this.settle();
        this.abandon();
        return this.show({ caption: "", trouble: null, turns: [...this.view.turns, this.turn(message.turn, message.text)] });
      case "turn-id": return this.change(message.turn, () => ({ id: message.turn_id, messageId: message.message_id }));
      case "text": return this.change(message.turn, ({ text }) => ({ text: text + message.delta }));
      case "part": return this.change(message.turn, ({ parts }) => ({ parts: [...parts, message.part] }));
      case "flush": return this.ports.playback.flush(message.turn);
      case "turn-end": {
        const ended = this.view.turns.find((turn) => turn.key === this.key(message.turn));
        this.change(message.turn, (turn) => ({ outcome: message.outcome, id: turn.id ?? message.turn_id }));
        if (message.outcome === "failed" && ended?.text && this.failed === ended.key && this.view.phase === "open") this.show({ trouble: "mute" });
        return;
      }
      case "error": return this.error(message.error);
      case "closed":
        // What this page did not end itself is begun again, as after a lost connection.
        if (message.reason === "idle" && this.view.phase !== "over") this.finish("quiet");
    }
  }

  private ready({ resumed, turn }: Extract<ServerMessage, { type: "ready" }>) {
    if (this.view.phase === "over") return;
    this.stopTrying?.();
    this.stopTrying = null;
    this.tries = 0;
    if (!resumed && this.view.turns.length > 0) {
      this.abandon();
      this.round++;
      this.ports.playback.reset();
    }
    const isNew = this.isNew;
    this.isNew = false;
    this.isBack = resumed && !isNew;
    this.show({ phase: "open" });
    if (isNew && turn) {
      // Left behind by a page that was closed or has just ended its talk: nobody waits for it here.
      this.ports.playback.flush(turn.turn);
      this.tell({ type: "stop" });
    } else if (turn) {
      if (!this.view.turns.some(({ key }) => key === this.key(turn.turn))) this.show({ turns: [...this.view.turns, this.turn(turn.turn, null)] });
      this.change(turn.turn, ({ id }) => ({ text: turn.text, id: turn.turn_id ?? id }));
    }
    for (const waiting of this.unsent.splice(0)) this.tell(waiting);
    for (const pcm of this.backlog.splice(0)) this.socket?.send(pcm);
  }

  private transcript(text: string, isFinal: boolean) {
    // Words that come when nobody waits for them any more are no one's.
    if (this.view.phase === "over" || this.view.state === "idle") return;
    const caption = `${this.standing} ${text}`.trim();
    if (isFinal) this.standing = caption;
    this.show({ caption });
  }

  /** The words that stand are somebody else's now. */
  private settle(): string {
    this.standing = "";
    return "";
  }

  private error(slug: string) {
    const runs = this.view.turns.findLast(({ outcome }) => outcome === null);
    if (runs && slug.startsWith("speech-")) this.failed = runs.key;
    // A voice that fails is tried again; the end of the turn says whether it stayed silent.
    const trouble = slug === "rate-limited" ? "rate-limited" : slug === "turn-refused" ? "refused" : slug.startsWith("speech-") && !runs ? "unheard" : null;
    if (trouble && this.view.phase === "open") this.show({ trouble });
  }

  private key(number: number) {
    return `${this.name}-${this.round}-${number}`;
  }

  private turn(number: number, said: string | null): Turn {
    return { key: this.key(number), number, said, id: null, messageId: null, text: "", parts: [], outcome: null };
  }

  private change(number: number, how: (turn: Turn) => Partial<Turn>) {
    const key = this.key(number);
    if (this.view.turns.some((turn) => turn.key === key)) this.show({ turns: this.view.turns.map((turn) => (turn.key === key ? { ...turn, ...how(turn) } : turn)) });
  }
}
