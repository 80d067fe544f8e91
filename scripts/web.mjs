// Builds the page into web/dist, which the chat Worker serves.
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bin, digest, fingerprint, root, run, step } from "./lib.mjs";

const DIST = join(root, "web/dist");

/** Builds the page if its sources or packages changed. */
export async function buildWeb() {
  if (!existsSync(join(root, "web/vite.config.ts"))) {
    console.log("✓ Page: no web/vite.config.ts, serving an empty one");
    mkdirSync(DIST, { recursive: true });
    writeFileSync(join(DIST, "index.html"), "<!doctype html><title>Silent Infinity</title><p>The page is not built.");
    return;
  }
  await step("Page", { stamp: "web", key: digest(fingerprint(["web", "package-lock.json"])), still: () => existsSync(join(DIST, "index.html")) },
    () => {
      run(bin("vite"), ["build", "web", "--logLevel", "warn"], { env: { NODE_ENV: "production" } });
      // The twin's page is plain files: nothing to build.
      cpSync(join(root, "web/twin"), join(DIST, "twin"), { recursive: true });
    });
}
