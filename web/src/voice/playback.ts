// The answer's sound, block after block, and how much of it was heard.
//
// Invariants: nothing of a turn is heard after it was flushed; a block is played once; what was heard never shrinks.
import { type Block, OUT_RATE_HZ } from "./wire";

/** Where sound comes out. Times are seconds of its own clock. */
export interface Output {
  now(): number;
  /** Seconds from playing to hearing. */
  latency(): number;
  /** Plays at a time; gives what silences it. */
  play(samples: Float32Array<ArrayBuffer>, at: number): () => void;
}

/** Seconds that the first block waits, and every one after a gap, so that the next has time to come. */
const LEAD_S = 0.08;

interface Piece {
  start: number;
  end: number;
  silence: () => void;
}

export class Playback {
  /** The turn that is played, or was played last. */
  turn: number | null = null;
  private next = 0;
  private pieces: Piece[] = [];
  /** Of pieces that are over. */
  private over = 0;
  private free = 0;
  /** Turns up to this one are silent for good. */
  private flushed = -1;

  constructor(private readonly output: Output) {}

  /** Blocks of the turn that are here. */
  get received(): number {
    return this.next;
  }

  push({ turn, block, samples }: Block) {
    if (turn <= this.flushed || (this.turn !== null && turn < this.turn)) return;
    if (turn !== this.turn) this.begin(turn);
    if (block < this.next) return;
    this.next = block + 1;
    const now = this.output.now();
    // On a whole sample, so that what follows joins without a click.
    const start = this.free > now ? this.free : Math.ceil((now + LEAD_S) * OUT_RATE_HZ) / OUT_RATE_HZ;
    this.free = start + samples.length / OUT_RATE_HZ;
    this.pieces.push({ start, end: this.free, silence: this.output.play(samples, start) });
  }

  private begin(turn: number) {
    this.silence();
    Object.assign(this, { turn, next: 0, over: 0, free: 0 });
  }

  private silence() {
    this.settle();
    // What was begun counts as far as it was heard.
    this.over = this.heard();
    this.pieces.forEach((piece) => piece.silence());
    this.pieces = [];
    this.free = 0;
  }

  /** Silences a turn at once and for good. */
  flush(turn: number) {
    if (turn === this.turn) this.silence();
    this.flushed = Math.max(this.flushed, turn);
  }

  /** Silences whatever is played. */
  stop() {
    if (this.turn !== null) this.flush(this.turn);
  }

  /** Turns are counted from 0 again. */
  reset() {
    this.silence();
    Object.assign(this, { turn: null, next: 0, over: 0, flushed: -1 });
  }

  private heard(): number {
    const now = this.output.now() - this.output.latency();
    return this.pieces.reduce((all, { start, end }) => all + Math.max(0, Math.min(now, end) - start), this.over);
  }

  /** Drops what is over. */
  private settle() {
    const now = this.output.now() - this.output.latency();
    while (this.pieces[0] && this.pieces[0].end <= now) {
      const { start, end } = this.pieces.shift() as Piece;
      this.over += end - start;
    }
  }

  /** Milliseconds of the turn that were heard. */
  get playedMs(): number {
    this.settle();
    // Upwards: all of it has to count as all.
    return Math.max(0, Math.ceil(this.heard() * 1_000 - 1e-6));
  }

  /** Whether anything is still to be heard. */
  get isPlaying(): boolean {
    this.settle();
    return this.pieces.length > 0;
  }
}
