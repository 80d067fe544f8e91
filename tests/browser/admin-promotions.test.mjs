// A promotion that takes days, as an admin begins, follows and takes it back, and the alerts that it sets off.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newIssuer, publicKeys } from "../../scripts/issuer.mjs";
import { receiver } from "../e2e/experiment-kit.mjs";
import { adminOf, startStack, until } from "../stack.mjs";
import { adminContext, isWithin, openView, serious, settled } from "./admin-page.mjs";
import { PHONE, openBrowser, shot } from "./browser.mjs";

let hooks, stack, browser, context;
before(async () => {
  hooks = await receiver();
  const issuer = newIssuer();
  stack = await startStack({ adminSecrets: { ACCESS_DEV_JWKS: JSON.stringify(publicKeys(issuer)), ...hooks.secrets } });
  stack = { ...stack, admin: adminOf(stack.url, issuer) };
  browser = await openBrowser();
  context = await adminContext(browser, stack);
});
after(async () => { await browser?.close(); await stack?.close(); hooks?.close(); });

const dialog = (page) => page.getByRole("dialog");
async function act(page, verb, why) {
  await dialog(page).getByLabel(/^Why\?/).fill(why);
  await dialog(page).getByRole("button", { name: verb, exact: true }).click();
}

test("one is begun in Compare, followed, and taken back", async () => {
  const page = await openView(context, stack, "/compare?category=SYSTEM_PROMPT&control=v2-sha-current&treatment=v3-sha-empathy-rewrite");
  await page.getByRole("button", { name: "Promote over days…" }).click();
  await act(page, "Begin", "It has looked well for a week");
  await page.getByRole("heading", { level: 1, name: "Promotions" }).waitFor();
  const run = page.getByRole("list", { name: "Promotions under way" }).getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Promote v3-sha-empathy-rewrite" }) });
  await run.getByText("“It has looked well for a week”").waitFor();
  await run.getByText(/^It tests on \d+ \w+ 20/).waitFor();
  assert.equal(await run.getByRole("list", { name: "How far it is" }).locator('[aria-current="step"]').innerText(), "Collect");
  await run.getByText("What happened").click();
  assert.ok(await run.getByRole("list", { name: "Steps" }).getByRole("listitem").count() >= 1);
  assert.deepEqual(await serious(page), []);
  await shot(page, "admin-promotions");

  // Twice at once is refused in words.
  const refused = await stack.admin("ada").post("/workflows", { category: "SYSTEM_PROMPT", id: "v3-sha-empathy-rewrite", reason: "once more" });
  assert.equal(refused.status, 409);

  await run.getByRole("button", { name: "Take it back…" }).click();
  await act(page, "Take it back", "A new figure came in");
  await page.getByText("None is under way").waitFor();
  const past = page.getByRole("list", { name: "Promotions that ended" }).getByRole("listitem");
  await past.getByText("Cancelled", { exact: true }).waitFor();
  await past.getByText("ada took it back.").waitFor();
  assert.deepEqual(page.faults, []);
  await page.close();
});

test("its alert says who heard it, and is delivered again under the same id", async () => {
  const page = await openView(context, stack, "/alerts");
  const alert = page.getByRole("list", { name: "Alerts" }).getByRole("listitem").filter({ hasText: "The promotion of SYSTEM_PROMPT/v3-sha-empathy-rewrite ended" });
  await alert.getByText("Webhook: heard").waitFor();
  await alert.getByText("Slack: heard").waitFor();
  assert.equal(hooks.taken("workflow").length, 1);
  await alert.getByRole("button", { name: /^Deliver again/ }).click();
  await act(page, "Deliver again", "Nobody saw it");
  await until("the second delivery", () => hooks.taken("workflow").length === 2);
  const [first, second] = hooks.taken("workflow");
  assert.equal(second.headers["webhook-id"], first.headers["webhook-id"]);
  await page.getByLabel("Kind").selectOption("Demotion");
  await page.getByText("None of this kind.").waitFor();
  assert.match(page.url(), /kind=demotion/);
  assert.deepEqual(page.faults, []);
  await page.close();
});

test("a link to approve is a button; what nobody heard says so; on a phone too", async () => {
  const small = await adminContext(browser, stack, { viewport: PHONE });
  const link = `${stack.url}/admin/v1/approvals?token=${"t".repeat(300)}`;
  const deliveries = [{ channel: "webhook", state: "dead", attempts: 10, next_at: null, delivered_at: null, error: "503" },
    { channel: "slack", state: "pending", attempts: 2, next_at: new Date(Date.now() + 90_500).toISOString(), delivered_at: null, error: "timeout" }];
  const at = new Date(Date.now() - 3_600_500).toISOString();
  await small.route(/\/admin\/v1\/alerts/, (route) => route.fulfill({ json: { next: null, alerts: [
    { id: "alr_1", at, kind: "approval", subject: "MANDALA_FACE/simple-orb", detail: { text: `simple-orb has won and waits for another admin's approval. ${link}`, link }, deliveries },
    { id: null, at, kind: "budget", subject: "month", detail: { text: "Budget month: 80 % of 2026-11 is spent", link: "https://elsewhere.example/" }, deliveries: [] },
  ] } }));
  const page = await openView(small, stack, "/alerts");
  await settled(page);
  const [approval, budget] = [0, 1].map((n) => page.getByRole("list", { name: "Alerts" }).getByRole("listitem").nth(n));
  assert.equal(await approval.getByRole("link", { name: "Read and approve" }).getAttribute("href"), link);
  assert.ok(!(await approval.innerText()).includes("token="));
  await approval.getByText("Webhook: given up, tried 10 times").waitFor();
  await approval.getByText("Slack: tried 2 times, again in 1 minute").waitFor();
  await budget.getByText("Not delivered yet").waitFor();
  assert.equal(await budget.getByRole("link").count() + await budget.getByRole("button").count(), 0);
  assert.equal(await isWithin(page), true);
  assert.deepEqual(await serious(page), []);
  await shot(page, "admin-alerts-phone");
  await small.close();
});
