// A whole talk in a real browser; useChat in the page is the client of the stream.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { mockLlm } from "../mock-llm.mjs";
import { startStack, until } from "../stack.mjs";
import { DESKTOP, PHONE, openBrowser, shot } from "./browser.mjs";
import { audit, finished, open as openPage, say } from "./page.mjs";

let stack, llm, browser;
before(async () => {
  llm = await mockLlm();
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url } });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await stack?.close(); await llm?.close(); });

const open = (options) => openPage(browser, stack.url, options);
const answers = (page) => page.locator("li.heard .text");

test("a person opens the page, talks, reloads, and the talk is still there", async () => {
  const page = await open();
  await page.getByText("You’re talking with an AI, not a person.").waitFor();
  await page.getByRole("heading", { name: "What’s on your mind?" }).waitFor();
  await shot(page, "welcome-desktop-dark");
  await say(page, "The **rain** kept me awake. words=5");
  await page.locator("ol.messages").getByText("word4.").first().waitFor();
  await finished(page);
  assert.match(page.url(), /\/c\/ses_/);
  await page.reload();
  await page.locator("ol.messages").getByText("word4.").first().waitFor();
  assert.equal(await page.locator("li.said .text").innerText(), "The **rain** kept me awake. words=5");
  await page.getByRole("button", { name: /The rain kept me awake/ }).first().waitFor();
  assert.deepEqual(page.faults, []);
});

test("markdown is shown, and markup is not run", async () => {
  const page = await open();
  await page.getByRole("textbox", { name: "Your message" }).waitFor();
  // The mock answers with words; a person's own text is never Markdown.
  await say(page, "<img src=x onerror=alert(1)> words=2");
  await page.locator("ol.messages").getByText("word1.").first().waitFor();
  assert.equal(await page.locator("li.said img").count(), 0);
  const csp = await page.evaluate(() => fetch("/").then((response) => response.headers.get("content-security-policy")));
  assert.match(csp, /script-src 'self'/);
});

test("the page follows the answer to its end, on a phone too, and not when the person reads further up", async () => {
  const page = await open({ viewport: PHONE });
  await say(page, "long words=160 delay=4");
  await finished(page);
  const rating = page.locator("li.heard .actions").last();
  await until("the end of the answer to be in sight", async () => {
    const [actions, composer] = await Promise.all([rating.boundingBox(), page.locator(".composer .pill").boundingBox()]);
    return actions && composer && actions.y + actions.height <= composer.y + 1;
  }, { timeout: 5_000 });
  await say(page, "again words=160 delay=10");
  await page.locator("li.heard").nth(1).getByText("word9.").waitFor();
  await page.evaluate(() => scrollTo({ top: 0 }));
  await finished(page);
  assert.equal(await page.evaluate(() => scrollY), 0);
});

test("an answer streams while it is made, survives a reload in the middle, and can be stopped", async () => {
  const page = await open();
  await say(page, "slow words=60 delay=60");
  await page.locator("ol.messages").getByText("word3.").first().waitFor();
  await page.reload();
  await page.locator("ol.messages").getByText("word8.").first().waitFor();
  assert.equal(await answers(page).count(), 1, "one answer, not two");
  await page.keyboard.press("Escape");
  await page.getByText("Stopped here.").waitFor();
  const text = await answers(page).innerText();
  assert.ok(text.startsWith("word0.") && !text.includes("word59."), text);
  assert.equal((text.match(/word1\./g) ?? []).length, 1);
  assert.deepEqual(page.faults, []);
});

