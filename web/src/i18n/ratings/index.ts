// The registry's rating questions in the other languages, by their English words: a question that is new there is shown
// as it is until it has been translated here.
import type { RatingForm } from "../../variants";
import type { Language } from "..";

/** English question → question, low end, high end. */
export type RatingWords = Record<string, readonly [question: string, low: string, high: string]>;

const loaders: Record<Exclude<Language, "en">, () => Promise<RatingWords>> = {
  es: () => import("./es").then((file) => file.es),
  de: () => import("./de").then((file) => file.de),
  ar: () => import("./ar").then((file) => file.ar),
  ja: () => import("./ja").then((file) => file.ja),
};

/** The form in a language; none where only its English is known. */
export async function translated(form: RatingForm, language: Language): Promise<RatingForm | undefined> {
  if (language === "en") return form;
  const [question, low, high] = (await loaders[language]())[form.question] ?? [];
  return question && low && high ? { ...form, question, low, high } : undefined;
}
