// The two arms' own figures.
import type { Pair } from "../../api/metrics";
import type { Comparison } from "../../api/types";
import { count, money, ms, percent, score } from "../../lib/format";
import { DataTable } from "../../ui/data-table";
import { Panel } from "../../ui/panel";

export function Arms({ arms, pair }: { arms: Comparison["arms"]; pair: Pair }) {
  return (
    <Panel title="Arms" flush>
      <DataTable label="Figures of the arms" rows={arms} keyOf={({ id }) => id} columns={[
        { name: "Variant", cell: ({ id }) => <><code>{id}</code> <span className="hint block font-normal">{id === pair.control ? "control" : "treatment"}</span></> },
        { name: "Sessions", isNumber: true, cell: ({ sessions }) => count(sessions) },
        { name: "Turns", isNumber: true, cell: ({ turns }) => count(turns) },
        { name: "p95 latency", isNumber: true, cell: (arm) => ms(arm.latency_p95_ms) },
        { name: "Cost per turn", isNumber: true, cell: (arm) => money(arm.cost_per_turn_micros) },
        { name: "Satisfaction", isNumber: true, cell: ({ satisfaction }) => score(satisfaction) },
        { name: "Return rate", isNumber: true, cell: (arm) => percent(arm.return_rate) },
        { name: "Crisis rate", isNumber: true, cell: (arm) => percent(arm.crisis_rate, 2) },
      ]} />
    </Panel>
  );
}
