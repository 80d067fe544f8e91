// The dashboard when its API fails: it says what is wrong and what helps, loses nothing that was typed, and recovers.
import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { startStack } from "../stack.mjs";
import { adminContext, openView, settled } from "./admin-page.mjs";
import { openBrowser, shot } from "./browser.mjs";

let stack, browser, context;
before(async () => { stack = await startStack(); browser = await openBrowser(); });
after(async () => { await browser?.close(); await stack?.close(); });
beforeEach(async () => { context = await adminContext(browser, stack); });
afterEach(() => context.close());

const dialog = (page) => page.getByRole("dialog");
const reason = (page) => dialog(page).getByLabel(/^Why\?/);
const said = (page, text) => page.getByRole("status").filter({ hasText: text }).first().waitFor();
const problem = (status, slug, title, rest = {}) => ({ status, contentType: "application/problem+json", body: JSON.stringify({ type: `https://silent-infinity.dev/problems/${slug}`, title, status, correlation_id: "c0ffee", ...rest }) });
const entries = async (subject) => (await stack.admin("test").get(`/audit?subject=${encodeURIComponent(subject)}`)).body.entries;

/** Opens the dialog that gives a variant another share, with a reason in it. */
async function wishShare(page, percent, why) {
  await page.getByRole("spinbutton", { name: "Share as a number, percent" }).fill(String(percent));
  await page.getByRole("button", { name: new RegExp(`^Apply ${percent} %`) }).click();
  await reason(page).fill(why);
}

test("a server's fault is said with its number, and trying again brings the list", async () => {
  let isBroken = true;
  await context.route("**/admin/v1/variants?*", (route) => (isBroken ? route.fulfill(problem(500, "internal", "Something went wrong")) : route.fallback()));
  const page = await openView(context, stack, "/variants");
  const fault = page.getByRole("alert").filter({ hasText: "Something went wrong" });
  await fault.getByText("c0ffee").waitFor();
  await shot(page, "admin-test-fault");
  isBroken = false;
  await fault.getByRole("button", { name: "Try again" }).click();
  await page.locator("tr[data-place]").first().waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
});

test("figures that were there stay when a refresh fails, and say how old they are", async () => {
  let isAway = false;
  await context.route("**/admin/v1/providers?*", (route) => (isAway ? route.abort("internetdisconnected") : route.fallback()));
  const page = await openView(context, stack, "/providers");
  await page.getByText("Open", { exact: true }).waitFor();
  isAway = true;
  await page.getByText(/^As of .*: refreshing failed/).waitFor({ timeout: 45_000 });
  await page.getByText("Open", { exact: true }).waitFor();
  isAway = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText(/refreshing failed/).waitFor({ state: "detached" });
});

test("a change whose answer is lost is sent again under the same key, and happens once", async () => {
  const keys = [];
  let isLost = true;
  await context.route("**/rollout", async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (!isLost) return route.fallback();
    // It arrives; the answer does not.
    await route.fetch();
    await route.abort("connectionreset");
  });
  const page = await openView(context, stack, "/variants/MANDALA_FACE/simple-orb");
  await wishShare(page, 10, "A calmer face");
  await dialog(page).getByRole("button", { name: "Apply 10 %" }).click();
  await dialog(page).getByText("The API cannot be reached").waitFor();
  assert.equal(await reason(page).inputValue(), "A calmer face");
  isLost = false;
  await dialog(page).getByRole("button", { name: "Try again" }).click();
  await said(page, "simple-orb has 10 % of the traffic.");
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  assert.equal((await entries("MANDALA_FACE/simple-orb")).length, 1);
});

test("where somebody was faster, their change is shown and the own one goes on top of it", async () => {
  const page = await openView(context, stack, "/variants/VOICE_LLM/haiku");
  await wishShare(page, 5, "A little traffic");
  await stack.admin("grace").change("VOICE_LLM", "haiku", "edit", { description: "Claude Haiku, the second" });
  await dialog(page).getByRole("button", { name: "Apply 5 %" }).click();
  const note = dialog(page).getByRole("alert");
  await note.getByText("Somebody was faster: version 1 became 2.").waitFor();
  await note.getByText("the second").waitFor();
  assert.equal(await reason(page).inputValue(), "A little traffic");
  await dialog(page).getByRole("button", { name: "Apply 5 % on version 2" }).click();
  await said(page, "haiku has 5 % of the traffic.");
  const { description, rollout_percent, version } = await stack.admin("test").variant("VOICE_LLM", "haiku");
  assert.deepEqual([description, rollout_percent, version], ["Claude Haiku, the second", 5, 3]);
});

