// `npm run screenshots [-- --review]`: pictures of the running `npm run demo` for the documents, into docs/images; with `--review` of every
// view at both widths and in both themes, into .artifacts/review.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, root } from "./lib.mjs";

const url = `http://localhost:${process.env.PORT ?? "8787"}`;
const LIMIT_BYTES = 2.5 * 1024 ** 2;
const isReview = process.argv.includes("--review");
const folder = join(root, isReview ? ".artifacts/review" : "docs/images");

const settled = async (page) => {
  await page.waitForLoadState("networkidle").catch(() => {});
  await page.waitForFunction(() => !document.querySelector('[role="status"][aria-label="Loading"], [role="progressbar"][aria-label="Working"]'));
  await page.evaluate(() => document.fonts.ready);
};
const say = async (page, text) => {
  await page.locator(".composer textarea").fill(text);
  await page.keyboard.press("Enter");
  await page.locator(".composer button[type=submit]").waitFor();
  await settled(page);
};

// Name, path, viewport, theme, and for whom it is: `docs`, or for the review alone.
const compare = "/admin/compare?category=LLM_MODEL&control=claude-sonnet-4-6&treatment=claude-haiku-4-5";
const VIEWS = [
  ["variants", "/admin/variants", "docs"], ["variant", "/admin/variants/LLM_MODEL/claude-haiku-4-5", "docs"], ["compare", compare, "docs"], ["safety", "/admin/safety", "docs"],
  ["costs", "/admin/costs", "docs"], ["providers", "/admin/providers", "docs"], ["audit", "/admin/audit", "docs"], ["approvals", "/admin/approvals"], ["people", "/admin/people"],
  ["dead-letters", "/admin/dead-letters"], ["new-variant", "/admin/variants/new"], ["variant-demoted", "/admin/variants/COMPOSE_POSITION/top-fixed"],
  ["variant-pool", "/admin/variants/RATING_VARIANT/rating-03"], ["variant-canary", "/admin/variants/CHAT_UI_LAYOUT/simplified"], ["variant-production", "/admin/variants/LLM_MODEL/claude-sonnet-4-6"],
  ["compare-layout", "/admin/compare?category=CHAT_UI_LAYOUT&control=current&treatment=simplified"],
];

