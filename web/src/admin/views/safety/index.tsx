// Crisis levels over time and where people were pointed to. Counts only: no text is here or behind it.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { safety } from "../../api/metrics";
import type { Safety as Figures } from "../../api/types";
import { Bars } from "../../charts/bars";
import { Lines } from "../../charts/lines";
import { compact, count, percent, percentTick } from "../../lib/format";
import { plain } from "../../lib/words";
import { Empty } from "../../ui/fault";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";
import { Range } from "../../ui/range";

const LEVELS = ["1", "2", "3", "4"] as const;
const NAMES: Record<string, string> = { "1": "Level 1, distress", "2": "Level 2", "3": "Level 3", "4": "Level 4" };
const SURE = 2;

export default function Safety() {
  const [days, setDays] = useState(30);
  const query = useQuery(safety(days));
  return (
    <>
      <Title name="Safety" lead="Counts only: what people said is encrypted and is not here. From level 2 on a turn has production’s variants and the resources of the person’s region." aside={<Range days={days} onChange={setDays} />} />
      <Loaded query={query} lines={8} absent={{ title: "No figures yet", why: "They come with the first turns after the nightly roll-up." }}>
        {(found) => (found.days.length === 0 ? <div className="panel"><Empty title="No turns in these days" /></div> : <Views found={found} />)}
      </Loaded>
    </>
  );
}

const total = (levels: Record<string, number>, from: number) => Object.entries(levels).reduce((sum, [level, turns]) => sum + (Number(level) >= from ? turns : 0), 0);

function Views({ found: { days, referrals } }: { found: Figures }) {
  const names = days.map(({ day }) => day);
  const high = days.reduce((sum, { levels }) => sum + total(levels, SURE), 0);
  const all = days.reduce((sum, { levels }) => sum + total(levels, 0), 0);
  const hasNone = days.some(({ levels }) => "0" in levels);
  return (
    <div className="space-y-5">
      <dl className="flex flex-wrap gap-x-10 gap-y-3 [&_dd]:text-[1.6rem] [&_dd]:leading-tight [&_dt]:text-ink-2">
        {hasNone && <div><dt>Turns looked at</dt><dd>{compact(all)}</dd></div>}
        <div><dt>At level {SURE} or above</dt><dd>{count(high)}</dd></div>
        {hasNone && <div><dt>Of all turns</dt><dd>{percent(all === 0 ? null : high / all, 2)}</dd></div>}
        <div><dt>Pointed to help</dt><dd>{count(referrals.reduce((sum, { turns }) => sum + turns, 0))}</dd></div>
      </dl>
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
      <Panel title="Levels over time">
        <Bars title="Turns by level" days={names} format={count} lines={LEVELS.map((level) => ({ key: level, name: NAMES[level] ?? level, colour: `var(--level-${level})`, values: days.map(({ levels }) => levels[level] ?? 0) }))} />
        {hasNone && <div className="mt-6"><Lines isPlain title={`Share of turns at level ${SURE} or above`} days={names} format={(value) => percent(value, 2)} tick={percentTick} lines={[{ key: "rate", name: "Share", colour: "var(--two)", values: days.map(({ levels }) => { const turns = total(levels, 0); return turns === 0 ? null : total(levels, SURE) / turns; }) }]} /></div>}
      </Panel>
      <Panel title="Pointed to help, by region" flush>{referrals.length === 0 ? <Empty title="Nobody had to be pointed to help" /> : <Referrals referrals={referrals} />}</Panel>
      </div>
    </div>
  );
}

function Referrals({ referrals }: Pick<Figures, "referrals">) {
  const regions = [...new Set(referrals.map(({ region }) => region))];
  const levels = [...new Set(referrals.map(({ level }) => level))].filter((level) => level !== null).sort();
  const turns = (region: string, level: number) => referrals.filter((one) => one.region === region && one.level === level).reduce((sum, one) => sum + one.turns, 0);
  const rows = regions.map((region) => ({ region, all: referrals.filter((one) => one.region === region).reduce((sum, one) => sum + one.turns, 0) })).sort((a, b) => b.all - a.all);
  const nameOf = new Intl.DisplayNames(["en-GB"], { type: "region", fallback: "code" });
  const named = (region: string) => { if (region === "??") return "Not known"; try { return /^[A-Z]{2}$/.test(region) ? nameOf.of(region) : region; } catch { return region; } };
  return (
    <div className="overflow-x-auto px-2 pb-2" tabIndex={0} role="region" aria-label="Referrals by region and level">
      <table className="grid-table [&_td]:px-2 [&_th]:px-2" aria-label="Referrals by region and level">
        <thead><tr><th scope="col">Region</th>{levels.map((level) => <th key={level} scope="col" className="num"><span className="sr-only">Level </span>{level}</th>)}<th scope="col" className="num">All</th></tr></thead>
        <tbody>
          {rows.map(({ region, all }) => (
            <tr key={region}>
              <th scope="row" className="text-start whitespace-normal!" title={region}>{named(region) === region ? plain(region) : named(region)}</th>
              {levels.map((level) => <td key={level} className="num">{count(turns(region, level))}</td>)}
              <td className="num font-semibold">{count(all)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
