// Letters that settle into words: for a moment a new letter is another one of its own script.
const SCRIPTS: [RegExp, string][] = [
  [/\p{Script=Arabic}/u, "ابتثجحدرسصطعفقكلمنهوي"],
  [/\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Han}/u, "あいうえおかきくけこさしすせそたちつてと"],
  [/\p{Script=Cyrillic}/u, "абвгдежзиклмнопрстуя"],
  [/\p{Script=Greek}/u, "αβγδεζηθικλμνοπρστυ"],
  [/\p{Lu}/u, "ABCDEFGHKLMNOPRSTUVZ"],
  [/\p{L}/u, "aceimnorsuvxzhkltdbp"],
];

export type Chance = () => number;

/** Another letter of the same script; what is no letter stays, so that neither spaces nor Markdown move. */
export function otherLetter(letter: string, chance: Chance): string {
  const alphabet = SCRIPTS.find(([script]) => script.test(letter))?.[1];
  return alphabet?.[Math.floor(chance() * alphabet.length)] ?? letter;
}

/**
 * The text with the letters from `from` on partly settled.
 * @param done 0 (all are other letters) to 1 (all are their own); a letter near the end settles later.
 */
export function settling(text: string, from: number, done: number, chance: Chance = Math.random): string {
  if (done >= 1) return text;
  const fresh = [...text.slice(from)];
  const settled = fresh.map((letter, at) => (done * 1.6 > 0.6 * (at / fresh.length) + chance() ? letter : otherLetter(letter, chance)));
  return text.slice(0, from) + settled.join("");
}

/** A line of letters that mean nothing yet, words of uneven length. */
export function murmur(chance: Chance = Math.random): string {
  return [5, 3, 7, 4, 6].map((length) => Array.from({ length }, () => otherLetter("a", chance)).join("")).join(" ");
}
