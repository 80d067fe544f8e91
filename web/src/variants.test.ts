import { expect, test } from "vitest";
import registry from "../../shared/core/seed/registry.json";
import { type Configs, type Ui, uiOf } from "./variants";

interface Variant { id: string; category: string; config: Record<string, unknown> }
const seed = registry as { variants: Variant[] };

/** Where each category's config ends up. */
const PLACES: Record<string, [config: string, ui: keyof Ui]> = {
  CHAT_UI_LAYOUT: ["layout", "layout"],
  COMPOSE_POSITION: ["position", "position"],
  GHOST_CHAR_STYLE: ["style", "ghost"],
  TOPIC_HIERARCHY: ["form", "topics"],
  MANDALA_FACE: ["face", "face"],
  PRICING_TIER_STRUCTURE: ["structure", "pricing"],
};

test("every variant of the registry is known to the page", () => {
  let seen = 0;
  for (const { id, category, config } of seed.variants) {
    const place = PLACES[category];
    if (place) expect(uiOf({ [category]: config })[place[1]], `${category} ${id}`).toBe(config[place[0]]);
    else if (category === "RATING_VARIANT") expect(uiOf({ [category]: config }).rating, id).toEqual(config);
    else continue;
    seen++;
  }
  expect(seen).toBe(4 + 3 + 4 + 3 + 3 + 2 + 40);
});

test("what is absent or unknown is the production default", () => {
  const plain = uiOf(undefined);
  expect(plain).toEqual({
    layout: "current", position: "bottom-pill", ghost: "scramble", topics: "flat", face: "on", pricing: "v1",
    rating: { question: "Was this helpful just now?", low: "no", high: "yes", scale: "thumbs" },
  });
  for (const odd of [null, 7, "x", [], {}, { layout: "hologram", style: 3, question: "" }]) {
    const configs: Configs = Object.fromEntries(seed.variants.map(({ category }) => [category, odd]));
    expect(uiOf(configs)).toEqual(plain);
  }
});
