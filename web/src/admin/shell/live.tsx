// What happens now: turns a minute, today's errors and crises.
import { useQuery } from "@tanstack/react-query";
import { live } from "../api/metrics";
import { compact, count, money } from "../lib/format";
import { Spark } from "../ui/spark";

export function LiveStrip() {
  const { data, isError } = useQuery(live());
  if (!data) return <p className="hint">{isError ? "Live figures are away." : ""}</p>;
  const { minutes, today } = data;
  const last = minutes.at(-1)?.turns ?? 0;
  return (
    <dl className="flex flex-wrap items-center gap-x-5 gap-y-1 text-[.8667rem] text-ink-2 [&_dd]:text-ink [&_dd]:font-medium [&>div]:flex [&>div]:items-center [&>div]:gap-1.5" aria-label="Today">
      <div><dt>Now</dt><dd className="flex items-center gap-1.5">{count(last)}/min<Spark values={minutes.map(({ turns }) => turns)} label={`Turns a minute in the last ${minutes.length} minutes`} width={64} height={18} className="text-accent" /></dd></div>
      <div><dt>Turns today</dt><dd>{compact(today.turns)}</dd></div>
      <div><dt>Errors</dt><dd>{count(today.errors)}</dd></div>
      <div><dt>Crises</dt><dd>{count(today.crisis)}</dd></div>
      <div><dt>Cost</dt><dd>{money(today.cost_micros)}</dd></div>
    </dl>
  );
}
