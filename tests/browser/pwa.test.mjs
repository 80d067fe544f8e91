// The page as an app: installable, small, there without a network, and never in the way of a running conversation.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { mockLlm } from "../mock-llm.mjs";
import { startStack, until } from "../stack.mjs";
import { PHONE, openBrowser, shot } from "./browser.mjs";
import { finished, open as openPage, say } from "./page.mjs";

let stack, llm, browser;
before(async () => {
  llm = await mockLlm();
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url } });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await stack?.close(); await llm?.close(); });

const open = (options) => openPage(browser, stack.url, { viewport: PHONE, serviceWorkers: "allow", ...options });
const BUDGET_KIB = 200;
/** Waits for the worker to serve, with the files of the page kept. */
const installed = (page) => page.evaluate(async () => {
  await navigator.serviceWorker.ready;
  const files = () => performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => /\/assets\//.test(name));
  for (let n = 0; n < 100; n++) {
    const missing = (await Promise.all(files().map((name) => caches.match(name)))).filter((found) => !found);
    if (missing.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("files of the page are not kept");
});

test("the first load takes at most 200 KiB of script, gzip, before the first message", async (t) => {
  const page = await open({ serviceWorkers: "block" });
  await page.waitForTimeout(1_500);
  const scripts = await page.evaluate(() => [...new Set(performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.endsWith(".js")))]);
  let bytes = 0;
  for (const url of scripts) bytes += gzipSync(await (await fetch(url)).text(), { level: 9 }).length;
  t.diagnostic(`${(bytes / 1024).toFixed(1)} KiB in ${scripts.length} files`);
  assert.ok(scripts.length > 2 && bytes <= BUDGET_KIB * 1024, `${bytes} bytes: ${scripts.join()}`);
  await page.context().close();
});

test("the page can be installed: its manifest and icons are what browsers ask for", async () => {
  const page = await open();
  const session = await page.context().newCDPSession(page);
  const { data, errors } = await session.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  const manifest = JSON.parse(data);
  assert.deepEqual([manifest.name, manifest.start_url, manifest.display], ["Silent Infinity", "/", "standalone"]);
  for (const { src, sizes, type } of manifest.icons) {
    const response = await fetch(stack.url + src);
    assert.equal(response.headers.get("content-type"), type);
    const bytes = Buffer.from(await response.arrayBuffer());
    // A PNG says its width and height at byte 16.
    if (type === "image/png") assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes);
  }
  assert.ok(manifest.icons.some(({ purpose }) => purpose === "maskable"));
  await installed(page);
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  // A test's context counts as a private window, which is the one thing that stands against it.
  assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito"), []);
  await page.context().close();
});

test("without a network the page still opens, with the help of the region, and nothing that was said is in a cache", async () => {
  const page = await open();
  await say(page, "A secret thing. words=2");
  await finished(page);
  await page.goto(`${stack.url}/settings`);
  await page.getByRole("dialog").getByLabel("Help in").selectOption("DE");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await installed(page);
  await page.reload();
  await page.locator("li.heard").waitFor();
  assert.ok(await page.evaluate(() => navigator.serviceWorker.controller !== null), "the worker is in control");
  await installed(page);

  await page.context().setOffline(true);
  await page.goto(`${stack.url}/`);
  await page.getByText("You are offline.").waitFor();
  await page.getByText("The server cannot be reached.").waitFor();
  await page.getByRole("button", { name: "Help now" }).click();
  const dialog = page.getByRole("dialog", { name: "Help near you" });
  await dialog.getByText("TelefonSeelsorge").first().waitFor();
  assert.equal(await dialog.getByRole("link", { name: "Call 112" }).getAttribute("href"), "tel:112");
  await dialog.getByText("Stored on this device").waitFor();
  await shot(page, "offline-help-phone");

  const kept = await page.evaluate(async () => {
    const all = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) all.push([new URL(request.url).pathname, await (await cache.match(request)).text()]);
    }
    return all;
  });
  assert.ok(kept.length > 5);
  for (const [path, text] of kept) {
    assert.doesNotMatch(path, /^\/v1/);
    assert.ok(!text.includes("A secret thing"), path);
  }
  // And it comes back by itself where it was left.
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.context().setOffline(false);
  await page.locator("li.said").getByText("A secret thing.").waitFor();
  await page.context().close();
});

test("a new version waits: a running conversation keeps the worker and the files that it was begun with", async () => {
  const page = await open();
  await installed(page);
  await page.reload();
  await page.locator(".welcome").waitFor();
  await say(page, "Go on. words=25 delay=120");
  await page.locator("li.heard").getByText("word2.").waitFor();
  const before = await page.evaluate(() => caches.keys());
  // Another address is another script to the browser, as a new build would be.
  await page.evaluate(() => navigator.serviceWorker.register("/sw.js?next"));
  await until("the next one to wait", () => page.evaluate(() => navigator.serviceWorker.getRegistration().then((registration) => registration.waiting?.scriptURL.endsWith("?next"))));
  assert.ok(await page.evaluate(() => navigator.serviceWorker.controller.scriptURL.endsWith("/sw.js")));
  assert.deepEqual(await page.evaluate(() => caches.keys()), before);
  await finished(page);
  await page.locator("li.heard").getByText("word24.").waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