test("the page comes back by itself when the connection drops", async () => {
  const context = await browser.newContext({ viewport: DESKTOP, locale: "en-GB", serviceWorkers: "block" });
  // Cuts every stream after a moment, as a train in a tunnel does.
  let cuts = 0;
  await context.exposeFunction("cutTold", () => { cuts++; });
  await context.addInitScript(() => {
    const real = window.fetch;
    window.fetch = async (input, init) => {
      const response = await real(input, init);
      if (!response.headers.get("x-turn-id") || window.cutsLeft === 0) return response;
      window.cutsLeft = (window.cutsLeft ?? 2) - 1;
      const reader = response.body.getReader();
      let chunks = 0;
      const body = new ReadableStream({
        async pull(controller) {
          const { value, done } = await reader.read();
          if (++chunks > 4 || done) { await reader.cancel(); window.cutTold(); controller.error(new TypeError("tunnel")); return; }
          controller.enqueue(value);
        },
      });
      return new Response(body, { status: response.status, headers: response.headers });
    };
  });
  const page = await open({ context });
  await say(page, "tunnel words=20 delay=40");
  await page.locator("ol.messages").getByText("word19.").first().waitFor();
  await finished(page);
  const text = await answers(page).innerText();
  for (let n = 0; n < 20; n++) assert.equal(text.split(`word${n}.`).length, 2, `word${n} once`);
  assert.equal(cuts, 2);
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("answer again and edit keep one visible exchange", async () => {
  const page = await open();
  await say(page, "first version words=2");
  await page.locator("ol.messages").getByText("word1.").first().waitFor();
  await finished(page);
  await page.getByRole("button", { name: "Answer again" }).click();
  await until("a second request", () => llm.about("first version").length === 2);
  await finished(page);
  assert.equal(await answers(page).count(), 1);
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByText("Editing your last message").waitFor();
  await page.getByRole("textbox", { name: "Your message" }).fill("second version words=3");
  await page.keyboard.press("Enter");
  await page.locator("ol.messages").getByText("word2.").first().waitFor();
  await finished(page);
  assert.deepEqual(await page.locator("li.said .text").allInnerTexts(), ["second version words=3"]);
  await page.reload();
  await page.locator("ol.messages").getByText("word2.").first().waitFor();
  assert.deepEqual(await page.locator("li.said .text").allInnerTexts(), ["second version words=3"]);
  assert.deepEqual(page.faults, []);
});

test("a failed answer says so and can be tried again", async () => {
  const page = await open();
  await say(page, "broken fault=cut@1 words=3");
  await page.getByText("This answer did not come through.").waitFor();
  await shot(page, "failed-desktop-dark");
  await page.getByRole("button", { name: "Try again" }).click();
  await until("a second request", () => llm.about("broken").length === 2);
});

test("a crisis shows people who can help, one tap away", async () => {
  const page = await open({ viewport: PHONE, theme: "light" });
  await say(page, "I want to die");
  const card = page.getByRole("region", { name: "Support" });
  await card.waitFor();
  assert.ok(await card.locator("a[href^='tel:'], a[href^='https:']").count() > 0);
  await finished(page);
  await shot(page, "crisis-phone-light");
  await card.getByLabel("Help in").selectOption("DE");
  await card.getByText("TelefonSeelsorge").first().waitFor();
  await shot(page, "crisis-phone-light-germany");
  // The choice holds for what comes next.
  await say(page, "I still want to die");
  await page.getByText("112").first().waitFor();
  assert.deepEqual(page.faults, []);
});

test("history, deletion of one conversation, export, and deletion of everything", async () => {
  const page = await open();
  await say(page, "a first conversation words=1");
  await page.locator("ol.messages").getByText("word0.").first().waitFor();
  await finished(page);
  await page.keyboard.press("Control+k");
  await page.getByRole("heading", { name: "What’s on your mind?" }).waitFor();
  await say(page, "a second conversation words=1");
  await page.locator("ol.messages").getByText("word0.").first().waitFor();
  await finished(page);
  await page.getByRole("button", { name: /^a second conversation/i }).waitFor();
  await page.getByRole("button", { name: /^Delete conversation: a first conversation/i }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete conversation" }).click();
  await until("it to be gone", async () => await page.getByRole("button", { name: /^a first conversation/i }).count() === 0);
  await page.getByRole("button", { name: "Settings" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download everything" }).click();
  const exported = JSON.parse(readFileSync(await (await download).path(), "utf8"));
  const said = exported.sessions.flatMap(({ messages }) => messages.map(({ parts }) => parts[0].text));
  assert.ok(said.includes("a second conversation words=1") && !said.includes("a first conversation words=1"));
  await page.getByRole("button", { name: "Delete everything" }).click();
  const confirm = page.getByRole("dialog").getByRole("button", { name: "Delete everything" });
  assert.equal(await confirm.isDisabled(), true);
  await page.getByRole("textbox", { name: "Type DELETE to confirm" }).fill("DELETE");
  await confirm.click();
  await page.getByRole("heading", { name: "What’s on your mind?" }).waitFor();
  assert.equal(await page.getByRole("button", { name: /^a second conversation/i }).count(), 0);
  assert.deepEqual(page.faults, []);
});

test("leaving works at once, by Esc twice and without a network", async () => {
  const page = await open();
  await say(page, "private words=1");
  await page.locator("ol.messages").getByText("word0.").first().waitFor();
  await page.context().setOffline(true);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await until("an empty page", async () => await page.evaluate(() => document.body.childElementCount) === 0);
  // All that stays is that there is something not to show.
  assert.deepEqual(await page.evaluate(() => [{ ...localStorage }, sessionStorage.length, document.title, location.pathname]), [{ "si-since": "all" }, 0, "New tab", "/"]);
});

test("whoever opens the page after a quick exit finds no conversation, not by its address either, until the settings show them", async () => {
  const page = await open();
  await page.route("https://www.wikipedia.org/**", (route) => route.fulfill({ contentType: "text/html", body: "<title>Elsewhere</title>" }));
  await say(page, "a private matter words=1");
  await page.locator("ol.messages").getByText("word0.").first().waitFor();
  await finished(page);
  const address = page.url();
  const entry = page.getByRole("button", { name: /^a private matter/i });
  await entry.first().waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await until("another page", async () => await page.title() === "Elsewhere");

  await page.goto(address);
  await page.getByRole("heading", { name: "What’s on your mind?" }).waitFor();
  assert.notEqual(page.url(), address);
  await say(page, "something harmless words=1");
  await page.getByRole("button", { name: /^something harmless/i }).first().waitFor();
  assert.equal(await page.getByText("a private matter").count(), 0);

  await page.goto(`${stack.url}/settings`);
  await page.getByText("Somebody left this page quickly").waitFor();
  await shot(page, "settings-hidden");
  await page.getByRole("button", { name: "Show it again" }).click();
  await entry.first().waitFor({ state: "attached" });
  assert.equal(await page.getByText("Somebody left this page quickly").count(), 0);
  await page.goto(address);
  await page.locator("ol.messages").getByText("a private matter").waitFor();
  assert.deepEqual(page.faults, []);
});

test("leaving works by words: without a network, and with words that only the gate knows", async () => {
  const offline = await open();
  await say(offline, "private words=1");
  await offline.locator("ol.messages").getByText("word0.").first().waitFor();
  await finished(offline);
  await offline.context().setOffline(true);
  await say(offline, "Close this");
  await until("an empty page", async () => await offline.evaluate(() => document.body.childElementCount) === 0);

  const online = await open();
  await online.route("https://www.wikipedia.org/**", (route) => route.fulfill({ contentType: "text/html", body: "<title>Elsewhere</title>" }));
  await say(online, "my dad just walked in");
  await until("another page", async () => await online.title() === "Elsewhere");
  assert.equal(llm.about("walked in").length, 0);
});

test("offline and server errors are told in words", async () => {
  const page = await open();
  await page.route("**/turns", (route) => route.fulfill({
    status: 429, contentType: "application/problem+json", headers: { "retry-after": "2" },
    body: JSON.stringify({ type: "https://silent-infinity.dev/problems/rate-limited", title: "Too many requests", correlation_id: "abcdef123456" }),
  }));
  await say(page, "once more words=1");
  await page.getByText("That was a lot at once.").waitFor();
  await page.getByText("abcdef123456").waitFor();
  assert.equal(await page.getByRole("button", { name: /Try again in/ }).isDisabled(), true);
  await page.unroute("**/turns");
  await page.getByRole("button", { name: "Try again", exact: true }).click();
  await page.locator("ol.messages").getByText("word0.").first().waitFor();
  await page.context().setOffline(true);
  await page.getByText("You are offline.").waitFor();
});

test("the keyboard reaches everything, on a phone and on a desktop, in both themes, without a serious finding of axe", async () => {
  for (const [name, viewport] of [["phone", PHONE], ["desktop", DESKTOP]]) {
    for (const theme of ["dark", "light"]) {
      const page = await open({ viewport, theme });
      await say(page, "What a day. words=9 delay=1");
      await page.locator("ol.messages").getByText("word8.").first().waitFor();
      await finished(page);
      await page.waitForTimeout(500);
      await shot(page, `talk-${name}-${theme}`);
      const { serious } = await audit(page);
      assert.deepEqual(serious, [], `${name} ${theme}`);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no sideways scrolling");
      await page.keyboard.press("Tab");
      await page.evaluate(() => document.activeElement?.blur());
      const reached = new Set();
      for (let n = 0; n < 40; n++) {
        await page.keyboard.press("Tab");
        reached.add(await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent?.trim()));
      }
      for (const label of ["Your message", "Copy", "Answer again", "Edit"]) assert.ok(reached.has(label), `${label} by Tab`);
      await page.context().close();
    }
  }
});