async function dashboard(browser, sizes, token, shot) {
  for (const [size, viewport] of sizes) {
    for (const theme of isReview ? ["light", "dark"] : ["light"]) {
      const context = await browser.newContext({ viewport, colorScheme: theme, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce" });
      const page = await context.newPage();
      await page.goto(`${url}/admin/sign-in#${token}`);
      await page.waitForURL(/\/admin\/(?!sign-in)/);
      for (const [name, path, whom] of VIEWS) {
        if (!isReview && (whom !== "docs" || size === "390")) continue;
        if (isReview && theme === "dark" && whom !== "docs") continue;
        const began = Date.now();
        await page.goto(url + path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await settled(page);
        const [wide, height] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
        if (wide > viewport.width) console.log(`  ! ${name} at ${size} is ${wide} px wide`);
        if (isReview) console.log(`  ${name} ${size} ${theme}: ${Date.now() - began} ms, ${height} px high`);
        await shot(page, `dashboard-${name}${isReview ? `-${size}-${theme}` : ""}`, isReview);
      }
      await context.close();
    }
  }
}

async function companion(browser, sizes, shot) {
  for (const [size, viewport] of sizes) {
    for (const theme of ["dark", "light"]) {
      if (!isReview && (theme === "light") !== (size === "390")) continue;
      const context = await browser.newContext({ viewport, colorScheme: theme, locale: "en-GB", timezoneId: "Europe/Berlin", reducedMotion: "reduce", serviceWorkers: "block" });
      const page = await context.newPage();
      const named = (name) => `companion-${name}${isReview ? `-${size}-${theme}` : size === "390" ? "-phone" : ""}`;
      await page.goto(url);
      await page.locator(".composer textarea").waitFor();
      await settled(page);
      await shot(page, named("welcome"));
      await say(page, "I had a fight with my sister and I keep replaying it.");
      await say(page, "She said I never listen, and maybe she is right.");
      await page.locator(".rating").waitFor({ timeout: 5_000 }).catch(() => {});
      await shot(page, named("conversation"));
      await page.goto(url);
      await say(page, "I want to end my life tonight.");
      await page.locator("a[href^='tel:']").first().waitFor();
      await shot(page, named("crisis"));
      if (size === "1440") {
        await page.goto(url);
        await page.getByText("Plans", { exact: true }).first().click();
        await page.locator("dialog[open]").waitFor();
        await settled(page);
        await shot(page, named("plans"));
      }
      await context.close();
    }
    if (!isReview && size === "390") continue;
    const context = await browser.newContext({ viewport, colorScheme: "light", locale: "en-GB", reducedMotion: "reduce", serviceWorkers: "block" });
    const page = await context.newPage();
    await page.goto(`${url}/twin/`);
    await page.getByRole("button", { name: "New twin" }).click();
    await page.locator("dialog textarea").fill("# Bo\nI am Bo, a carpenter from Aarhus. I like short sentences, early mornings and the smell of oak.");
    await page.getByRole("button", { name: "Create twin" }).click();
    await page.locator("h1", { hasText: "Bo" }).waitFor();
    await say(page, "What do you do when a piece will not fit?");
    await page.locator("li.heard").last().waitFor();
    await settled(page);
    await page.waitForTimeout(1_500);
    await shot(page, `twin${isReview ? `-${size}` : ""}`);
    await context.close();
  }
}

await onPinnedNode(async () => {
  const isThere = await fetch(`${url}/admin/health`).then(({ ok }) => ok, () => false) || await fetch(url).then(({ ok }) => ok, () => false);
  if (!isThere) throw new Failure(`Nothing answers at ${url}: start it with 'npm run demo'.`);
  const { DESKTOP, PHONE, openBrowser } = await import("../tests/browser/browser.mjs");
  const sizes = [["1440", DESKTOP], ["390", PHONE]];
  const { claimsOf, signed } = await import("./issuer.mjs");
  const { ISSUER } = await import("./local.mjs");
  const token = signed(JSON.parse(readFileSync(ISSUER, "utf8")), claimsOf({ email: "ada@example.org" }));
  if (existsSync(folder)) for (const name of readdirSync(folder)) if (/\.(png|webp)$/.test(name)) rmSync(join(folder, name));
  mkdirSync(folder, { recursive: true });
  const only = process.argv.slice(2).filter((word) => !word.startsWith("--"));
  const browser = await openBrowser();
  const shot = async (page, name, fullPage = false) => {
    if (isReview) return page.screenshot({ path: join(folder, `${name}.png`), fullPage, animations: "disabled" });
    // WebP, which playwright does not write: a third of the bytes.
    const { data } = await (await page.context().newCDPSession(page)).send("Page.captureScreenshot", { format: "webp", quality: 86 });
    writeFileSync(join(folder, `${name}.webp`), Buffer.from(data, "base64"));
  };
  try {
    if (only.length === 0 || only.includes("dashboard")) await dashboard(browser, sizes, token, shot);
    if (only.length === 0 || only.includes("companion")) await companion(browser, sizes, shot);
  } finally {
    await browser.close();
  }
  const names = readdirSync(folder).filter((name) => /\.(png|webp)$/.test(name));
  const bytes = names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  console.log(`✓ ${names.length} pictures, ${(bytes / 1024 ** 2).toFixed(2)} MiB, in ${folder}`);
  if (!isReview && bytes > LIMIT_BYTES) throw new Failure(`they are larger than ${LIMIT_BYTES / 1024 ** 2} MiB together`);
  process.exit(0);
});
