// The interface's language: one of five, loaded alone. Dates and numbers follow it by Intl.
import { useSyncExternalStore } from "react";
import type { Words } from "./en";

export type { Words };
export const LANGUAGES = { en: "English", es: "Español", de: "Deutsch", ar: "العربية", ja: "日本語" } as const;
export type Language = keyof typeof LANGUAGES;

const loaders: Record<Language, () => Promise<Words>> = {
  en: () => import("./en").then((file) => file.en),
  es: () => import("./es").then((file) => file.es),
  de: () => import("./de").then((file) => file.de),
  ar: () => import("./ar").then((file) => file.ar),
  ja: () => import("./ja").then((file) => file.ja),
};

const KEY = "si-language";
const known = (tag: string): Language | undefined => (Object.keys(LANGUAGES) as Language[]).find((name) => name === tag.toLowerCase().split("-")[0]);

/** What was chosen, else the first language of the browser that the interface speaks. */
export function preferred(chosen: string | null, browser: readonly string[]): Language {
  return known(chosen ?? "") ?? browser.map(known).find((name) => name !== undefined) ?? "en";
}

/** The tag for a session and for Intl: the browser's own where it is of this language, because it knows the region. */
export function localeOf(language: Language, browser: readonly string[]): string {
  return browser.find((tag) => known(tag) === language) ?? language;
}

interface State { language: Language; locale: string; words: Words }
let state: State | null = null;
const watchers = new Set<() => void>();

export const direction = (language: Language) => (language === "ar" ? "rtl" : "ltr");

async function use(language: Language) {
  const words = await loaders[language]();
  state = { language, locale: localeOf(language, navigator.languages), words };
  document.documentElement.lang = language;
  document.documentElement.dir = direction(language);
  watchers.forEach((watcher) => watcher());
}

/** Loads the language of this person; English where its file cannot be had. */
export const begin = () => use(preferred(localStorage.getItem(KEY), navigator.languages)).catch(() => use("en"));

export async function speak(language: Language) {
  await use(language);
  localStorage.setItem(KEY, language);
}

function current(): State {
  if (!state) throw new Error("no language is loaded yet");
  return state;
}

const watch = (watcher: () => void) => {
  watchers.add(watcher);
  return () => { watchers.delete(watcher); };
};
const useState = () => useSyncExternalStore(watch, current);
export const useWords = () => useState().words;
export const useLanguage = () => useState().language;
export const useLocale = () => useState().locale;
/** The locale outside of a component. */
export const locale = () => current().locale;
