// Themes to begin with. Their words are the interface's (`i18n/`), so that every language has all of them.
export const TOPICS = ["sleep", "worry", "work", "love", "family", "loss", "self", "joy"] as const;
export type TopicId = (typeof TOPICS)[number];

/** A theme's name, and lines to begin with; the first stands for it in a flat list. */
export interface Topic {
  name: string;
  lines: readonly [string, string, string];
}
