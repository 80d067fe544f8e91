import { expect, test } from "vitest";
import registry from "../../../shared/core/seed/registry.json";
import { TOPICS } from "../topics";
import { uiOf } from "../variants";
import { LANGUAGES, type Language, direction, localeOf, preferred } from ".";
import { ar } from "./ar";
import { de } from "./de";
import { en } from "./en";
import { es } from "./es";
import { ja } from "./ja";
import { translated } from "./ratings";

const all = { en, es, de, ar, ja } as Record<Language, typeof en>;

/** Every word by its path; functions are asked with sample values. */
function words(value: unknown, path = ""): [string, string][] {
  if (typeof value === "function") return [[path, String((value as (a: unknown, b: unknown) => unknown)("3", "5"))]];
  if (typeof value === "string") return [[path, value]];
  return Object.entries(value as object).flatMap(([key, inner]) => words(inner, `${path}.${key}`));
}

test("no word is empty, and none was left in English by oversight", () => {
  const same = new Set([".name", ".listener", ".plans.tiers.plus.name", ".plans.tiers.pro.name", ".plans.tiers.max.name", ".regionTitle", ".plans.tiers.free.name", ".chat"]);
  const english = new Map(words(en));
  for (const [language, own] of Object.entries(all)) {
    for (const [path, word] of words(own)) {
      expect(word.trim(), `${language}${path}`).not.toBe("");
      if (language !== "en" && !same.has(path)) expect(word, `${language}${path}`).not.toBe(english.get(path));
    }
    // The word to type is the word that is asked for.
    expect(own.eraseType).toContain(own.eraseWord);
  }
});

test("every rating question of the registry is known in every language", async () => {
  const forms = registry.variants.filter(({ category }) => category === "RATING_VARIANT").map(({ config }) => uiOf({ RATING_VARIANT: config }).rating);
  expect(forms).toHaveLength(40);
  for (const language of Object.keys(LANGUAGES) as Language[]) {
    for (const form of forms) {
      const own = await translated(form, language);
      expect(own?.scale, `${language}: ${form.question}`).toBe(form.scale);
      if (language !== "en") expect(own?.question).not.toBe(form.question);
    }
  }
  expect(await translated({ question: "Is this new?", low: "no", high: "yes", scale: "thumbs" }, "de")).toBeUndefined();
});

test("lines to begin with differ from each other", () => {
  for (const [language, own] of Object.entries(all)) {
    const lines = TOPICS.flatMap((id) => own.topics[id].lines);
    expect(new Set(lines).size, language).toBe(lines.length);
  }
});

test("the language is the one chosen, else the browser's first that is known, else English", () => {
  expect(preferred("ja", ["de"])).toBe("ja");
  expect(preferred(null, ["fr-FR", "es-MX", "en"])).toBe("es");
  expect(preferred("xx", ["AR-eg"])).toBe("ar");
  expect(preferred(null, ["fr"])).toBe("en");
  expect(localeOf("en", ["de", "en-GB"])).toBe("en-GB");
  expect(localeOf("ja", ["en-GB"])).toBe("ja");
  expect([direction("ar"), direction("ja")]).toEqual(["rtl", "ltr"]);
});
