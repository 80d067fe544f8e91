// A titled part of a view, and the view's own title.
import { useEffect, useId, useRef, type ReactNode } from "react";

export function Panel({ title, aside, children, flush = false, className = "" }: { title: string; aside?: ReactNode; children: ReactNode; flush?: boolean; className?: string }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={`panel min-w-0 ${className}`}>
      <header><h2 id={id}>{title}</h2>{aside && <div className="ms-auto flex flex-wrap items-center gap-2">{aside}</div>}</header>
      <div className={flush ? "pt-1" : "body"}>{children}</div>
    </section>
  );
}

let isFirst = true;

/** The heading; after a change of view it takes the focus, so that a screen reader says where one is. */
export function Title({ name, children, lead, aside }: { name: string; children?: ReactNode; lead?: ReactNode; aside?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
  }, []);
  return (
    <div className="mb-5 flex flex-wrap items-end gap-x-6 gap-y-3">
      <title>{`${name} · Silent Infinity`}</title>
      <div className="min-w-0 grow basis-80">
        <h1 ref={heading} tabIndex={-1} className="outline-none wrap-anywhere">{children ?? name}</h1>
        {lead && <div className="mt-1 max-w-[76ch] text-ink-2 text-pretty">{lead}</div>}
      </div>
      {aside && <div className="flex flex-wrap items-center gap-2">{aside}</div>}
    </div>
  );
}