test("an edit that was begun on an older version says so before it is saved", async () => {
  const page = await openView(context, stack, "/variants/STARTER_POOL_SIZE/5");
  await page.getByRole("textbox", { name: /^Size/ }).fill("4");
  await stack.admin("grace").change("STARTER_POOL_SIZE", "5", "edit", { description: "Five of them" });
  await page.reload();
  await page.getByText("It was changed since you began: version 1 became 2.").waitFor();
  assert.equal(await page.getByRole("textbox", { name: /^Size/ }).inputValue(), "4");
  await page.getByRole("button", { name: "Keep mine, on version 2" }).click();
  await page.getByLabel("Description").fill("Four of them");
  await page.getByRole("button", { name: "Save…" }).click();
  await reason(page).fill("Fewer is calmer");
  await dialog(page).getByRole("button", { name: "Save" }).click();
  await said(page, "5 is saved.");
  const { config, description } = await stack.admin("test").variant("STARTER_POOL_SIZE", "5");
  assert.deepEqual([config, description], [{ size: 4 }, "Four of them"]);
});

test("a sign-in that ended is said, in a view and in a dialog, and nothing typed is lost", async () => {
  const page = await openView(context, stack, "/variants/COMPOSE_POSITION/top-fixed");
  await wishShare(page, 15, "At the top for some");
  // An access token that no longer holds; and Access's own answer, a redirect to its sign-in.
  let answer = problem(401, "unauthorized", "A valid token is needed");
  let isOut = true;
  await context.route("**/admin/v1/**", (route) => (isOut ? route.fulfill(answer) : route.fallback()));
  await dialog(page).getByRole("button", { name: "Apply 15 %" }).click();
  await dialog(page).getByText("Your sign-in has ended").waitFor();
  assert.equal(await dialog(page).getByRole("link", { name: "Sign in again" }).getAttribute("href"), "/admin/");
  answer = { status: 302, headers: { location: "https://team.example/cdn-cgi/access/login" }, body: "" };
  await dialog(page).getByRole("button", { name: "Apply 15 %" }).click();
  await dialog(page).getByText("Your sign-in has ended").waitFor();
  isOut = false;
  await dialog(page).getByRole("button", { name: "Apply 15 %" }).click();
  await said(page, "top-fixed has 15 % of the traffic.");
  assert.equal((await entries("COMPOSE_POSITION/top-fixed"))[0].reason, "At the top for some");

  isOut = true;
  answer = problem(401, "unauthorized", "A valid token is needed");
  const other = await context.newPage();
  await other.goto(`${stack.url}/admin/audit`);
  await other.getByRole("alert").filter({ hasText: "Your sign-in has ended" }).waitFor();
});

test("what the registry refuses is said in its own words; what it wants confirmed is asked for", async () => {
  const page = await openView(context, stack, "/variants/LLM_MODEL/claude-haiku-4-5");
  let first = true;
  await context.route("**/rollout", (route) => {
    if (!first) return route.fallback();
    first = false;
    return route.fulfill(problem(409, "confirmation-required", "This has to be confirmed", { detail: "the share changes by more than 25 points" }));
  });
  await wishShare(page, 20, "More people");
  assert.equal(await dialog(page).getByRole("checkbox").count(), 0);
  await dialog(page).getByRole("button", { name: "Apply 20 %" }).click();
  await dialog(page).getByText("the share changes by more than 25 points").waitFor();
  await dialog(page).getByRole("checkbox").check();
  const sent = page.waitForRequest("**/rollout");
  await dialog(page).getByRole("button", { name: "Apply 20 %" }).click();
  assert.equal((await sent).postDataJSON().confirm, true);
  await said(page, "claude-haiku-4-5 has 20 % of the traffic.");
  // Two challengers of a category cannot have more than there is.
  await page.goto(`${stack.url}/admin/variants/LLM_MODEL/mistral-large`);
  await wishShare(page, 90, "Far too much");
  await dialog(page).getByRole("checkbox").check();
  await dialog(page).getByRole("button", { name: "Apply 90 %" }).click();
  await dialog(page).getByRole("alert").filter({ hasText: "That is not possible now" }).waitFor();
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  assert.equal(await page.getByRole("spinbutton", { name: "Share as a number, percent" }).inputValue(), "90");
});

test("a view that is not there, a variant that is not there", async () => {
  const page = await context.newPage();
  await page.goto(`${stack.url}/admin/nowhere`);
  await page.getByText("There is no such page").waitFor();
  await page.goto(`${stack.url}/admin/variants/LLM_MODEL/nobody`);
  await page.getByRole("alert").filter({ hasText: "Not found" }).waitFor();
});

test("without any figures every view is calm", async () => {
  const bare = await adminContext(browser, stack, { figures: false });
  await bare.route(/\/admin\/v1\/(metrics|providers|dead-letters)/, (route) => route.fulfill(problem(404, "not-found", "Not found")));
  for (const path of ["/variants", "/variants/LLM_MODEL/claude-haiku-4-5", "/compare", "/safety", "/costs", "/providers", "/dead-letters", "/approvals", "/promotions", "/alerts"]) {
    const page = await openView(bare, stack, path);
    await settled(page);
    assert.equal(await page.getByRole("alert").count(), 0, path);
    assert.deepEqual(page.faults, [], path);
    await page.close();
  }
  await bare.close();
});
