// The dashboard: a page of its own, so that nothing of it is on the companion's page or in its service worker.
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react(), tailwind()],
  // The companion's build puts these there.
  publicDir: false,
  build: {
    target: "es2022",
    // Beside the companion's files, which are built first.
    emptyOutDir: false,
    assetsDir: "assets/admin",
    // The page's policy allows no data: URLs.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    sourcemap: false,
    rolldownOptions: { input: "admin/index.html" },
  },
});
