// `node scripts/dashboard.mjs [view …]`: pictures of the dashboard's views in .artifacts, at both widths, light and dark.
// The registry is a real one; its figures are made up (tests/browser/admin-figures.mjs). Wants a finished build.
import { pathToFileURL } from "node:url";
import { onPinnedNode } from "./bootstrap.mjs";

const VIEWS = {
  variants: "/variants", model: "/variants/LLM_MODEL/claude-haiku-4-5", prompt: "/variants/SYSTEM_PROMPT/v3-sha-empathy-rewrite", new: "/variants/new?category=RATING_VARIANT",
  compare: "/compare?category=SYSTEM_PROMPT&control=v2-sha-current&treatment=v3-sha-empathy-rewrite",
  "compare-broken": "/compare?category=CHAT_UI_LAYOUT&control=current&treatment=simplified",
  approvals: "/approvals", promotions: "/promotions", alerts: "/alerts", audit: "/audit", people: "/people", safety: "/safety", costs: "/costs", providers: "/providers", "dead-letters": "/dead-letters",
};

/** A registry in which something has happened. */
export async function stageRegistry(stack) {
  const [ada, grace] = [stack.admin("ada"), stack.admin("grace")];
  const must = async (answer) => { const { status, body } = await answer; if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`); return body; };
  const reasoned = (reason, body = {}) => ({ reason, ...body });
  await must(ada.change("LLM_MODEL", "claude-haiku-4-5", "rollout", reasoned("Ten was too few to see anything", { percent: 15 })));
  await must(grace.change("LLM_MODEL", "claude-haiku-4-5", "rollout", reasoned("Satisfaction holds after three days", { percent: 20 })));
  await must(grace.change("CHAT_UI_LAYOUT", "simplified", "rollout", reasoned("Do fewer controls help new people?", { percent: 45, confirm: true })));
  await must(ada.change("CHAT_UI_LAYOUT", "simplified", "cohorts", reasoned("Only people who do not know the other one", { cohorts: ["new_users"] })));
  await must(ada.change("RATING_VARIANT", "rating-03", "edit", reasoned("Clearer for people who read quickly", { description: "How present did you feel, after the talk?" })));
  await must(ada.change("TOPIC_HIERARCHY", "drill-down", "promote", reasoned("Two weeks, all gates hold, +0.03 satisfaction")));
  const { change } = await must(grace.change("SYSTEM_PROMPT", "v3-sha-empathy-rewrite", "rollout", reasoned("Gates hold, more people", { percent: 25 })));
  await must(ada.post(`/changes/${change.id}/confirm`, { reason: "Read it again, fine" }));
  await must(ada.post("/kill-switch", { off: true, categories: ["GHOST_CHAR_STYLE"], reason: "Flicker reported on old phones" }));
}

async function main() {
  const wanted = process.argv.slice(2);
  if (wanted.some((name) => !(name in VIEWS))) throw new Error(`views: ${Object.keys(VIEWS).join(", ")}`);
  const { startStack } = await import("../tests/stack.mjs");
  const { DESKTOP, PHONE, openBrowser, shot } = await import("../tests/browser/browser.mjs");
  const { adminContext, openView, settled } = await import("../tests/browser/admin-page.mjs");
  const stack = await startStack();
  const browser = await openBrowser();
  try {
    await stageRegistry(stack);
    for (const viewport of [DESKTOP, PHONE]) {
      for (const theme of ["light", "dark"]) {
        const context = await adminContext(browser, stack, { viewport, theme });
        for (const [name, path] of Object.entries(VIEWS)) {
          if (wanted.length > 0 && !wanted.includes(name)) continue;
          const page = await openView(context, stack, path);
          if (name === "people") { await page.getByLabel("Person’s id").fill("per_7c1f09"); await page.keyboard.press("Enter"); }
          if (name === "audit") { await page.getByRole("button", { name: "Verify the chain" }).click(); await page.locator("summary").nth(1).click(); }
          await page.waitForTimeout(500);
          await settled(page);
          if (page.faults.length > 0) console.error(`${name}: ${page.faults.join("\n")}`);
          await page.setViewportSize({ width: viewport.width, height: Math.min(3_200, await page.evaluate(() => document.documentElement.scrollHeight)) });
          await page.waitForTimeout(150);
          await shot(page, `admin-${name}-${viewport.width}-${theme}`);
          await page.close();
        }
        await context.close();
      }
    }
  } finally {
    await browser.close();
    await stack.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await onPinnedNode(main);
