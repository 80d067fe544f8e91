// What happened to it, from the audit log.
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { audit } from "../../api/audit";
import type { Variant } from "../../api/types";
import { Empty } from "../../ui/fault";
import { Loaded } from "../../ui/loaded";
import { Panel } from "../../ui/panel";
import { Entries } from "../audit/entry";

export function History({ variant }: { variant: Variant }) {
  const subject = `${variant.category}/${variant.id}`;
  const log = useInfiniteQuery(audit({ subject, limit: 10 }));
  return (
    <Panel title="History" aside={<Link className="text-[.8667rem] text-ink-2" href={`/audit?subject=${encodeURIComponent(subject)}`}>In the audit log</Link>}>
      <Loaded query={log} lines={4}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.entries);
          return entries.length === 0 ? <Empty title="Nothing was changed yet">It is as the release brought it.</Empty> : (
            <>
              <Entries entries={entries} isOne />
              {log.hasNextPage && <button type="button" className="btn btn-quiet mt-2" disabled={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>{log.isFetchingNextPage ? "Loading…" : "Older entries"}</button>}
            </>
          );
        }}
      </Loaded>
    </Panel>
  );
}
