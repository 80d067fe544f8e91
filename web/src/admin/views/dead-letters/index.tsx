// Messages that could not be handled, and their second chance.
import { useInfiniteQuery } from "@tanstack/react-query";
import { path } from "../../api/client";
import { deadLetters } from "../../api/operations";
import type { DeadLetter } from "../../api/types";
import { ago, dateTime } from "../../lib/format";
import { plain, plural } from "../../lib/words";
import { useAct } from "../../shell/act";
import { DataTable } from "../../ui/data-table";
import { Empty } from "../../ui/fault";
import { useNow } from "../../ui/hooks";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";

export default function DeadLetters() {
  const act = useAct();
  const now = useNow(30_000);
  const query = useInfiniteQuery(deadLetters());
  const replay = ({ id, type, error }: DeadLetter) => act({
    title: "Replay a message", verb: "Replay", path: path("dead-letters", id, "replay"),
    tells: <><p>It is handled once more. What was already written is not written twice.</p><p className="hint mt-1 wrap-anywhere">{type && `${plain(type)} `}<code>{id}</code>: {error}</p></>, said: "The replay is under way.",
  });
  const waiting = query.data?.pages[0]?.waiting ?? 0;
  const replayAll = () => act({
    title: "Replay all that wait", verb: "Replay all", path: "/dead-letter-replays",
    tells: <p>{plural(waiting, "message is", "messages are")} handled once more. What was already written is not written twice.</p>, said: "The replay is under way.",
  });
  return (
    <>
      <Title name="Dead letters" lead="Events that the consumer gave up after its retries. They count in no figure until they are replayed." aside={waiting > 1 && <button type="button" className="btn" onClick={replayAll}>Replay all {waiting}…</button>} />
      <Loaded query={query} lines={6}>
        {({ pages }) => {
          const all = pages.flatMap((page) => page.dead_letters);
          if (all.length === 0) return <div className="panel"><Empty title="No dead letters">Every event was handled.</Empty></div>;
          return (
            <Panel title="Messages" flush>
              <DataTable label="Dead letters" rows={all} keyOf={({ id }) => id}
                action={(letter) => (letter.replayed_at === null && letter.wanted_at ? <span className="tag tag-wait" title={dateTime(letter.wanted_at)}>Replay asked for</span> : letter.replayed_at === null ? <button type="button" className="btn btn-small" onClick={() => replay(letter)} aria-label={`Replay ${letter.id}`}>Replay…</button> : <span className="tag tag-good" title={dateTime(letter.replayed_at)}>Replayed {ago(letter.replayed_at, now)}</span>)}
                columns={[
                  { name: "Message", cell: ({ id, type }) => <>{type ? plain(type) : "Event"} <code className="hint wrap-anywhere">{id}</code></> },
                  { name: "Why", isLong: true, cell: ({ error }) => error },
                  { name: "Received", cell: ({ received_at }) => <time dateTime={received_at} title={dateTime(received_at)} className="whitespace-nowrap">{ago(received_at, now)}</time> },
                ]} />
              {query.hasNextPage && <div className="px-4 pb-3"><button type="button" className="btn" disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{query.isFetchingNextPage ? "Loading…" : "More"}</button></div>}
            </Panel>
          );
        }}
      </Loaded>
    </>
  );
}
