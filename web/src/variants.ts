// Which form of the interface a session has: the configs of its variants, read with defaults for what is absent or unknown.
import { createContext, useContext } from "react";

const LAYOUTS = ["current", "simplified", "sidebar", "mobile-only"] as const;
const POSITIONS = ["bottom-pill", "top-fixed", "inline"] as const;
const GHOSTS = ["scramble", "dots", "shimmer", "none"] as const;
const TOPIC_FORMS = ["flat", "drill-down", "tabs"] as const;
const FACES = ["on", "simple-orb", "none"] as const;
const STRUCTURES = ["v1", "v2-claude-aligned"] as const;
const SCALES = ["stars5", "words5", "thumbs", "slider10", "emoji5"] as const;

export type GhostStyle = (typeof GHOSTS)[number];
export type FaceStyle = (typeof FACES)[number];
export type Structure = (typeof STRUCTURES)[number];
export type Scale = (typeof SCALES)[number];

/** The question after an answer, in English as the registry has it. */
export interface RatingForm {
  question: string;
  low: string;
  high: string;
  scale: Scale;
}

export interface Ui {
  layout: (typeof LAYOUTS)[number];
  position: (typeof POSITIONS)[number];
  ghost: GhostStyle;
  rating: RatingForm;
  topics: (typeof TOPIC_FORMS)[number];
  face: FaceStyle;
  pricing: Structure;
}

/** Category → config, as the registry has them. */
export type Configs = Record<string, unknown>;

const fields = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? value as Record<string, unknown> : {});

/** The value where it is one of those known, else the first, which is the production default. */
function oneOf<const T extends readonly [string, ...string[]]>(known: T, value: unknown): T[number] {
  return known.find((name) => name === value) ?? known[0];
}

const words = (value: unknown, fallback: string) => (typeof value === "string" && value.trim() !== "" ? value : fallback);

export function uiOf(configs: Configs | undefined): Ui {
  const of = (category: string) => fields(configs?.[category]);
  const rating = of("RATING_VARIANT");
  return {
    layout: oneOf(LAYOUTS, of("CHAT_UI_LAYOUT").layout),
    position: oneOf(POSITIONS, of("COMPOSE_POSITION").position),
    ghost: oneOf(GHOSTS, of("GHOST_CHAR_STYLE").style),
    rating: {
      question: words(rating.question, "Was this helpful just now?"),
      low: words(rating.low, "no"),
      high: words(rating.high, "yes"),
      scale: rating.question ? oneOf(SCALES, rating.scale) : "thumbs",
    },
    topics: oneOf(TOPIC_FORMS, of("TOPIC_HIERARCHY").form),
    face: oneOf(FACES, of("MANDALA_FACE").face),
    pricing: oneOf(STRUCTURES, of("PRICING_TIER_STRUCTURE").structure),
  };
}

const UiContext = createContext<Ui>(uiOf(undefined));
export const UiProvider = UiContext.Provider;
export const useUi = () => useContext(UiContext);
