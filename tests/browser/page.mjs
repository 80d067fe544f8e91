// A person at the page: opening it, saying something, and having the variants that a test wants.
import { readFileSync } from "node:fs";
import { root } from "../stack.mjs";
import { DESKTOP } from "./browser.mjs";

/**
 * Opens the page in a context of its own (or the one given) and waits until it can be written to.
 * `faults` gathers what the page threw or complained of.
 */
export async function open(browser, url, { viewport = DESKTOP, theme = "dark", path = "/", context, configs, language = "en-GB", ...options } = {}) {
  const own = context ?? await browser.newContext({ viewport, colorScheme: theme, locale: language, serviceWorkers: "block", ...options });
  if (configs) await force(own, configs);
  const page = await own.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error" && !/Failed to load resource/.test(line.text())) page.faults.push(line.text()); });
  await page.goto(url + path);
  await page.locator(".composer textarea").waitFor({ state: "attached" });
  return page;
}

/** Puts configs of variants into what the server answers about a session. */
export async function force(context, configs) {
  await context.route(/\/v1\/sessions(\/ses_[0-9a-z]{26})?(\?.*)?$/, async (route) => {
    // The list has no assignment.
    if (route.request().method() === "GET" && !route.request().url().includes("/ses_")) return route.fallback();
    const response = await route.fetch();
    const body = await response.json().catch(() => null);
    if (!body?.assignment) return route.fulfill({ response });
    body.assignment.configs = { ...body.assignment.configs, ...configs };
    return route.fulfill({ response, json: body });
  });
}

/** Every variant of the registry's seed, by category. */
export function variants(category) {
  const { variants: all } = JSON.parse(readFileSync(`${root}/shared/core/seed/registry.json`, "utf8"));
  return all.filter((variant) => variant.category === category);
}

export const composer = (page) => page.locator(".composer textarea");
export const say = async (page, text) => {
  await composer(page).fill(text);
  await page.keyboard.press("Enter");
};
export const finished = (page) => page.locator(".composer button[type=submit]").waitFor();

const axe = readFileSync(`${root}/node_modules/axe-core/axe.min.js`, "utf8");

/** What axe finds: its serious findings, and the share of its rules that hold, in percent. */
export async function audit(page) {
  // What fades in has little contrast until it is there; what moves for ever is not awaited.
  await page.evaluate(() => Promise.all(document.getAnimations()
    .filter(({ playState, effect }) => playState === "running" && Number.isFinite(effect?.getComputedTiming().endTime))
    .map(({ finished }) => finished.catch(() => undefined))));
  // The page's policy forbids inline scripts, so axe comes in as the debugger's.
  const { violations, passes } = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations", "passes"] })`);
  return {
    serious: violations.filter(({ impact }) => ["serious", "critical"].includes(impact)).map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`),
    score: Math.round((100 * passes.length) / (passes.length + violations.length)),
    minor: violations.map(({ id }) => id),
  };
}
