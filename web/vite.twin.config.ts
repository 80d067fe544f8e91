// The twin's page: a page of its own that uses the companion's parts, so that nothing of it is on the companion's page.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // The companion's build puts these there.
  publicDir: false,
  build: {
    target: "es2022",
    // Beside the companion's files, which are built first.
    emptyOutDir: false,
    assetsDir: "assets/twin",
    // The page's policy allows no data: URLs.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: "twin/index.html" },
  },
});
