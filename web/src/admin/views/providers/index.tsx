// Vendors' health: breakers, failures, how fast they begin.
import { useQuery } from "@tanstack/react-query";
import { providers } from "../../api/operations";
import { count, ms, percent } from "../../lib/format";
import { plain, plural } from "../../lib/words";
import { DataTable } from "../../ui/data-table";
import { Empty } from "../../ui/fault";
import { Icon, type IconName } from "../../ui/icon";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";

const STATE: Record<string, [string, string, IconName]> = {
  closed: ["Healthy", "tag-good", "check"], open: ["Breaker open", "tag-bad", "cross"], half_open: ["Trying again", "tag-wait", "wait"],
};

export default function Providers() {
  const query = useQuery(providers());
  return (
    <>
      <Title name="Providers" lead="A breaker opens after repeated failures: the router then goes to the next model and tries again a little later." />
      <Loaded query={query} lines={6} absent={{ title: "No figures yet", why: "They come with the first attempts." }}>
        {({ providers: all }) => {
          const open = all.filter(({ state }) => state === "open").length;
          return (
            <Panel title="Models" flush aside={<span className={open > 0 ? "tag tag-bad" : "tag tag-good"}>{open > 0 ? `${plural(open, "breaker is", "breakers are")} open` : "All breakers are closed"}</span>}>
              {all.length === 0 ? <Empty title="No attempt yet" /> : (
                <DataTable label="Health of providers" rows={all} keyOf={({ provider, model }) => `${provider}/${model}`} columns={[
                  { name: "Model", cell: ({ provider, model }) => <><code>{model}</code> <span className="hint">{provider}</span></> },
                  { name: "State", cell: ({ state }) => { const [name, tone, icon] = STATE[state] ?? [plain(state), "", "wait" as const]; return <span className={`tag ${tone}`}><Icon name={icon} size={13} />{name}</span>; } },
                  { name: "Attempts", isNumber: true, cell: ({ attempts }) => count(attempts) },
                  { name: "Failures", isNumber: true, cell: ({ failures, attempts }) => <>{count(failures)} <span className="hint">{percent(attempts === 0 ? null : failures / attempts)}</span></> },
                  { name: "First token, p50", isNumber: true, cell: ({ ttft_p50_ms }) => ms(ttft_p50_ms) },
                ]} />
              )}
            </Panel>
          );
        }}
      </Loaded>
    </>
  );
}
