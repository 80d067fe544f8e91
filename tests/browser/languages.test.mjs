// The interface in five languages, one of them from right to left.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mockLlm } from "../mock-llm.mjs";
import { startStack, until } from "../stack.mjs";
import { DESKTOP, PHONE, openBrowser, shot } from "./browser.mjs";
import { finished, open as openPage, say } from "./page.mjs";

let stack, llm, browser;
before(async () => {
  llm = await mockLlm();
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url } });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await stack?.close(); await llm?.close(); });

const open = (options) => openPage(browser, stack.url, options);
const RATING = { RATING_VARIANT: { scale: "stars5", question: "How did that land?", low: "not at all", high: "just right" } };

test("the page speaks the browser's language, and so do the session, the starters and the rating", async () => {
  const said = {
    "es-MX": ["¿Qué tienes en la mente?", "¿Cómo te ha llegado esto?", /[áéíóúñ¿]|que/],
    "de-AT": ["Was beschäftigt dich?", "Wie ist das bei dir angekommen?", /\b(ich|mir|mich|meinen|jemand\w*)\b/i],
    "ar-EG": ["ما الذي يشغل بالك؟", "كيف وقع ذلك عليك؟", /[\u0600-\u06ff]/],
    "ja-JP": ["いま、何が心にありますか。", "いまの言葉は、どう届きましたか。", /[\u3040-\u30ff]/],
    "fr-FR": ["What’s on your mind?", "How did that land?", /\bI\b|my/],
  };
  for (const [language, [greeting, question, starter]] of Object.entries(said)) {
    const context = await browser.newContext({ viewport: PHONE, locale: language, serviceWorkers: "block" });
    const asked = context.waitForEvent("request", (request) => request.method() === "POST" && request.url().endsWith("/v1/sessions"));
    const page = await open({ context, configs: RATING });
    await page.getByRole("heading", { name: greeting }).waitFor();
    assert.equal((await asked).postDataJSON().locale, language === "fr-FR" ? "en" : language);
    assert.deepEqual(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), [language === "fr-FR" ? "en" : language.slice(0, 2), language === "ar-EG" ? "rtl" : "ltr"]);
    assert.match((await page.locator(".starters button").allInnerTexts()).join(" "), starter);
    // Only the language in use is loaded.
    const scripts = await page.evaluate(() => performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => /\/(en|es|de|ar|ja)-[\w-]+\.js$/.test(name)));
    assert.equal(new Set(scripts).size, 1, scripts.join());
    await say(page, "words=3");
    await page.getByRole("group", { name: question }).waitFor();
    await shot(page, `language-${language}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${language}: no sideways scrolling`);
    assert.deepEqual(page.faults, []);
    await context.close();
  }
});

test("a language chosen in the settings holds at once, under a running answer too, and for what comes", async () => {
  const page = await open();
  await say(page, "Go on while I choose. words=30 delay=120");
  await page.locator("li.heard").getByText("word2.").waitFor();
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("radio", { name: "العربية" }).click();
  await page.getByRole("dialog", { name: "الإعدادات" }).waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "إغلاق" }).click();
  await finished(page);
  await until("the whole answer", async () => /^word0\..* word29\.$/s.test(await page.locator("li.heard .text").innerText()));
  assert.equal(await page.locator("li.heard").count(), 1);
  // From right to left: the conversations are on the right, what the person says is on the left.
  const [side, mine] = await Promise.all([page.locator(".side").boundingBox(), page.locator("li.said .text").boundingBox()]);
  assert.ok(side.x > DESKTOP.width / 2 && mine.x < DESKTOP.width / 2);
  assert.match(await page.locator(".entry time").first().innerText(), /[\u0660-\u0669\u0600-\u06ff]/, "dates follow the language");
  const asked = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/v1/sessions"));
  await page.keyboard.press("Control+k");
  assert.equal((await asked).postDataJSON().locale, "ar");
  await page.getByRole("heading", { name: "ما الذي يشغل بالك؟" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "ما الذي يشغل بالك؟" }).waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("settings: the region decides whose help is shown, the appearance stays, data can be taken and destroyed", async () => {
  const page = await open({ viewport: PHONE, path: "/settings", theme: "dark" });
  const dialog = page.getByRole("dialog", { name: "Settings" });
  await dialog.getByLabel("Help in").selectOption("JP");
  await dialog.getByRole("radio", { name: "Light" }).check();
  assert.equal(await page.evaluate(() => document.documentElement.className), "light");
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Help now" }).click();
  await page.getByRole("dialog", { name: "Help near you" }).getByRole("link").first().waitFor();
  assert.equal(await page.getByRole("dialog").getByLabel("Help in").inputValue(), "JP");
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.className), "light");
  await page.goto(`${stack.url}/settings`);
  await dialog.getByRole("link", { name: "Download everything" }).waitFor();
  await dialog.getByRole("button", { name: "Delete everything" }).click();
  await dialog.getByRole("textbox", { name: "Type DELETE to confirm" }).fill("delete");
  assert.equal(await dialog.getByRole("button", { name: "Delete everything" }).isDisabled(), true);
  await dialog.getByRole("textbox", { name: "Type DELETE to confirm" }).fill("DELETE");
  const erased = page.waitForResponse((response) => response.request().method() === "DELETE" && response.url().endsWith("/v1/me"));
  await dialog.getByRole("button", { name: "Delete everything" }).click();
  assert.equal((await erased).status(), 202);
  await page.getByRole("heading", { name: "What’s on your mind?" }).waitFor();
  assert.deepEqual(await page.evaluate(() => [localStorage.getItem("si-country"), localStorage.getItem("si-theme")]), [null, null]);
  await page.context().close();
});
