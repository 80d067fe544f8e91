// Builds the companion and the dashboard into web/dist, which the chat Worker serves; the twin's page is plain files.
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bin, digest, fingerprint, root, run, step } from "./lib.mjs";

const DIST = join(root, "web/dist");

/** The dashboard is a build of its own: it shares no chunk with the companion, and its files lie in assets/admin. */
const CONFIGS = ["web/vite.config.ts", "web/vite.admin.config.ts"];

/** Builds both pages if their sources or packages changed. */
export async function buildWeb() {
  if (!existsSync(join(root, "web/vite.config.ts"))) {
    console.log("✓ Page: no web/vite.config.ts, serving an empty one");
    mkdirSync(DIST, { recursive: true });
    writeFileSync(join(DIST, "index.html"), "<!doctype html><title>Silent Infinity</title><p>The page is not built.");
    return;
  }
  await step("Page", { stamp: "web", key: digest(fingerprint(["web", "package-lock.json"])), still: () => ["index.html", "admin/index.html", "twin/index.html"].every((page) => existsSync(join(DIST, page))) }, () => {
    // In this order: the first empties the folder.
    for (const config of CONFIGS) run(bin("vite"), ["build", "web", "--config", config, "--logLevel", "warn"], { env: { NODE_ENV: "production" } });
    cpSync(join(root, "web/twin"), join(DIST, "twin"), { recursive: true });
  });
}
