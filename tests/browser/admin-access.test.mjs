// Who cannot see the dashboard, or has no pointer: axe on every view, both widths and themes, and a whole change by keys alone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { stageRegistry } from "../../scripts/dashboard.mjs";
import { startStack } from "../stack.mjs";
import { adminContext, isWithin, openView, serious, settled } from "./admin-page.mjs";
import { DESKTOP, PHONE, openBrowser } from "./browser.mjs";

let stack, browser;
before(async () => { stack = await startStack(); browser = await openBrowser(); await stageRegistry(stack); });
after(async () => { await browser?.close(); await stack?.close(); });

const VIEWS = [
  "/variants", "/variants/LLM_MODEL/claude-haiku-4-5", "/variants/SYSTEM_PROMPT/v1-sha-baseline", "/variants/new",
  "/compare?category=SYSTEM_PROMPT&control=v2-sha-current&treatment=v3-sha-empathy-rewrite", "/compare?category=CHAT_UI_LAYOUT&control=current&treatment=simplified",
  "/approvals", "/promotions", "/alerts", "/audit", "/people", "/safety", "/costs", "/providers", "/dead-letters",
];
/** Opens what a view hides at first. */
const OPENED = {
  "/audit": async (page) => { await page.getByRole("button", { name: "Verify the chain" }).click(); await page.getByText(/The chain holds/).waitFor(); for (const entry of (await page.locator("summary").all()).slice(0, 3)) await entry.click(); },
  "/people": async (page) => { await page.getByLabel("Person’s id").fill("user-1"); await page.keyboard.press("Enter"); await page.getByText(/Bucket/).first().waitFor(); },
  "/safety": async (page) => { await page.getByRole("button", { name: "Turns by level: table" }).click(); },
};

for (const viewport of [DESKTOP, PHONE]) {
  test(`axe finds nothing serious in any view at ${viewport.width} px, light or dark, and nothing goes sideways`, async (t) => {
    const context = await adminContext(browser, stack, { viewport });
    let audits = 0;
    for (const path of VIEWS) {
      const page = await openView(context, stack, path);
      await settled(page);
      await OPENED[path]?.(page);
      assert.equal(await isWithin(page), true, `${path}: no sideways scrolling`);
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        await page.locator(colorScheme === "dark" ? "html.dark" : "html:not(.dark)").waitFor();
        assert.deepEqual(await serious(page), [], `${path}, ${colorScheme}`);
        audits++;
      }
      assert.deepEqual(page.faults, [], path);
      await page.close();
    }
    t.diagnostic(`axe: ${audits} audits at ${viewport.width} px`);
    await context.close();
  });
}

test("nor in its dialogs", async () => {
  const context = await adminContext(browser, stack);
  const page = await openView(context, stack, "/variants/MANDALA_FACE/simple-orb");
  await page.getByRole("spinbutton", { name: "Share as a number, percent" }).fill("60");
  await page.getByRole("button", { name: /^Apply 60 %/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Apply 60 %" }).click();
  await page.getByText("Give a reason of 3 to 500 characters.").waitFor();
  assert.deepEqual(await serious(page), []);
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  assert.deepEqual(await serious(page), []);
  await context.close();
});

const focused = (page) => page.evaluate(() => (document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim());

test("by keys alone: find a variant, promote it, follow the change, and never lose the focus", async () => {
  const context = await adminContext(browser, stack);
  const page = await openView(context, stack, "/safety");
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  await press("g", "v");
  await page.getByRole("heading", { level: 1, name: "Variants" }).waitFor();
  await page.locator("tr[data-place]").first().waitFor();
  // A change of view is told to a screen reader: the heading has the focus.
  assert.equal(await focused(page), "Variants");
  await press("/");
  await page.keyboard.type("compose-pos top");
  await page.getByText("No variant is like that").waitFor();
  for (let n = 0; n < 15; n++) await press("Backspace");
  await page.keyboard.type("top-fixed");
  await page.getByText("1 variant", { exact: true }).waitFor();
  // Letters are text while one types: nothing else happened.
  assert.equal(await page.getByRole("dialog").count(), 0);
  for (let n = 0; n < 30 && (await focused(page)) !== "top-fixed"; n++) await press("Tab");
  assert.equal(await focused(page), "top-fixed");

  await press("d");
  await page.getByRole("dialog", { name: "Demote top-fixed" }).waitFor();
  // The focus stays inside.
  for (let n = 0; n < 12; n++) {
    await press("Tab");
    assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null), "the focus left the dialog");
  }
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await focused(page), "top-fixed");

  await press("p");
  await page.getByRole("dialog", { name: "Promote top-fixed to production" }).waitFor();
  await page.keyboard.type("By keys alone");
  await press("Enter");
  await page.getByRole("status").filter({ hasText: "it waits" }).waitFor();
  await press("g", "a");
  await page.getByRole("heading", { name: "Promote top-fixed" }).waitFor();
  assert.equal(await focused(page), "Approvals");

  await press("g", "v");
  await page.locator("tr[data-place]").first().waitFor();
  for (let n = 0; n < 40 && !(await page.evaluate(() => document.activeElement?.closest("tr[data-place]") !== null)); n++) await press("Tab");
  const rows = await page.locator("tr[data-place] th a").allInnerTexts();
  assert.equal(await focused(page), rows[0]);
  await press("ArrowDown", "j", "ArrowUp");
  assert.equal(await focused(page), rows[1]);
  await press("End");
  assert.equal(await focused(page), rows.at(-1));
  await press("Home", "Enter");
  await page.getByRole("heading", { level: 1, name: rows[0] }).waitFor();
  // Tabs of the editor go by arrows.
  await page.getByRole("tab", { name: "Form" }).focus();
  await press("ArrowRight");
  await page.getByRole("textbox", { name: "Configuration as JSON" }).waitFor();
  assert.equal(await focused(page), "Raw JSON");
  await context.close();
});

test("letters as shortcuts can be switched off, and the skip link leads to the content", async () => {
  const context = await adminContext(browser, stack);
  const page = await openView(context, stack, "/costs");
  await page.keyboard.press("Tab");
  assert.equal(await focused(page), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  await page.keyboard.press("?");
  await page.getByRole("checkbox", { name: "Letters are shortcuts" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("?");
  await page.keyboard.press("g");
  await page.keyboard.press("v");
  await page.waitForTimeout(200);
  assert.equal(await page.getByRole("dialog").count(), 0);
  assert.match(page.url(), /\/costs$/);
  await context.close();
});

test("every control shows its focus", async () => {
  const context = await adminContext(browser, stack);
  for (const path of ["/variants", "/compare", "/variants/LLM_MODEL/claude-haiku-4-5"]) {
    const page = await openView(context, stack, path);
    await settled(page);
    for (let n = 0; n < 30; n++) {
      await page.keyboard.press("Tab");
      const shown = await page.evaluate(() => {
        const element = document.activeElement;
        if (!element || element === document.body) return true;
        // A hidden box is shown by the label around it.
        const boxes = [element, element.closest("label")].filter(Boolean);
        return boxes.some((box) => { const { outlineStyle, outlineWidth } = getComputedStyle(box); return outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1; }) || element.outerHTML.slice(0, 120);
      });
      assert.equal(shown, true, `${path}: ${shown}`);
    }
    await page.close();
  }
  await context.close();
});
