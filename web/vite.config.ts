import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin, Rollup } from "vite";
import { defineConfig } from "vitest/config";

/** Writes the service worker, which has to know the names of the files that it keeps. */
function serviceWorker(): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    // After the style sheet has been written.
    enforce: "post",
    generateBundle(_, bundle) {
      const source = readFileSync(new URL("src/pwa/sw.js", import.meta.url), "utf8");
      // Of the languages only the one in use is worth its bytes; the page tells which. Fonts come with it.
      const files = Object.values(bundle).filter((file) => /\.(js|css)$/.test(file.fileName) && !(file.type === "chunk" && file.moduleIds.every((id) => id.includes("/i18n/"))));
      const shell = ["/", "/icon.svg", "/manifest.webmanifest", ...files.map(({ fileName }) => `/${fileName}`).sort()];
      const version = createHash("sha256").update(source).update(shell.join()).digest("hex").slice(0, 12);
      this.emitFile({ type: "asset", fileName: "sw.js", source: source.replace("__VERSION__", version).replace("__SHELL__", JSON.stringify(shell)) });
    },
  };
}

const KIB = 1024;
/** Gzip of all script before the first message, for a slow phone. */
const BUDGET_KIB = 200;

/** Measures what is loaded before the first message: the entry, what it imports, Markdown, and the largest language. */
function firstLoad(): Plugin {
  return {
    name: "first-load",
    apply: "build",
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((file): file is Rollup.OutputChunk => file.type === "chunk");
      const gzip = (chunk: Rollup.OutputChunk) => gzipSync(chunk.code, { level: 9 }).length / KIB;
      const needed = new Set<Rollup.OutputChunk>();
      const add = (chunk: Rollup.OutputChunk | undefined) => {
        if (!chunk || needed.has(chunk)) return;
        needed.add(chunk);
        chunk.imports.forEach((name) => add(chunks.find(({ fileName }) => fileName === name)));
      };
      chunks.filter(({ isEntry }) => isEntry).forEach(add);
      add(chunks.find(({ facadeModuleId }) => facadeModuleId?.endsWith("/chat/markdown.tsx")));
      const languages = chunks.filter(({ facadeModuleId }) => /\/i18n\/\w+\.ts$/.test(facadeModuleId ?? ""));
      add(languages.sort((a, b) => gzip(b) - gzip(a))[0]);
      const total = [...needed].reduce((sum, chunk) => sum + gzip(chunk), 0);
      console.log(`first load: ${total.toFixed(1)} KiB of script, gzip (budget ${BUDGET_KIB} KiB)`);
      if (languages.length === 0 || total > BUDGET_KIB) this.error(`the first load is over its budget of ${BUDGET_KIB} KiB, or was not found`);
    },
  };
}

export default defineConfig({
  plugins: [react(), serviceWorker(), firstLoad()],
  build: { target: "es2022", sourcemap: false, cssCodeSplit: false, chunkSizeWarningLimit: 700 },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
