// Chance that a text decides: the same text gives the same numbers, whatever was asked before it and in whatever order.

/** MurmurHash3's finalizer: every bit of the input reaches every bit of the output. */
const mixed = (hash) => {
  let value = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
};

/** 32 bits of a text (FNV-1a, finished). */
export function hash(text) {
  let value = 0x811c9dc5;
  for (let n = 0; n < text.length; n++) value = Math.imul(value ^ text.charCodeAt(n), 0x01000193);
  return mixed(value);
}

/** Numbers for one purpose, which `text` names. */
export class Chance {
  constructor(text) {
    this.state = hash(text);
  }

  /** 32 bits. */
  next() {
    this.state = (this.state + 0x9e3779b9) >>> 0;
    return mixed(this.state);
  }

  /** From 0 to 1, without 1. */
  share() {
    return this.next() / 2 ** 32;
  }

  is(probability) {
    return this.share() < probability;
  }

  whole(from, to) {
    return from + Math.floor(this.share() * (to - from + 1));
  }

  /** One of `[value, weight]`. */
  of(weighted) {
    let left = this.share() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [value, weight] of weighted) {
      left -= weight;
      if (left < 0) return value;
    }
    return weighted.at(-1)[0];
  }

  /** About 0, spread 1: twelve shares come close enough to the normal distribution, within 6. */
  normal() {
    let sum = -6;
    for (let n = 0; n < 12; n++) sum += this.share();
    return sum;
  }

  /** Around a median, skewed to the right: a spread of 0.3 puts the 95th percentile at 1.6 times the median. */
  skewed(median, spread) {
    return median * Math.exp(spread * this.normal());
  }
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** An id with its time, as `shared/core/src/ids.rs` makes it. */
export function ulid(prefix, atMs, chance) {
  let time = "";
  for (let value = atMs, n = 0; n < 10; n++, value = Math.floor(value / 32)) time = ALPHABET[value % 32] + time;
  let random = "";
  for (let n = 0; n < 16; n++) random += ALPHABET[chance.next() >>> 27];
  return prefix + time + random;
}

export const hex = (bytes, chance) => Array.from({ length: bytes }, () => (chance.next() >>> 24).toString(16).padStart(2, "0")).join("");
