// The dashboard's main paths, before a real registry; its figures are made up until there are any.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startStack, until } from "../stack.mjs";
import { adminContext, isWithin, openView, settled } from "./admin-page.mjs";
import { DESKTOP, PHONE, openBrowser, shot } from "./browser.mjs";

const COOL_DOWN_MS = 4_000;
let stack, browser, ada, grace;
before(async () => {
  stack = await startStack({ adminVars: { COOL_DOWN_MS: String(COOL_DOWN_MS) } });
  browser = await openBrowser();
  [ada, grace] = [await adminContext(browser, stack), await adminContext(browser, stack, { name: "grace", theme: "dark" })];
});
after(async () => { await browser?.close(); await stack?.close(); });

const dialog = (page) => page.getByRole("dialog");
const reason = (page) => dialog(page).getByLabel(/^Why\?/);
/** Gives a reason and sends. */
async function act(page, verb, why) {
  await reason(page).fill(why);
  await dialog(page).getByRole("button", { name: verb, exact: true }).click();
}
const said = (page, text) => page.getByRole("status").filter({ hasText: text }).first().waitFor();
const variant = (category, id) => stack.admin("test").variant(category, id);

test("from the list to production: a share with a confirmation, an approval by another admin, the audit log, the way back", async () => {
  const page = await openView(ada, stack, "/variants");
  await page.getByText(/2 of 5 experiments run/).waitFor();
  await page.getByLabel("Find a variant").fill("drill");
  await page.getByText("1 variant", { exact: true }).waitFor();
  await page.getByRole("link", { name: "drill-down", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "drill-down" }).waitFor();
  assert.match(page.url(), /\/admin\/variants\/TOPIC_HIERARCHY\/drill-down$/);

  // Up to 25 points no confirmation is asked for; above, nothing is sent without it.
  const share = page.getByRole("slider", { name: "Share, percent" });
  await share.fill("40");
  await page.getByRole("button", { name: "Apply 40 % (+40)" }).click();
  const sent = [];
  page.on("request", (request) => { if (request.method() !== "GET") sent.push(request); });
  await dialog(page).getByRole("button", { name: "Apply 40 %" }).click();
  await dialog(page).getByText("Give a reason of 3 to 500 characters.").waitFor();
  await reason(page).fill("Gates hold on staging");
  await dialog(page).getByRole("button", { name: "Apply 40 %" }).click();
  await dialog(page).getByText("Tick the box to go on").waitFor();
  assert.equal(sent.length, 0);
  await dialog(page).getByRole("checkbox").check();
  await dialog(page).getByRole("button", { name: "Apply 40 %" }).click();
  await said(page, "drill-down has 40 % of the traffic.");
  assert.deepEqual(sent[0].postDataJSON(), { percent: 40, reason: "Gates hold on staging", confirm: true });
  assert.match(sent[0].headers()["idempotency-key"], /^[0-9a-f-]{36}$/);
  assert.equal((await variant("TOPIC_HIERARCHY", "drill-down")).rollout_percent, 40);

  await page.getByRole("button", { name: "Promote", exact: true }).click();
  await dialog(page).getByText("Another admin has to approve it; you cannot.").waitFor();
  await act(page, "Promote", "Better in every way");
  await said(page, "it waits");
  await page.getByRole("link", { name: "See approvals" }).click();
  await page.getByRole("heading", { name: "Promote drill-down" }).waitFor();
  await page.getByText("Another admin has to approve it", { exact: true }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Approve…" }).count(), 0);

  const other = await openView(grace, stack, "/approvals");
  const waiting = other.getByRole("listitem").filter({ hasText: "Promote drill-down" });
  await waiting.getByText("Better in every way").waitFor();
  // Side by side: what it is, and what it would be, of both variants.
  await waiting.getByRole("row", { name: /status.*staged.*production/ }).waitFor();
  await waiting.getByRole("row", { name: /status.*production.*staged/ }).waitFor();
  await shot(other, "admin-test-approval");
  await waiting.getByRole("button", { name: "Approve…" }).click();
  await act(other, "Approve", "Read and agreed");
  await said(other, "Promote drill-down: done.");
  await other.getByRole("heading", { name: "Before" }).waitFor();
  // Ada's page hears of it by itself.
  await page.getByText("Nothing waits").waitFor();
  assert.deepEqual([await variant("TOPIC_HIERARCHY", "drill-down"), await variant("TOPIC_HIERARCHY", "flat")].map(({ status }) => status), ["production", "staged"]);

  await page.getByRole("link", { name: "Audit log" }).click();
  await page.getByRole("heading", { level: 1, name: "Audit log" }).waitFor();
  const entry = page.locator("li[data-seq]").filter({ hasText: "promoted" }).first();
  await entry.getByText("“Read and agreed”").waitFor();
  await entry.getByText(/what changed/).click();
  await entry.getByText("Asked for by ada, confirmed by grace.").waitFor();
  await entry.getByRole("row", { name: /status.*staged.*production/ }).waitFor();
  await page.getByRole("button", { name: "Verify the chain" }).click();
  await page.getByText(/^The chain holds: \d+ entries$/).waitFor();

  await page.goto(`${stack.url}/admin/variants/TOPIC_HIERARCHY/drill-down`);
  await page.getByRole("button", { name: "Roll back" }).click();
  await act(page, "Roll back", "It was a test");
  await said(page, "The last change of drill-down is undone.");
  await page.getByText("Experimental").first().waitFor();
  assert.equal((await variant("TOPIC_HIERARCHY", "flat")).status, "production");
  assert.deepEqual([...page.faults, ...other.faults], []);
  await Promise.all([page.close(), other.close()]);
});

test("a configuration is edited as a form and as JSON, held against its schema and production", async () => {
  const page = await openView(ada, stack, "/variants/LLM_MODEL/claude-haiku-4-5");
  const save = page.getByRole("button", { name: "Save…" });
  const tokens = page.getByRole("textbox", { name: /^Max output tokens/ });
  await tokens.waitFor();
  assert.equal(await save.isDisabled(), true);
  await tokens.fill("99999");
  await page.getByText("Max output tokens must be at most 32768.").waitFor();
  assert.equal(await save.isDisabled(), true);
  await tokens.fill("600");
  await page.getByRole("table", { name: "Configuration against production" }).getByRole("row", { name: /max_output_tokens 800 600/ }).waitFor();
  await page.getByRole("tab", { name: "Raw JSON" }).click();
  const json = page.getByRole("textbox", { name: "Configuration as JSON" });
  assert.equal(JSON.parse(await json.inputValue()).max_output_tokens, 600);
  await json.fill('{ "provider": "anthropic", ');
  await page.getByText(/^Expected |JSON/).first().waitFor();
  assert.equal(await save.isDisabled(), true);
  // What was typed is there after a reload, even where it is no JSON.
  await page.reload();
  await page.getByRole("tab", { name: "Raw JSON" }).waitFor();
  assert.equal(await json.inputValue(), '{ "provider": "anthropic", ');
  const wished = { ...(await variant("LLM_MODEL", "claude-haiku-4-5")).config, max_output_tokens: 640, temperature: 0.5 };
  await json.fill(JSON.stringify({ ...wished, colour: 1 }));
  await page.getByText("colour is not a field of this category").waitFor();
  await json.fill(JSON.stringify(wished));
  await page.getByText("2 fields changed, not saved").waitFor();
  await save.click();
  await dialog(page).getByRole("row", { name: /temperature 0.7 0.5/ }).waitFor();
  await act(page, "Save", "Shorter and calmer");
  await said(page, "claude-haiku-4-5 is saved.");
  assert.deepEqual((await variant("LLM_MODEL", "claude-haiku-4-5")).config, wished);
  // Fields within lists have their own place in the form.
  const fallbacks = page.getByRole("group", { name: /^Fallbacks/ });
  await page.getByRole("tab", { name: "Form" }).click();
  const n = wished.fallbacks.length;
  await fallbacks.getByRole("button", { name: `Remove, ${n}` }).click();
  await fallbacks.getByRole("textbox", { name: /^Model/ }).first().fill("another model");
  await fallbacks.getByText("Model must be 1 to 128 visible ASCII characters.").waitFor();
  await page.getByRole("button", { name: "Discard" }).click();
  assert.equal(await fallbacks.getByRole("listitem").count(), n);
  const history = page.getByRole("region", { name: "History" });
  await history.getByText("“Shorter and calmer”").waitFor();
  await page.getByRole("checkbox", { name: "Paying", exact: true }).check({ force: true });
  await page.getByRole("checkbox", { name: "Everybody" }).uncheck({ force: true });
  await page.getByRole("button", { name: "Apply cohorts" }).click();
  await act(page, "Apply", "Paying people first");
  await said(page, "is open to: Paying");
  assert.deepEqual((await variant("LLM_MODEL", "claude-haiku-4-5")).cohorts, ["paid"]);
  assert.deepEqual(page.faults, []);
  await page.close();
});

test("what steers safety is confirmed twice, cools down in sight, and takes effect", async () => {
  const page = await openView(ada, stack, "/variants/SYSTEM_PROMPT/v3-sha-empathy-rewrite");
  await page.getByRole("spinbutton", { name: "Share as a number, percent" }).fill("20");
  await page.getByRole("button", { name: "Apply 20 % (+10)" }).click();
  assert.equal(await dialog(page).getByRole("checkbox").count(), 0);
  await act(page, "Apply 20 %", "More people, slowly");
  await said(page, "it waits");
  await page.getByRole("link", { name: "Waits for a second word" }).click();
  await page.getByRole("button", { name: "Confirm…" }).click();
  await act(page, "Confirm", "Yes, really");
  await page.getByRole("progressbar", { name: "Cool-down" }).waitFor();
  await page.getByText(/^Takes effect in/).waitFor();
  await page.getByRole("listitem").filter({ hasText: "Took effect" }).filter({ hasText: "v3-sha-empathy-rewrite" }).waitFor();
  assert.equal((await variant("SYSTEM_PROMPT", "v3-sha-empathy-rewrite")).rollout_percent, 20);
  await page.close();
});

test("two variants are compared, and only a winner can be promoted", async () => {
  const page = await openView(ada, stack, "/compare?category=LLM_MODEL&control=claude-sonnet-4-6&treatment=claude-haiku-4-5");
  await page.getByRole("heading", { name: "Collecting" }).waitFor();
  await page.getByText("421 sessions in the smaller arm; more than 500 are needed").waitFor();
  const promote = page.getByRole("button", { name: "Promote winner" });
  assert.equal(await promote.isDisabled(), true);

  const asked = page.waitForRequest((request) => /metrics\/compare/.test(request.url()) && /treatment=v3/.test(request.url()));
  await page.getByRole("combobox", { name: "Category" }).selectOption("SYSTEM_PROMPT");
  const url = new URL((await asked).url());
  assert.deepEqual(["category", "control", "treatment", "planned"].map((name) => url.searchParams.get(name)), ["SYSTEM_PROMPT", "v2-sha-current", "v3-sha-empathy-rewrite", "5000"]);
  await page.getByRole("heading", { name: "Ready for review" }).waitFor();
  const ranged = page.waitForRequest((request) => /metrics\/compare/.test(request.url()) && /from=2026-01-02/.test(request.url()));
  await page.getByLabel("From").fill("2026-01-02");
  await ranged;

  // The fixed interval is solid, the always-valid one dashed; each gate has its line.
  await page.locator("main [aria-busy=true]").waitFor({ state: "detached" });
  const drawing = page.getByRole("img", { name: /^Satisfaction: \+0.04; fixed \+0.03 to \+0.06; always valid \+0.02 to \+0.07$/ });
  assert.equal(await drawing.locator("line[stroke-dasharray]").count(), 1);
  assert.equal(await page.locator("[data-gate]").count(), 4);
  assert.equal(await page.locator('[data-gate] svg line[stroke="var(--bad)"]').count(), 3);
  await page.getByText("The arms hold their shares").waitFor();
  await promote.click();
  // The figures of this page are made up: the server looks at its own, and says what they lack.
  await act(page, "Promote", "A clear winner");
  const refused = page.getByRole("dialog").getByRole("alert").filter({ hasText: "Not every condition is met" });
  await refused.getByRole("list", { name: "What is not met" }).getByText("No success metric is superior yet").waitFor();
  assert.ok(await refused.getByRole("listitem").count() >= 3);
  await page.keyboard.press("Escape");

  await page.goto(`${stack.url}/admin/compare?category=CHAT_UI_LAYOUT&control=current&treatment=simplified`);
  await page.getByRole("heading", { name: "Roll back now" }).waitFor();
  await page.getByRole("alert").filter({ hasText: "The arms do not hold their shares" }).waitFor();
  assert.equal(await page.locator("[data-gate]").filter({ hasText: "Broken" }).count(), 2);
  assert.deepEqual(page.faults, []);
  await page.close();
});

test("a new variant, a tester's link, and why a person has what they have", async () => {
  const page = await openView(ada, stack, "/variants/new?category=STARTER_POOL_SIZE");
  await page.getByLabel("Id", { exact: true }).fill("Size 3");
  await page.getByText(/^1 to 64 of a-z/).waitFor();
  await page.getByLabel("Id", { exact: true }).fill("size-3");
  await page.getByLabel("Description, for people").fill("Three starters");
  await page.getByRole("textbox", { name: /^Size/ }).fill("3");
  await page.getByRole("button", { name: "Create…" }).click();
  await act(page, "Create", "Fewer choices");
  await page.getByRole("heading", { level: 1, name: "size-3" }).waitFor();
  await page.getByText("No turns in these days").waitFor();
  await page.getByRole("button", { name: "Link for testers" }).click();
  await act(page, "Make the link", "A look at three");
  await page.getByRole("dialog", { name: "A link for testers" }).waitFor();
  assert.match(await dialog(page).getByRole("textbox").inputValue(), /\/\?preview=/);
  await dialog(page).getByRole("button", { name: "Close" }).click();

  const why = page.getByRole("region", { name: "Why this variant" });
  await why.getByLabel("Person’s id").fill("user-1");
  await why.getByRole("button", { name: "Explain" }).click();
  await why.getByText(/Bucket [\d,]+ of 10,000/).waitFor();
  await page.getByRole("link", { name: "Why this variant" }).click();
  await page.getByLabel("Person’s id").fill("user-1");
  await page.keyboard.press("Enter");
  await until("all categories", async () => (await page.getByRole("list", { name: "Variants of user-1" }).locator(":scope > li").count()) === 12);
  await page.close();
});

test("experiments are switched off and on", async () => {
  const page = await openView(ada, stack, "/variants?category=LLM_MODEL");
  await page.getByRole("button", { name: "Switch off", exact: true }).click();
  await act(page, "Switch off", "Something is odd");
  await page.getByText("Switched off").first().waitFor();
  await page.getByText("1 category is switched off").waitFor();
  await page.getByRole("button", { name: "Switch on", exact: true }).click();
  await act(page, "Switch on", "It was nothing");
  await page.getByText("Experiment runs").first().waitFor();
  await page.close();
});

test("columns sort, and the address keeps it", async () => {
  const page = await openView(ada, stack, "/variants?category=LLM_MODEL");
  await page.locator("tr[data-place]").first().waitFor();
  const names = () => page.locator("tr[data-place] th a").allInnerTexts();
  await page.getByRole("button", { name: "Name" }).click();
  assert.deepEqual(await names(), (await names()).toSorted());
  await page.getByRole("button", { name: "Sessions" }).click();
  await until("the largest first", async () => (await names())[0] === "claude-sonnet-4-6");
  assert.equal(await page.getByRole("columnheader", { name: "Sessions" }).getAttribute("aria-sort"), "descending");
  await page.reload();
  await page.getByRole("columnheader", { name: "Sessions" }).waitFor();
  assert.equal(await page.getByRole("columnheader", { name: "Sessions" }).getAttribute("aria-sort"), "descending");
  await page.close();
});

test("on a phone: cards, the bar, the sheet with the other views, and a change", async () => {
  const context = await adminContext(browser, stack, { viewport: PHONE, hasTouch: true, isMobile: true });
  const page = await openView(context, stack, "/variants");
  await page.getByRole("article").first().waitFor();
  assert.equal(await page.getByRole("table").count(), 0);
  const card = page.getByRole("article").filter({ hasText: "claude-haiku-4-5" });
  await card.getByRole("button", { name: "Pause" }).tap();
  await act(page, "Pause", "For a moment");
  await said(page, "claude-haiku-4-5 takes no traffic.");
  assert.equal(await isWithin(page), true);
  await page.getByRole("button", { name: "More", exact: true }).tap();
  await dialog(page).getByRole("link", { name: "Dead letters" }).tap();
  await page.getByRole("heading", { level: 1, name: "Dead letters" }).waitFor();
  assert.equal(await page.getByRole("dialog").count(), 0);
  await page.getByRole("button", { name: "Replay dlq_01k9y2m7" }).tap();
  await act(page, "Replay", "The database is back");
  await said(page, "The replay is under way.");
  assert.deepEqual(page.faults, []);
  await context.close();
});

test("everything that the page asks for is in the API's document", async () => {
  const context = await adminContext(browser, stack, { figures: false });
  const asked = new Set();
  context.on("request", (request) => { const url = new URL(request.url()); if (url.pathname.startsWith("/admin/v1/")) asked.add(`${request.method()} ${url.pathname}`); });
  for (const path of ["/variants", "/variants/LLM_MODEL/claude-haiku-4-5", "/approvals", "/promotions", "/alerts", "/audit", "/people"]) {
    const page = await openView(context, stack, path);
    await settled(page);
    if (path === "/audit") { await page.getByRole("button", { name: "Verify the chain" }).click(); await page.getByText(/The chain holds/).waitFor(); }
    await page.close();
  }
  const { paths } = (await stack.admin("ada").get("/openapi.json")).body;
  const known = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => new RegExp(`^${method.toUpperCase()} ${path.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`)));
  const strange = [...asked].filter((request) => !known.some((pattern) => pattern.test(request)) && !/\/(metrics|providers|dead-letters)(\/|$)/.test(request));
  assert.deepEqual(strange, []);
  assert.ok(asked.size >= 8);
  await context.close();
});

