// The twin's page, as an owner and as a visitor.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { twinModel } from "../e2e/twin-model.mjs";
import { startStack, until } from "../stack.mjs";
import { PHONE, openBrowser } from "./browser.mjs";
import { audit } from "./page.mjs";

let model, stack, browser;
before(async () => {
  model = await twinModel();
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: model.url } });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await stack?.close(); await model?.close(); });

async function open(path) {
  const context = await browser.newContext({ viewport: PHONE, serviceWorkers: "block" });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error" && !/Failed to load resource/.test(line.text())) page.faults.push(line.text()); });
  await page.goto(stack.url + path);
  return page;
}
const say = async (page, text) => {
  await page.locator("#message").fill(text);
  await page.keyboard.press("Enter");
};

test("upload a persona, talk with it, share it; a visitor talks too, until the link is taken back", async () => {
  const page = await open("/twin/");
  await page.locator("#edit").click();
  await page.locator("#source").fill("# Bo\nI am Bo. MARKER-page <img src=x onerror=alert(1)>");
  await page.locator("#save-new").click();
  await page.locator("h1", { hasText: "Bo" }).waitFor();
  await say(page, "My name is Alice. What is your marker?");
  await page.locator("li.heard", { hasText: "My marker is MARKER-page." }).waitFor();
  await until("the fact", async () => {
    await page.locator("#memory").click();
    const found = await page.locator("#remembered", { hasText: "name: Alice" }).count();
    await page.locator("#facts button[value=close]").click();
    return found === 1;
  });
  await page.locator("#share").click();
  await page.locator("#new-link").click();
  const url = await page.locator("#shares a").getAttribute("href");

  const guest = await open(url.replace(stack.url, ""));
  await guest.locator("h1", { hasText: "Bo" }).waitFor();
  assert.equal(await guest.locator("#edit").isVisible(), false);
  await say(guest, "marker?");
  await guest.locator("li.heard", { hasText: "My marker is MARKER-page." }).waitFor();

  await page.locator("#shares button", { hasText: "Take back" }).click();
  await until("the link to go", async () => (await page.locator("#shares li").count()) === 0);
  await say(guest, "still there?");
  await guest.locator("#fault", { hasText: /\S/ }).waitFor();
  assert.deepEqual([...page.faults, ...guest.faults], []);
});

test("a crisis shows help, and the page is accessible", async () => {
  const page = await open("/twin/");
  await say(page, "I want to kill myself tonight");
  await page.locator("li.care a[href^='tel:']").first().waitFor();
  const { serious } = await audit(page);
  assert.deepEqual(serious, []);
  assert.deepEqual(page.faults, []);
});
