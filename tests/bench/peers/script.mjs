// What is asked and what the model says: known to the client, which checks every answer by it, and to the model's server.

const SENTENCE = "Let us look at this slowly, and take one step after another.".split(" ");
const SAID = "I had a long day at work and would like to think it over with you.";

/** The tokens of an answer: words, of which twelve are a sentence, as models say them. */
export const tokens = (count) => Array.from({ length: count }, (_, at) => `${at === 0 ? "" : " "}${SENTENCE[at % SENTENCE.length]}`);

/** The whole answer. */
export const answer = (count) => tokens(count).join("");

/** Where an answer begins, in JSON, whoever wrote it. */
export const BEGINS = new RegExp(`"(?:content|delta)":\\s?"${SENTENCE[0]}`);

/** The message; what the model shall do stands in it, so that every path carries it there. */
export const message = ({ first, words }) => `${SAID} first=${first} words=${words}`;

/** What a message asks for: milliseconds before the first token, and how many of them. */
export function asked(text) {
  const found = / first=(\d+) words=(\d+)$/.exec(text);
  return found && { first: Number(found[1]), words: Number(found[2]) };
}
