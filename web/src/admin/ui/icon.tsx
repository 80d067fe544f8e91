// Line icons, drawn for this page.
const PATHS = {
  variants: "M4 6h10M4 12h16M4 18h7M17.5 4v4M14 16v4",
  compare: "M12 4v16M7 8v8M17 6v5M5 8h4M5 16h4M15 6h4M15 11h4M10 12h4",
  approvals: "M5 12.5l4 4L19 7M5 20h14",
  audit: "M9 7h11M9 12h11M9 17h11M4.5 7h.01M4.5 12h.01M4.5 17h.01",
  safety: "M12 3l7 3v5.5c0 4.4-3 7.6-7 9.5-4-1.9-7-5.1-7-9.5V6z",
  costs: "M12 3v18M16 7.5c-.7-1.2-2.2-2-4-2-2.3 0-4 1.2-4 3s1.5 2.6 4 3.2 4.2 1.4 4.2 3.4-1.8 3.2-4.2 3.2c-2 0-3.7-.9-4.3-2.3",
  providers: "M4 13h3l2.5-7 4 13 2.5-6h4",
  letters: "M4 6h16v12H4zM4 7l8 6 8-6",
  alerts: "M4.5 18h15l-1.8-2.5V11a5.7 5.7 0 00-11.4 0v4.5zM10 20.5h4",
  people: "M12 12a4 4 0 100-8 4 4 0 000 8zM4.5 20c.8-3.6 3.8-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  promote: "M12 19V5M6 11l6-6 6 6", demote: "M12 5v14M6 13l6 6 6-6", pause: "M9 6v12M15 6v12", edit: "M4 20h4L19 9l-4-4L4 16z",
  check: "M5 12.5l4.5 4.5L19 7.5", cross: "M6 6l12 12M18 6L6 18", warn: "M12 4l9 16H3zM12 10v4.5M12 17.5h.01", wait: "M12 7v5l3.5 2M12 21a9 9 0 100-18 9 9 0 000 18z",
  down: "M6 9l6 6 6-6", right: "M9 6l6 6-6 6", up: "M6 15l6-6 6 6",
  keyboard: "M3 7h18v10H3zM7 10.5h.01M10.5 10.5h.01M14 10.5h.01M17.5 10.5h.01M8 13.8h8",
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth={name === "more" ? 2.6 : 1.7} strokeLinecap="round" strokeLinejoin="round" className="shrink-0">
      <path d={PATHS[name]} />
    </svg>
  );
}
