// The frame: which conversation is open, the list beside it, the ways out.
import { useCallback, useEffect, useState } from "react";
import { type Health, type Session, createSession, health, readSession } from "./api/client";
import { ProblemError } from "./api/problem";
import { Conversation } from "./chat/conversation";
import { Help } from "./components/dialogs";
import { Fault } from "./components/fault";
import { History } from "./components/history";
import { leave, useQuickExit } from "./components/quick-exit";
import { ThemeToggle } from "./components/theme";
import { words } from "./messages";

const idInPath = () => /^\/c\/(ses_[0-9a-z]{26})$/.exec(location.pathname)?.[1] ?? null;
const LAST = "si-last";

export function App() {
  const [id, setId] = useState<string | null>(idInPath() ?? localStorage.getItem(LAST));
  const [session, setSession] = useState<Session | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [service, setService] = useState<Health | null>(null);
  const [drawer, setDrawer] = useState(false);
  const [help, setHelp] = useState(false);
  const [changed, setChanged] = useState(0);
  const online = useOnline();
  useQuickExit();

  const open = useCallback((next: string | null, replace = false) => {
    setDrawer(false);
    setError(null);
    setSession(null);
    setId(next);
    if (next) localStorage.setItem(LAST, next);
    else localStorage.removeItem(LAST);
    history[replace ? "replaceState" : "pushState"](null, "", next ? `/c/${next}` : "/");
  }, []);

  useEffect(() => { health().then(setService, () => setService(null)); }, []);
  useEffect(() => {
    const back = () => { setSession(null); setId(idInPath()); };
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, []);

  // Without an id there is no conversation yet: one is made, and its path is put in place of ours.
  useEffect(() => {
    let current = true;
    const load = async () => {
      try {
        if (!id) {
          const made = await createSession();
          if (current) open(made.session_id, true);
          return;
        }
        const read = await readSession(id);
        if (!current) return;
        if (idInPath() !== id) history.replaceState(null, "", `/c/${id}`);
        setSession(read);
      } catch (reason) {
        if (!current) return;
        const gone = reason instanceof ProblemError && [401, 404].includes(reason.problem.status);
        if (gone && id && !idInPath()) open(null, true);
        else setError(reason);
      }
    };
    void load();
    return () => { current = false; };
  }, [id, open]);

  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea");
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open(null);
      } else if (event.key === "?" && !typing) setHelp(true);
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, [open]);

  return (
    <div className="frame">
      <a className="skip" href="#conversation">{words.skip}</a>
      <header className="bar">
        <button type="button" className="icon menu" aria-label={words.openHistory} aria-expanded={drawer} onClick={() => setDrawer(!drawer)}>☰</button>
        <span className="brand"><span className="mark" aria-hidden="true">∞</span>{words.name}</span>
        <span className="spring" />
        <ThemeToggle />
        <button type="button" className="leave" title={words.leaveHint} onClick={leave}>{words.leave}<span aria-hidden="true"> ↗</span></button>
      </header>
      <History key={changed} current={id} open={drawer} onOpen={open} onClose={() => setDrawer(false)} onHelp={() => setHelp(true)} />
      <main id="conversation" tabIndex={-1}>
        <p className="disclosure" role="note">
          <strong>{words.ai}</strong> {words.aiMore} {service?.provider.name === "offline" && <span>{words.offlineModel}</span>}
        </p>
        {!online && <p className="banner" role="status">{words.offline}</p>}
        {error !== null && <Fault error={error} onRetry={() => open(error instanceof ProblemError && error.problem.status === 404 ? null : id, true)} />}
        {session && <Conversation key={session.session_id} session={session} onTurn={() => setChanged((n) => n + 1)} />}
      </main>
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

function useOnline() {
  const [online, setOnline] = useState(navigator.onLine);
  useEffect(() => {
    const update = () => setOnline(navigator.onLine);
    addEventListener("online", update);
    addEventListener("offline", update);
    return () => { removeEventListener("online", update); removeEventListener("offline", update); };
  }, []);
  return online;
}
