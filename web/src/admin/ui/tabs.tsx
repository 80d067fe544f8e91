// Tabs with the arrow keys.
import { useId, type KeyboardEvent, type ReactNode } from "react";

export function Tabs<T extends string>({ tabs, value, onChange, label, children }: { tabs: Record<T, string>; value: T; onChange: (tab: T) => void; label: string; children: ReactNode }) {
  const id = useId();
  const keys = Object.keys(tabs) as T[];
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = keys[(keys.indexOf(value) + step + keys.length) % keys.length];
    if (next === undefined) return;
    event.preventDefault();
    onChange(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus();
  };
  return (
    <>
      <div role="tablist" aria-label={label} className="tabs" onKeyDown={onKeyDown}>
        {keys.map((key) => <button key={key} type="button" role="tab" id={`${id}-${key}`} data-tab={key} aria-controls={`${id}-panel`} aria-selected={key === value} tabIndex={key === value ? 0 : -1} onClick={() => onChange(key)}>{tabs[key]}</button>)}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${value}`} className="pt-3">{children}</div>
    </>
  );
}
