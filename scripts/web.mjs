// Builds the companion, the dashboard and the twin's page into web/dist, which the chat Worker serves.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bin, digest, fingerprint, root, run, step } from "./lib.mjs";

const DIST = join(root, "web/dist");

/** Each is a build of its own: they share no chunk, and the later ones' files lie in assets/admin and assets/twin. */
const CONFIGS = ["web/vite.config.ts", "web/vite.admin.config.ts", "web/vite.twin.config.ts"];

/** Builds the pages if their sources or packages changed. */
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
  });
}
