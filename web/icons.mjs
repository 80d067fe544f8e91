// `node web/icons.mjs`: draws the icon and renders it with Chromium into public/. Run it once after a change.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBrowser } from "../tests/browser/browser.mjs";

const PUBLIC = join(import.meta.dirname, "public");

/** The petal of `src/chat/face.tsx`, around the middle of a square of 100. */
const petal = (from, to, half) => {
  const middle = from + (to - from) * 0.58;
  return `M0 ${-from}C${half} ${-middle} ${half * 0.7} ${-to + 2} 0 ${-to}C${-half * 0.7} ${-to + 2} ${-half} ${-middle} 0 ${-from}Z`;
};
const ring = (count, path, colour, width) =>
  `<g fill="${colour}" fill-opacity=".08" stroke="${colour}" stroke-width="${width}">${Array.from({ length: count }, (_, at) => `<path d="${path}" transform="rotate(${(360 / count) * at})"/>`).join("")}</g>`;

/** `round` is the corner of the ground, `scale` how much of it the sign takes. */
const icon = (round, scale) => `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-50 -50 100 100"><rect x="-50" y="-50" width="100" height="100" rx="${round}" fill="#0c1519"/><g transform="scale(${scale})">${ring(12, petal(18, 44, 6.5), "#8fd3c4", 1.6)}${ring(8, petal(5, 26, 6), "#f0c39a", 1.8)}<circle r="3" fill="#f0c39a"/></g></svg>`;

// A mask may cut away all but the inner 80 %.
const files = { "icon-192.png": [icon(22, 0.9), 192], "icon-512.png": [icon(22, 0.9), 512], "icon-maskable-512.png": [icon(0, 0.66), 512], "apple-touch-icon.png": [icon(0, 0.78), 180] };
writeFileSync(join(PUBLIC, "icon.svg"), `${icon(22, 0.9)}\n`);
const browser = await openBrowser();
for (const [name, [svg, size]] of Object.entries(files)) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>*{margin:0}svg{display:block;width:100vw}</style>${svg}`);
  await page.screenshot({ path: join(PUBLIC, name), omitBackground: true });
  await page.close();
}
await browser.close();
