// The few signs of the interface, drawn with one pen.
const PATHS = {
  menu: "M4 7h16M4 12h11M4 17h16",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  back: "M14 6l-6 6 6 6",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  voice: "M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3ZM6 11.5a6 6 0 0 0 12 0M12 17.500V21",
  away: "M8 16L17 7M9 7h8v8",
  help: "M12 20s-7-4.4-7-9.6A4 4 0 0 1 12 8a4 4 0 0 1 7 2.4C19 15.6 12 20 12 20Z",
  settings: "M5 8h9M18 8h1M5 16h1M10 16h9M16 6v4M8 14v4",
  plans: "M6 20V11M12 20V4M18 20v-6",
  keys: "M4 7h16v10H4zM8 13.5h8M7.5 10h.01M12 10h.01M16.5 10h.01",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12",
  save: "M12 5v9M8 11l4 4 4-4M5 19h14",
  copy: "M9 9h10v10H9zM15 9V5H5v10h4",
  again: "M19 12a7 7 0 1 1-2.1-5M19 4v4h-4",
  edit: "M5 19l1-4L16 5l3 3L9 18z",
  call: "M7 4l3 4-2 2.5a12 12 0 0 0 5.5 5.5L16 14l4 3-1.5 3C11 20 4 13 4 5.5Z",
  text: "M4 6h16v10H10l-4 4v-4H4z",
  web: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM4 12h16M12 4c3 3 3 13 0 16M12 4c-3 3-3 13 0 16",
  star: "M12 4.5l2.3 4.9 5.2.7-3.800 3.7.9 5.3-4.6-2.6-4.6 2.6.9-5.3L4.5 10.1l5.2-.7Z",
  up: "M7 11v9H4v-9zM7 11l4-7c1.5 0 2.5 1 2.200 2.5L12.5 10H19l-1.5 9-1 1H7",
  down: "M17 13V4h3v9zM17 13l-4 7c-1.5 0-2.5-1-2.200-2.5L11.5 14H5l1.5-9 1-1H17",
  check: "M5 12.5l4.5 4.5L19 7.5",
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration: what it means is said by the text or label beside it. */
export function Icon({ name }: { name: IconName }) {
  return <svg className="sign" data-sign={name} viewBox="0 0 24 24" aria-hidden="true"><path d={PATHS[name]} /></svg>;
}
