// Stacked bars over days.
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { day } from "../lib/format";
import { axis } from "../lib/geometry";
import { ChartFigure, type Line as Series } from "./figure";
import { AXIS, tip } from "./parts";

export function Bars({ title, days, lines, format, tick = format as (value: number) => string, height = 240 }: { title: string; days: string[]; lines: Series[]; format: (value: number | null) => string; tick?: (value: number) => string; height?: number }) {
  const data = days.map((name, index) => ({ day: name, ...Object.fromEntries(lines.map(({ key, values }) => [key, values[index] ?? null])) }));
  const { domain, ticks } = axis(days.map((_, index) => lines.reduce((sum, { values }) => sum + (values[index] ?? 0), 0)), 4, true);
  return (
    <ChartFigure isBars title={title} days={days} lines={lines} format={format}>
      <ResponsiveContainer width="100%" height={height}>
        <BarChart data={data} margin={{ top: 6, right: 8, bottom: 0, left: 0 }} barCategoryGap="18%" title={title}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="day" tickFormatter={day} {...AXIS} minTickGap={28} />
          <YAxis domain={domain} ticks={ticks} tickFormatter={tick} width={58} interval={0} {...AXIS} />
          <Tooltip cursor={{ fill: "var(--sunk)" }} {...tip(lines, format)} />
          {lines.map(({ key, name, colour }) => <Bar key={key} dataKey={key} name={name} stackId="all" fill={colour} stroke="var(--raised)" strokeWidth={1} isAnimationActive={false} maxBarSize={44} />)}
        </BarChart>
      </ResponsiveContainer>
    </ChartFigure>
  );
}
