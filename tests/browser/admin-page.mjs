// The dashboard in a browser, signed in as an admin, before a running stack.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import { root } from "../stack.mjs";
import { figuresOf } from "./admin-figures.mjs";
import { DESKTOP } from "./browser.mjs";

const html = () => readFileSync(join(root, "web/dist/admin/index.html"), "utf8");
const isPage = (url) => /^\/admin(\/|$)/.test(url.pathname) && !/^\/admin\/(v1|health)(\/|$)/.test(url.pathname);
const isFigures = (url) => /^\/admin\/v1\/(metrics|providers|dead-letters)(\/|$)/.test(url.pathname);

/** A browser context of one admin. `figures: false` leaves the metrics routes to the API. */
export async function adminContext(browser, stack, { name = "ada", viewport = DESKTOP, theme = "light", figures = true, ...options } = {}) {
  const admin = stack.admin(name);
  const context = await browser.newContext({ viewport, colorScheme: theme, locale: "en-GB", timezoneId: "UTC", reducedMotion: "reduce", extraHTTPHeaders: { "cf-access-jwt-assertion": admin.token }, ...options });
  // The page itself, under the policy that the companion's page has.
  const policy = (await fetch(`${stack.url}/`)).headers.get("content-security-policy") ?? "";
  assert.match(policy, /script-src 'self'/);
  await context.route(isPage, (route) => route.fulfill({ contentType: "text/html", headers: { "content-security-policy": policy }, body: html() }));
  if (figures) {
    let variants;
    await context.route(isFigures, async (route) => {
      variants = (await admin.get("/variants?limit=200")).body.variants;
      const body = figuresOf(new URL(route.request().url()), variants);
      await route.fulfill(body === null ? { status: 404, contentType: "application/problem+json", body: "{}" } : { json: body });
    });
  }
  return context;
}

/** Opens a view and waits for its heading. */
export async function openView(context, stack, path) {
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (line) => { if (line.type() === "error" && !/Failed to load resource/.test(line.text())) page.faults.push(line.text()); });
  await page.goto(`${stack.url}/admin${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  return page;
}

/** Waits until nothing loads any more. */
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('[role="status"][aria-label="Loading"], [role="progressbar"][aria-label="Working"]'));
  await page.evaluate(() => document.fonts.ready);
}

/** What axe finds serious or critical, as text. */
export async function serious(page) {
  // The page's policy forbids inline scripts; the protocol does not go through it.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(" ")}: ${failureSummary?.split("\n").slice(1).join(" ").trim()}`));
}

export const isWithin = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
