// Who cannot see, point or bear movement, reads from the right, or has to get away.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mockLlm } from "../mock-llm.mjs";
import { startStack, until } from "../stack.mjs";
import { DESKTOP, PHONE, openBrowser, shot } from "./browser.mjs";
import { audit, composer, finished, open as openPage, say, variants } from "./page.mjs";

let stack, llm, browser;
before(async () => {
  llm = await mockLlm();
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url } });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await stack?.close(); await llm?.close(); });

const open = (options) => openPage(browser, stack.url, { reducedMotion: "reduce", ...options });
const LEAST = 95;

/** Axe in both themes; the page follows the device's. */
async function sound(page, name, scores) {
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html.${colorScheme}`).waitFor();
    const { serious, score, minor } = await audit(page);
    assert.deepEqual(serious, [], `${name}, ${colorScheme}`);
    assert.ok(score >= LEAST, `${name}, ${colorScheme}: ${score} (${minor})`);
    scores.push(score);
    await shot(page, `axe-${name}-${colorScheme}`);
  }
}

test("axe finds nothing serious in any layout, dark or light, on a phone or a desktop", async (t) => {
  const scores = [];
  for (const { id, config } of variants("CHAT_UI_LAYOUT")) {
    for (const viewport of [PHONE, DESKTOP]) {
      const page = await open({ viewport, configs: { CHAT_UI_LAYOUT: config } });
      await sound(page, `${id}-welcome-${viewport.width}`, scores);
      await say(page, "What a day. words=9 delay=1");
      await page.locator(".rating").waitFor();
      await sound(page, `${id}-talk-${viewport.width}`, scores);
      await page.context().close();
    }
  }
  t.diagnostic(`axe: ${Math.min(...scores)} to ${Math.max(...scores)} of 100 over ${scores.length} audits`);
});

test("nor in any other form: compose positions, topics, ratings, sheets, a crisis, and from right to left", async (t) => {
  const scores = [];
  const all = [
    ...["top-fixed", "inline"].map((position) => [`compose-${position}`, { configs: { COMPOSE_POSITION: { position } } }]),
    ...["drill-down", "tabs"].map((form) => [`topics-${form}`, { configs: { TOPIC_HIERARCHY: { form } } }]),
    ...["words5", "thumbs", "slider10", "emoji5"].map((scale) => [`rating-${scale}`, { configs: { RATING_VARIANT: { scale, question: "How calm was that?", low: "restless", high: "calm" } }, words: "Well. words=2" }]),
    ...["dots", "shimmer"].map((style) => [`ghost-${style}`, { configs: { GHOST_CHAR_STYLE: { style } }, words: "Slowly. words=2 first=20000", busy: true }]),
    ["crisis", { words: "I want to die" }],
    ["arabic", { language: "ar-EG", words: "words=4" }],
    ["sheet-settings", { path: "/settings" }],
    ["sheet-plans", { path: "/plans" }],
    ["sheet-help", { path: "/help" }],
    ["sheet-arabic", { path: "/settings", language: "ar" }],
  ];
  for (const [name, { words, busy, ...options }] of all) {
    const page = await open({ viewport: PHONE, ...options });
    if (options.path) await page.getByRole("dialog").waitFor();
    if (words) {
      await say(page, words);
      if (busy) await page.locator(".ghost").waitFor({ state: "attached" });
      else await finished(page);
      await page.waitForTimeout(300);
    }
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: no sideways scrolling`);
    await sound(page, name, scores);
    await page.context().close();
  }
  t.diagnostic(`axe: ${Math.min(...scores)} to ${Math.max(...scores)} of 100 over ${scores.length} audits`);
});

/** Goes on by Tab until the focus is on what is called so. */
async function tabTo(page, label) {
  for (let n = 0; n < 60; n++) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent?.trim());
    if (here === label) return;
  }
  assert.fail(`${label} is not reached by Tab`);
}

test("by keyboard alone: a line to begin with, a talk, a rating, the settings, and away", async () => {
  // Of the forty questions one whose answers are known here.
  const page = await open({ configs: { RATING_VARIANT: { scale: "thumbs", question: "Was this helpful just now?", low: "no", high: "yes" } } });
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, "Skip to the conversation");
  await page.keyboard.press("Enter");
  await tabTo(page, "SleepI lie awake and my thoughts go round.");
  await page.keyboard.press("Enter");
  assert.equal(await composer(page).inputValue(), "I lie awake and my thoughts go round.");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("words=3");
  await page.keyboard.press("Enter");
  await page.locator(".rating").waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, "yes");
  const taken = page.waitForResponse(/\/feedback$/);
  await page.keyboard.press("Enter");
  assert.equal((await taken).status(), 204);
  await page.evaluate(() => document.activeElement.blur());
  await tabTo(page, "Settings");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Settings" });
  await dialog.waitFor();
  // The first key pressed in a sheet must not be the one that leaves.
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H2");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await until("the way back to the conversation", () => /\/c\/ses_/.test(page.url()));
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("the way out works from within every sheet, by a tap and by Esc twice", async () => {
  for (const path of ["/settings", "/plans", "/help"]) {
    for (const way of ["tap", "keys"]) {
      const page = await open({ viewport: PHONE, path });
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      await page.context().setOffline(true);
      if (way === "tap") await dialog.getByRole("button", { name: "Leave" }).click();
      else await page.keyboard.press("Escape").then(() => page.keyboard.press("Escape"));
      await until(`an empty page from ${path}`, async () => await page.evaluate(() => document.body.childElementCount) === 0);
      assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), sessionStorage.length, location.pathname]), [["si-since"], 0, "/"]);
      await page.context().close();
    }
  }
});

test("a crisis answer is seen from its beginning, and each way to reach help is one tap of at least 44 pixels", async () => {
  const page = await open({ viewport: PHONE });
  for (const text of ["Hello. words=90 delay=1", "More. words=90 delay=1"]) {
    await say(page, text);
    await finished(page);
  }
  await say(page, "I want to die");
  const card = page.getByRole("region", { name: "Support" });
  await card.waitFor();
  await finished(page);
  await card.getByLabel("Help in").selectOption("US");
  await card.getByRole("link", { name: "Call 988" }).first().waitFor();
  const answer = await page.locator("li.heard").last().boundingBox();
  assert.ok(answer.y >= 0 && answer.y < 140, `the answer begins at ${answer.y}`);
  const hrefs = await card.getByRole("link").evaluateAll((links) => links.map((link) => [link.getAttribute("href"), link.getBoundingClientRect().height]));
  for (const [href, height] of hrefs) {
    assert.match(href, /^(tel:|sms:|https?:)/);
    assert.ok(height >= 44, `${href}: ${height}`);
  }
  const all = hrefs.map(([href]) => href);
  for (const wanted of ["tel:911", "tel:988", "sms:988", "sms:741741?&body=HOME"]) assert.ok(all.includes(wanted), wanted);
  await page.context().close();
});
