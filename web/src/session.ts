// Which conversation is open, and how it is opened: by its path, as the last one, or as a new one.
import { useCallback, useEffect, useRef, useState } from "react";
import { type Session, createSession, readSession } from "./api/client";
import { ProblemError } from "./api/problem";
import { locale } from "./i18n";
import { previewToken } from "./preview";
import { type SheetName, sheetInPath } from "./sheets";
import { begun, isShown } from "./veil";

const LAST = "si-last";
function idInPath(): string | null {
  const id = /^\/c\/(ses_[0-9a-z]{26})$/.exec(location.pathname)?.[1];
  // The browser's own history remembers paths.
  return id && isShown(id) ? id : null;
}

export function useSession() {
  const [wanted, setWanted] = useState<string | null>(null);
  const [session, setSession] = useState<Session | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [sheet, setSheet] = useState<SheetName | null>(sheetInPath);
  // Only the newest attempt may change anything.
  const attempt = useRef(0);

  const load = useCallback(async (id: string | null): Promise<void> => {
    const mine = ++attempt.current;
    setWanted(id);
    setSession(null);
    setError(null);
    try {
      const read = id ? await readSession(id) : await createSession(locale(), previewToken());
      if (mine !== attempt.current) return;
      setWanted(read.session_id);
      setSession(read);
      if (!id) begun(read.session_id);
      localStorage.setItem(LAST, read.session_id);
      if (!sheetInPath()) history.replaceState(null, "", `/c/${read.session_id}`);
    } catch (reason) {
      if (mine !== attempt.current) return;
      const gone = reason instanceof ProblemError && [401, 404].includes(reason.problem.status);
      if (gone && id && !idInPath()) return load(null);
      setError(reason);
    }
  }, []);

  /** Opens a conversation, or a new one; `again` takes the place of what is open. */
  const open = useCallback((id: string | null, again = false) => {
    setSheet(null);
    history[again ? "replaceState" : "pushState"](null, "", id ? `/c/${id}` : "/");
    void load(id);
  }, [load]);

  useEffect(() => {
    // A link to a preview is about a new conversation.
    void load(idInPath() ?? (previewToken() ? null : localStorage.getItem(LAST)));
  }, [load]);

  const current = useRef<string | null>(null);
  current.current = wanted;
  useEffect(() => {
    const back = () => {
      const name = sheetInPath();
      setSheet(name);
      // What is open goes on under a sheet, and when one is closed.
      const id = idInPath();
      if (id && id !== current.current) void load(id);
    };
    addEventListener("popstate", back);
    return () => removeEventListener("popstate", back);
  }, [load]);

  useEffect(() => {
    if (!error) return;
    // What failed for want of a network is tried again when there is one.
    const again = () => void load(current.current);
    addEventListener("online", again);
    return () => removeEventListener("online", again);
  }, [error, load]);

  const show = useCallback((name: SheetName) => {
    history.pushState({ sheet: true }, "", `/${name}`);
    setSheet(name);
  }, []);
  const hide = useCallback(() => {
    setSheet(null);
    if ((history.state as { sheet?: boolean } | null)?.sheet) history.back();
    else if (sheetInPath()) history.replaceState(null, "", current.current ? `/c/${current.current}` : "/");
  }, []);

  return { wanted, session, error, open, sheet, show, hide };
}
