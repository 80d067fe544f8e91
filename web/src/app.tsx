// The frame: what is open, the list beside it, the ways out.
import { Suspense, lazy, useCallback, useEffect, useMemo, useState } from "react";
import { type Health, health } from "./api/client";
import { ProblemError } from "./api/problem";
import { Face } from "./chat/face";
import { Conversation } from "./chat/conversation";
import { Fault } from "./components/fault";
import { HistoryPanel } from "./components/history";
import { Icon } from "./components/icon";
import { useQuickExit } from "./components/quick-exit";
import { Keys, LeaveButton, Sheet } from "./components/sheet";
import { provide } from "./help";
import { useWords } from "./i18n";
import { leavePreview, previewToken } from "./preview";
import { useSession } from "./session";
import { rememberedConfigs, rememberConfigs } from "./remembered";
import { UiProvider, uiOf } from "./variants";

const Settings = lazy(() => import("./components/settings"));
const Plans = lazy(() => import("./pricing/plans"));
const HelpSheet = lazy(() => import("./components/help-sheet"));

export function App() {
  const words = useWords();
  const { wanted, session, error, open, sheet, show, hide } = useSession();
  const [service, setService] = useState<Health | null>(null);
  const [drawer, setDrawer] = useState(false);
  const [changed, setChanged] = useState(0);
  const online = useOnline();
  useQuickExit();

  const configs = session?.assignment?.configs;
  useEffect(() => { if (configs) rememberConfigs(configs); }, [configs]);
  const ui = useMemo(() => uiOf(session ? configs : rememberedConfigs()), [session, configs]);
  const hasPanel = ui.layout !== "simplified";

  const go = useCallback((id: string | null) => {
    setDrawer(false);
    open(id);
  }, [open]);
  const close = useCallback(() => setDrawer(false), []);

  useEffect(() => {
    health().then(setService, () => setService(null));
    provide();
  }, []);
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        go(null);
      } else if (event.key === "?" && !typing && !document.querySelector("dialog[open]")) show("keys");
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, [go, show]);

  const again = () => open(error instanceof ProblemError && error.problem.status === 404 ? null : wanted, true);
  return (
    <UiProvider value={ui}>
      <div className="frame" data-layout={ui.layout} data-compose={ui.position} data-face={ui.face}>
        <a className="skip" href="#conversation">{words.skip}</a>
        <header className="bar">
          {hasPanel && <button type="button" className="icon menu" aria-label={words.openHistory} aria-expanded={drawer} onClick={() => setDrawer(!drawer)}><Icon name="menu" /></button>}
          <span className="brand"><Face size="small" />{ui.face === "none" && <span className="mark" aria-hidden="true">∞</span>}<span className="name">{words.name}</span></span>
          <span className="spring" />
          {!hasPanel && <button type="button" className="icon" aria-label={words.fresh} onClick={() => go(null)}><Icon name="plus" /></button>}
          {!hasPanel && <button type="button" className="icon" aria-label={words.settings} onClick={() => show("settings")}><Icon name="settings" /></button>}
          <button type="button" className="help-now" onClick={() => show("help")}><Icon name="help" />{words.helpNow}</button>
          <LeaveButton />
        </header>
        {hasPanel && (
          <HistoryPanel current={wanted} changed={changed} searchable={ui.layout === "sidebar"} open={drawer} onOpen={go} onClose={close} onSheet={(name) => { setDrawer(false); show(name); }}>
            {ui.layout === "sidebar" && <Face size="margin" />}
          </HistoryPanel>
        )}
        <main id="conversation" tabIndex={-1}>
          {previewToken() && (
            <p className="preview" role="status">
              {words.preview}
              <button type="button" className="icon" aria-label={words.previewLeave} title={words.previewLeave} onClick={() => { leavePreview(); open(null, true); }}><Icon name="close" /></button>
            </p>
          )}
          <p className="disclosure" role="note">
            <strong>{words.ai}</strong> {words.aiMore} {service?.provider.name === "offline" && <span>{words.offlineModel}</span>}
          </p>
          {!online && <p className="banner" role="status">{words.offline}</p>}
          {error !== null && <Fault error={error} onRetry={again} />}
          {session
            ? <Conversation key={session.session_id} session={session} speakable={service?.voice?.hears === true} onTurn={() => setChanged((n) => n + 1)} />
            : error === null && <div className="arriving" role="status"><Face size="large" still /><span className="unseen">{words.loading}</span></div>}
        </main>
        {ui.layout === "current" && session && <aside className="margin" aria-hidden="true"><Face size="margin" /></aside>}
        <Suspense fallback={null}>
          {sheet === "settings" && <Settings current={wanted} withHistory={!hasPanel} speakable={service?.voice?.hears === true} onOpen={go} onClose={hide} />}
          {sheet === "plans" && <Plans onClose={hide} />}
          {sheet === "help" && <HelpSheet onClose={hide} />}
          {sheet === "keys" && <Sheet title={words.keysTitle} onClose={hide}><Keys /></Sheet>}
        </Suspense>
      </div>
    </UiProvider>
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
