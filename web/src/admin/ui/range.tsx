// How many days are looked at.
export function Range({ days, onChange }: { days: number; onChange: (days: number) => void }) {
  return <div role="group" aria-label="Days" className="flex gap-1.5">{[7, 30, 90].map((n) => <button key={n} type="button" className="chip" aria-pressed={n === days} onClick={() => onChange(n)}>{n} days</button>)}</div>;
}
