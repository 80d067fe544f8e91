// The twin's page: whom one talks with, and what one may do with them. A link's part after # is in no server's log.
import { useCallback, useEffect, useState } from "react";
import { type Session, readSession } from "../src/api/client";
import { Fault } from "../src/components/fault";
import { Icon } from "../src/components/icon";
import { LeaveButton } from "../src/components/sheet";
import { useQuickExit } from "../src/components/quick-exit";
import { type Twin, listTwins, readShared, readTwin } from "./api";
import { Portrait } from "./portrait";
import { Links, Memory, Persona } from "./sheets";
import { Talk } from "./talk";
import { useTwinWords } from "./words";

const LINK = decodeURIComponent(location.hash.slice(1));
/** The conversation of this tab with a twin, so that a reload goes on with it. */
const keyOf = (twin: string) => `si-twin-session:${LINK ? "link" : twin}`;

interface Met {
  /** Empty for the deployment's own twin, and for a link's. */
  twin: string;
  who: { twin?: string; share?: string };
  name: string;
  greeting: string | null;
  session: Session | null;
  /** Counts conversations, so that a new one is a new component. */
  begun: number;
}

/** The twin with the conversation of this tab, where there is one. */
async function meet(twin: string, begun: number): Promise<Met> {
  const kept = sessionStorage.getItem(keyOf(twin));
  const [{ name, greeting }, session] = await Promise.all([
    twin ? readTwin(twin) : readShared(LINK),
    // One that is gone is no reason not to begin anew.
    kept ? readSession(kept).catch(() => null) : null,
  ]);
  return { twin, who: LINK ? { share: LINK } : twin ? { twin } : {}, name, greeting, session, begun };
}

type Open = "new" | "edit" | "links" | "memory" | null;

export function App() {
  const words = useTwinWords();
  useQuickExit();
  const [twins, setTwins] = useState<Twin[]>([]);
  const [met, setMet] = useState<Met | null>(null);
  const [site, setSite] = useState("");
  const [open, setOpen] = useState<Open>(null);
  const [fault, setFault] = useState<unknown>(null);

  const choose = useCallback(async (twin: string, anew = false) => {
    if (anew) sessionStorage.removeItem(keyOf(twin));
    setFault(null);
    try {
      const next = await meet(twin, performance.now());
      setMet(next);
      if (!twin) setSite(next.name);
      document.title = next.name;
    } catch (error) {
      setMet(null);
      setFault(error);
    }
  }, []);
  const list = useCallback(() => listTwins().then(setTwins), []);
  useEffect(() => {
    void choose("");
    if (!LINK) void list().catch(() => undefined);
  }, [choose, list]);

  const chosen = twins.find(({ twin_id }) => twin_id === met?.twin);
  const close = () => setOpen(null);
  const saved = async ({ twin_id }: Twin) => {
    close();
    await list();
    await choose(twin_id);
  };
  const onBegun = useCallback((session: string) => sessionStorage.setItem(keyOf(met?.twin ?? ""), session), [met?.twin]);
  const chip = (id: string, name: string) => (
    <li key={id}>
      <button type="button" className="chip" aria-pressed={met?.twin === id} onClick={() => void choose(id)}><Portrait name={name} size="small" /><bdi>{name}</bdi></button>
    </li>
  );

  return (
    <div className="twin-frame" data-visitor={LINK ? "" : undefined}>
      <header className="bar">
        <a className="brand" href="/" aria-label="Silent Infinity"><img src="/icon.svg" alt="" width="30" height="30" /><span className="name">Silent Infinity</span></a>
        <span className="spring" />
        {met && (
          <nav className="tools" aria-label={met.name}>
            <button type="button" className="tool" onClick={() => void choose(met.twin, true)}><Icon name="plus" /><span>{words.again}</span></button>
            {chosen && <button type="button" className="tool" onClick={() => setOpen("edit")}><Icon name="edit" /><span>{words.edit}</span></button>}
            {chosen && <button type="button" className="tool" onClick={() => setOpen("links")}><Icon name="web" /><span>{words.links}</span></button>}
            <button type="button" className="tool" onClick={() => setOpen("memory")}><Icon name="star" /><span>{words.memory}</span></button>
          </nav>
        )}
        <LeaveButton />
      </header>
      {!LINK && (
        <nav className="twins" aria-label={words.twins}>
          <h2>{words.twins}</h2>
          <ul>
            {chip("", site || words.site)}
            {twins.map(({ twin_id, name }) => chip(twin_id, name))}
            <li><button type="button" className="chip fresh" onClick={() => setOpen("new")}><Icon name="plus" />{words.fresh}</button></li>
          </ul>
        </nav>
      )}
      <main>
        <p className="disclosure">{words.ai}</p>
        {met && <Talk key={met.begun} name={met.name} greeting={met.greeting} who={met.who} session={met.session} onBegun={onBegun} />}
        {fault != null && (LINK ? <div className="persona"><h1>{words.ended}</h1><p>{words.endedMore}</p></div> : <Fault error={fault} onRetry={() => void choose("")} />)}
      </main>
      {(open === "new" || (open === "edit" && chosen)) && (
        <Persona twin={open === "edit" ? chosen : undefined} onClose={close} onSaved={(twin) => void saved(twin)} onDeleted={() => { close(); setTwins((all) => all.filter((twin) => twin !== chosen)); void choose(""); }} />
      )}
      {open === "links" && chosen && <Links twin={chosen} onClose={close} />}
      {open === "memory" && <Memory onClose={close} />}
    </div>
  );
}
