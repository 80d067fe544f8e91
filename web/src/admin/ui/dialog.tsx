// A modal sheet: the browser's own dialog keeps the focus inside and gives it back.
import { useEffect, useId, useRef, type ReactNode } from "react";
import { Icon } from "./icon";

export function Sheet({ title, onClose, children, wide = false }: { title: string; onClose: () => void; children: ReactNode; wide?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    // The browser gives the focus back to it only while it is still there.
    const from = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    if (dialog && !dialog.open) dialog.showModal();
    // Where one begins: the field that has to be filled in, or else the heading.
    (dialog?.querySelector<HTMLElement>("[data-first]") ?? dialog?.querySelector("h2"))?.focus();
    return () => {
      dialog?.close();
      if (from?.isConnected) from.focus();
    };
  }, []);
  return (
    <dialog ref={ref} className={`sheet ${wide ? "wide" : ""}`} aria-labelledby={id} onCancel={(event) => { event.preventDefault(); onClose(); }}>
      <div className="flex items-start gap-3 px-5 pt-4">
        <h2 id={id} tabIndex={-1} className="outline-none font-serif text-[1.35rem] font-normal leading-snug wrap-anywhere">{title}</h2>
        <button type="button" className="btn btn-quiet btn-small ms-auto" onClick={onClose} aria-label="Close"><Icon name="cross" size={16} /></button>
      </div>
      <div className="px-5 pb-5 pt-2">{children}</div>
    </dialog>
  );
}
