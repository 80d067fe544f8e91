// Lines over days.
import { CartesianGrid, Line, LineChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { day } from "../lib/format";
import { axis } from "../lib/geometry";
import { ChartFigure, type Line as Series } from "./figure";
import { AXIS, tip } from "./parts";

export function Lines({ title, days, lines, format, tick = format as (value: number) => string, height = 150, isPlain = false, most }: { title: string; days: string[]; lines: Series[]; format: (value: number | null) => string; tick?: (value: number) => string; height?: number; isPlain?: boolean; most?: number }) {
  const data = days.map((name, index) => ({ day: name, ...Object.fromEntries(lines.map(({ key, values }) => [key, values[index] ?? null])) }));
  const { domain, ticks } = axis(lines.flatMap(({ values }) => values), 3, false, most);
  return (
    <ChartFigure title={title} days={days} lines={lines} format={format} isPlain={isPlain}>
      <ResponsiveContainer width="100%" height={height}>
        <LineChart data={data} margin={{ top: 6, right: 8, bottom: 0, left: 0 }} title={title}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="day" tickFormatter={day} {...AXIS} minTickGap={28} />
          <YAxis domain={domain} ticks={ticks} tickFormatter={tick} width={58} interval={0} {...AXIS} />
          <Tooltip {...tip(lines, format)} />
          {lines.map(({ key, name, colour, isBase }) => <Line key={key} dataKey={key} name={name} stroke={colour} strokeWidth={isBase ? 1.5 : 2.25} dot={isBase || days.length > 14 ? false : { r: 2.5, fill: colour, strokeWidth: 0 }} isAnimationActive={false} connectNulls={false} />)}
        </LineChart>
      </ResponsiveContainer>
    </ChartFigure>
  );
}
