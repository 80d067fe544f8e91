// What can lie above the conversation, each with a path of its own.
const SHEETS = ["settings", "plans", "help", "keys"] as const;
export type SheetName = (typeof SHEETS)[number];

export const sheetInPath = (): SheetName | null => SHEETS.find((name) => location.pathname === `/${name}`) ?? null;
