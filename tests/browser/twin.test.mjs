// The twin's page, as an owner and as a visitor, on a phone and on a desk.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { twinModel } from "../e2e/twin-model.mjs";
import { startStack, until } from "../stack.mjs";
import { DESKTOP, PHONE, openBrowser, shot } from "./browser.mjs";
import { audit } from "./page.mjs";

let model, stack, browser;
before(async () => {
  model = await twinModel();
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: model.url } });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await stack?.close(); await model?.close(); });

async function open(path, viewport = PHONE) {
  const context = await browser.newContext({ viewport, serviceWorkers: "block", locale: "en-GB" });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error" && !/Failed to load resource/.test(line.text())) page.faults.push(line.text()); });
  await page.goto(stack.url + path);
  await page.locator("h1").waitFor();
  return page;
}
const tool = (page, name) => page.getByRole("button", { name, exact: true });
const said = async (page, text) => {
  await page.locator("form.composer textarea").fill(text);
  await page.keyboard.press("Enter");
};
const heard = (page, text) => page.locator("li.heard", { hasText: text }).last().waitFor();
const PERSONA = "# Bo\nI am Bo. MARKER-page <img src=x onerror=alert(1)>";

test("upload a persona, talk with it, share it; a visitor talks too, until the link is taken back", async () => {
  const page = await open("/twin/", DESKTOP);
  await page.locator("h1", { hasText: "Sol" }).waitFor();
  await tool(page, "New twin").click();
  await page.locator("dialog textarea").fill(PERSONA);
  await tool(page, "Create twin").click();
  await page.locator("h1", { hasText: "Bo" }).waitFor();
  await shot(page, "twin-empty-1440");
  await said(page, "My name is Alice. What is your marker?");
  await heard(page, "My marker is MARKER-page.");
  await until("the fact", async () => {
    await tool(page, "Memory").click();
    const found = await page.locator("dialog li", { hasText: "name: Alice" }).first().waitFor({ timeout: 1_000 }).then(() => true, () => false);
    if (found) await shot(page, "twin-memory-1440");
    await page.keyboard.press("Escape");
    return found;
  });
  // The conversation is there after a reload, and goes on.
  await page.reload();
  await page.locator(".chip", { hasText: "Bo" }).click();
  await heard(page, "My marker is MARKER-page.");
  await said(page, "What is my name?");
  await heard(page, "Alice");
  await shot(page, "twin-talk-1440");

  await tool(page, "Share").click();
  await page.getByRole("button", { name: /New link/ }).click();
  const url = await page.locator("dialog .rows a").getAttribute("href");
  await shot(page, "twin-links-1440");
  const guest = await open(url.replace(stack.url, ""));
  await guest.locator("h1", { hasText: "Bo" }).waitFor();
  assert.equal(await tool(guest, "Edit").count(), 0);
  assert.equal(await guest.locator(".twins").count(), 0);
  await said(guest, "marker?");
  await heard(guest, "My marker is MARKER-page.");
  await shot(guest, "twin-visitor-390");

  await page.locator("dialog .rows").getByRole("button", { name: "Take back" }).click();
  await page.locator("dialog .rows", { hasText: "Nobody has a link." }).waitFor();
  await said(guest, "still there?");
  await guest.locator("[role=alert]", { hasText: /\S/ }).waitFor();
  const late = await open(url.replace(stack.url, ""));
  await late.locator("h1", { hasText: "This link has ended" }).waitFor();
  assert.deepEqual([...page.faults, ...guest.faults, ...late.faults], []);
});

test("by keyboard on a phone: make, edit, be told what is wrong, take along, delete", async () => {
  const page = await open("/twin/");
  const press = async (locator) => { await locator.focus(); await page.keyboard.press("Enter"); };
  await press(tool(page, "New twin"));
  await page.locator("dialog textarea").focus();
  await page.keyboard.type('{"spec":"chara_card_v2"}');
  await press(tool(page, "Create twin"));
  await page.locator("dialog [role=alert]", { hasText: /\S/ }).waitFor();
  await page.locator("dialog textarea").fill(PERSONA);
  await shot(page, "twin-persona-390");
  await press(tool(page, "Create twin"));
  await page.locator("h1", { hasText: "Bo" }).waitFor();
  await press(tool(page, "Edit"));
  await until("the source", async () => (await page.locator("dialog textarea").inputValue()) === PERSONA);
  const card = await (await page.request.get(stack.url + (await page.locator("dialog a", { hasText: "JSON" }).getAttribute("href")))).json();
  assert.equal(card.spec, "chara_card_v3");
  await page.locator("dialog textarea").fill(PERSONA.replaceAll("Bo", "Io"));
  await press(tool(page, "Save"));
  await page.locator("h1", { hasText: "Io" }).waitFor();
  await press(tool(page, "Edit"));
  await press(tool(page, "Delete this twin"));
  await press(page.locator("dialog .danger"));
  await page.locator("h1", { hasText: "Sol" }).waitFor();
  assert.equal(await page.locator(".chip", { hasText: "Io" }).count(), 0);
  assert.deepEqual(page.faults, []);
});

test("a file that is dropped, or chosen, is the persona", async () => {
  const page = await open("/twin/");
  await tool(page, "New twin").click();
  await page.locator("dialog input[type=file]").setInputFiles({ name: "me.md", mimeType: "text/markdown", buffer: Buffer.from("# Una\nI am Una.") });
  await page.locator("h1", { hasText: "Una" }).waitFor();
  assert.deepEqual(page.faults, []);
});

test("an answer can be stopped", async () => {
  const page = await open("/twin/");
  await said(page, "Tell me slowly.");
  await heard(page, "I hear you.");
  await page.locator(".composer button:not([type=submit])").click();
  await page.locator("li.heard .note", { hasText: "Stopped here." }).waitFor();
  await said(page, "What is my name?");
  await heard(page, "I do not know your name yet.");
  assert.deepEqual(page.faults, []);
});

test("a crisis shows help, and the page is accessible at both widths", async () => {
  for (const viewport of [PHONE, DESKTOP]) {
    const page = await open("/twin/", viewport);
    await shot(page, `twin-empty-${viewport.width}`);
    const empty = await audit(page);
    await said(page, "I want to kill myself tonight");
    await page.locator(".care a[href^='tel:']").first().waitFor();
    await shot(page, `twin-crisis-${viewport.width}`);
    const { serious } = await audit(page);
    assert.deepEqual([...empty.serious, ...serious], []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, "nothing is wider than the page");
    assert.deepEqual(page.faults, []);
  }
});
