// Chromium as people have it, driven by playwright-core.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { root } from "../stack.mjs";

export const ARTEFACTS = join(root, ".artifacts");
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function executable() {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH;
  for (const name of NAMES) {
    try { return execFileSync("which", [name], { encoding: "utf8" }).trim(); } catch { /* the next one */ }
  }
  throw new Error("no Chromium found");
}

/** `args` are more of Chromium's own. */
export async function openBrowser(args = []) {
  mkdirSync(ARTEFACTS, { recursive: true });
  return chromium.launch({
    executablePath: executable(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", ...args],
  });
}

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1440, height: 900 };
export const shot = (page, name) => page.screenshot({ path: join(ARTEFACTS, `${name}.png`) });
