// Stacked bars over days.
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { day } from "../lib/format";
import { ChartFigure, type Line as Series } from "./figure";
import { AXIS, tip } from "./parts";

export function Bars({ title, days, lines, format, height = 240 }: { title: string; days: string[]; lines: Series[]; format: (value: number | null) => string; height?: number }) {
  const data = days.map((name, index) => ({ day: name, ...Object.fromEntries(lines.map(({ key, values }) => [key, values[index] ?? null])) }));
  return (
    <ChartFigure title={title} days={days} lines={lines} format={format}>
      <ResponsiveContainer width="100%" height={height}>
        <BarChart data={data} margin={{ top: 6, right: 8, bottom: 0, left: 0 }} barCategoryGap="18%" title={title}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="day" tickFormatter={day} {...AXIS} minTickGap={28} />
          <YAxis tickFormatter={(value: number) => format(value)} width={62} tickCount={5} {...AXIS} />
          <Tooltip cursor={{ fill: "var(--sunk)" }} {...tip(lines, format)} />
          {lines.map(({ key, name, colour }) => <Bar key={key} dataKey={key} name={name} stackId="all" fill={colour} stroke="var(--raised)" strokeWidth={1} isAnimationActive={false} maxBarSize={44} />)}
        </BarChart>
      </ResponsiveContainer>
    </ChartFigure>
  );
}
