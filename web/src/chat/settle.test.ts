import { expect, test } from "vitest";
import { murmur, otherLetter, settling } from "./settle";

/** A chance that is repeatable. */
const chance = (seed: number) => () => {
  seed = (seed * 16_807) % 2_147_483_647;
  return seed / 2_147_483_647;
};

test("a letter becomes another of its script, and nothing else moves", () => {
  for (const [letter, script] of [["e", /[a-z]/], ["Q", /[A-Z]/], ["ß", /[a-z]/], ["ж", /[а-я]/], ["ن", /[\u0600-\u06ff]/], ["語", /[\u3040-\u309f]/], ["λ", /[α-ω]/]] as const) {
    expect(otherLetter(letter, chance(7)), letter).toMatch(script);
  }
  for (const sign of [" ", "*", "`", "\n", "7", "🌙", "."]) expect(otherLetter(sign, chance(7))).toBe(sign);
});

test("what was there stays, what is new settles wholly", () => {
  const text = "Long known. **Quite** new 🌙 — and then?";
  for (let seed = 1; seed < 50; seed++) {
    for (const done of [0, 0.3, 0.7]) {
      const shown = settling(text, 12, done, chance(seed));
      expect(shown.slice(0, 12)).toBe("Long known. ");
      // Letter for letter the same shape: spaces, signs and Markdown do not move.
      expect(shown.replace(/\p{L}/gu, "x")).toBe(text.replace(/\p{L}/gu, "x"));
      expect([...shown].length).toBe([...text].length);
    }
    expect(settling(text, 12, 1, chance(seed))).toBe(text);
  }
  expect(settling(text, 12, 0, chance(3))).not.toBe(text);
});

test("a murmur is letters and spaces", () => expect(murmur(chance(5))).toMatch(/^[a-z]{5} [a-z]{3} [a-z]{7} [a-z]{4} [a-z]{6}$/));
