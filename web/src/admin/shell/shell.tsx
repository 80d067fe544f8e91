// The frame around every view: where one is, where one can go, who one is.
import { useIsFetching, useQuery } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { changes, isOpen } from "../api/changes";
import { me } from "../api/variants";
import { shortName } from "../lib/words";
import { Sheet } from "../ui/dialog";
import { useIsWide } from "../ui/hooks";
import { Icon } from "../ui/icon";
import { useShortcuts } from "./keys";
import { LiveStrip } from "./live";
import { FIRST, PLACES, type Place } from "./places";
import { Shortcuts } from "./shortcuts";
import { ThemeChoice, useTheme } from "./theme";

export function Shell({ children }: { children: ReactNode }) {
  const [location, navigate] = useLocation();
  const [open, setOpen] = useState<"keys" | "more" | null>(null);
  const [theme, setTheme] = useTheme();
  const isWide = useIsWide();
  const waiting = useQuery(changes()).data?.filter(isOpen).length ?? 0;
  const fetching = useIsFetching({ predicate: ({ state, queryKey }) => state.status === "pending" || queryKey[0] === "audit-verdict" });
  useShortcuts({ "?": () => setOpen("keys"), ...Object.fromEntries(PLACES.map(({ key, path }) => [`g ${key}`, () => navigate(path)])) });
  useEffect(() => { setOpen(null); scrollTo(0, 0); }, [location]);

  const isHere = (path: string) => location === path || location.startsWith(`${path}/`);
  const item = (place: Place, className: string, size?: number) => (
    <Link key={place.path} href={place.path} className={className} aria-current={isHere(place.path) ? "page" : undefined}>
      <Icon name={place.icon} {...(size ? { size } : {})} /><span>{place.name}</span>
      {place.path === "/approvals" && waiting > 0 && <span className="tag tag-wait ms-auto" aria-label={`${waiting} waiting`}>{waiting}</span>}
    </Link>
  );
  const row = "flex min-h-9 items-center gap-2.5 rounded-md px-2.5 no-underline text-ink-2 hover:bg-sunk hover:text-ink aria-[current]:bg-accent-soft aria-[current]:text-ink aria-[current]:font-medium";
  const brand = <Link href="/variants" className="font-serif text-[1.2rem] leading-tight no-underline whitespace-nowrap"><span aria-hidden="true" className="text-accent">∞</span> Silent Infinity</Link>;
  const settings = (
    <div className="space-y-1.5 text-[.8667rem]">
      <ThemeChoice theme={theme} onChange={setTheme} />
      <button type="button" className="flex items-center gap-2 text-ink-2 hover:text-ink" onClick={() => setOpen("keys")}><Icon name="keyboard" size={16} />Shortcuts <kbd className="key">?</kbd></button>
      <Person />
    </div>
  );

  return (
    <div className="lg:grid lg:min-h-dvh lg:grid-cols-[13.5rem_minmax(0,1fr)]">
      <a href="#main" className="btn fixed start-3 -top-20 z-30 focus:top-3" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the content</a>
      <div aria-hidden="true" className={`fixed inset-x-0 top-0 z-20 h-[3px] transition-opacity ${fetching > 0 ? "opacity-100" : "opacity-0"}`}><div className="progress h-full rounded-none bg-transparent" /></div>
      {isWide ? (
        <div className="sticky top-0 flex h-dvh flex-col gap-5 overflow-y-auto border-e border-line px-3 py-5">
          <div className="px-2.5">{brand}</div>
          <nav aria-label="Views" className="flex flex-col gap-0.5">{PLACES.map((place) => item(place, row))}</nav>
          <div className="mt-auto px-2.5">{settings}</div>
        </div>
      ) : (
        <header className="flex items-center justify-between px-4 pt-3">{brand}</header>
      )}
      <div className="min-w-0 pb-24 lg:pb-10">
        <div className="px-4 pt-2 lg:px-8 lg:pt-4 min-h-8"><LiveStrip /></div>
        <main id="main" tabIndex={-1} className="max-w-[100rem] px-4 pt-5 outline-none lg:px-8">{children}</main>
      </div>
      {!isWide && (
        <nav aria-label="Views" className="fixed inset-x-0 bottom-0 z-10 grid grid-cols-4 border-t border-line bg-raised pb-[env(safe-area-inset-bottom)]">
          {PLACES.slice(0, FIRST).map((place) => item(place, "relative flex min-h-14 flex-col items-center justify-center gap-0.5 text-[.8rem] no-underline text-ink-2 aria-[current]:text-accent aria-[current]:font-medium [&>.tag]:absolute [&>.tag]:top-1 [&>.tag]:ms-10", 20))}
          <button type="button" className="flex min-h-14 flex-col items-center justify-center gap-0.5 text-[.8rem] text-ink-2" aria-haspopup="dialog" onClick={() => setOpen("more")}><Icon name="more" size={20} /><span>More</span></button>
        </nav>
      )}
      {open === "keys" && <Shortcuts onClose={() => setOpen(null)} />}
      {open === "more" && (
        <Sheet title="More" onClose={() => setOpen(null)}>
          <nav aria-label="More views" className="mb-4 grid gap-0.5">{PLACES.slice(FIRST).map((place) => item(place, `${row} min-h-12`))}</nav>
          <div className="border-t border-line pt-3">{settings}</div>
        </Sheet>
      )}
    </div>
  );
}

function Person() {
  const { data } = useQuery(me());
  return data ? <p className="flex items-center gap-2 text-ink-2" title={data.id}><Icon name="people" size={16} /><span className="truncate">{shortName(data.id)}</span></p> : null;
}
