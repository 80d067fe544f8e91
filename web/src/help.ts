// Help by region, kept on the device: whoever has opened the page once has the numbers also without a network.
import { type Help, readHelp, region } from "./api/client";

/** Kept apart from what leaving clears: it holds public numbers, and they matter most to whoever had to leave. */
const CACHE = "si-help";
const place = (country: string) => `/help/${country || "here"}.json`;
const store = () => (typeof caches === "undefined" ? null : caches.open(CACHE).catch(() => null));

async function keep(country: string, help: Help) {
  const cache = await store();
  await cache?.put(place(country), new Response(JSON.stringify(help), { headers: { "content-type": "application/json" } }));
}

async function kept(country: string): Promise<Help | null> {
  const found = await (await store())?.match(place(country));
  return found ? ((await found.json()) as Help) : null;
}

/** Help in a country, or where the person is; the one kept where the server cannot be reached. */
export async function helpIn(country: string): Promise<Help & { stored: boolean }> {
  try {
    const help = await readHelp(country);
    void keep(country, help).catch(() => {});
    return { ...help, stored: false };
  } catch (error) {
    const help = await kept(country);
    if (!help) throw error;
    return { ...help, stored: true };
  }
}

/** Fetches what may be needed later. */
export const provide = () => void helpIn(region() ?? "").catch(() => {});