test("each page loads its own: nothing of the dashboard is on the companion's, and heavy parts come when they are needed", async () => {
  const loaded = [];
  const context = await adminContext(browser, stack, { viewport: DESKTOP });
  context.on("request", (request) => { if (/\.(js|css|woff2)$/.test(new URL(request.url()).pathname)) loaded.push(new URL(request.url()).pathname); });
  const companion = await context.newPage();
  await companion.goto(`${stack.url}/`);
  await companion.getByRole("textbox", { name: "Your message" }).waitFor();
  assert.ok(loaded.length > 0);
  assert.deepEqual(loaded.filter((path) => path.includes("/admin/")), []);
  // The companion's service worker goes on loading its own.
  await context.close();
  const own = await adminContext(browser, stack);
  loaded.length = 0;
  own.on("request", (request) => { if (/\.(js|css|woff2)$/.test(new URL(request.url()).pathname)) loaded.push(new URL(request.url()).pathname); });
  const page = await openView(own, stack, "/variants");
  await page.locator("tr[data-place]").first().waitFor();
  assert.ok(loaded.every((path) => path.startsWith("/assets/admin/")), loaded.join());
  // Neither charts nor forms for a list.
  const before = new Set(loaded);
  await page.locator("tr[data-place] a").first().click();
  await page.getByRole("textbox", { name: /^Max output tokens/ }).waitFor();
  assert.ok(loaded.filter((path) => !before.has(path)).some((path) => /\/form-/.test(path)));
  assert.ok(![...before].some((path) => /\/(form|lines|parts)-/.test(path)), [...before].join());
  await own.close();
});
