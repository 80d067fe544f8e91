// Entries of the audit log, each with what it changed.
import { Link } from "wouter";
import type { AuditEntry } from "../../api/types";
import { diff, variantDiffs } from "../../lib/diff";
import { dateTime } from "../../lib/format";
import { actionName, categoryName, shortName, wish } from "../../lib/words";
import { DiffRows, VariantDiffs } from "../../ui/diff";
import { Icon } from "../../ui/icon";

export function Entries({ entries, isOne = false }: { entries: AuditEntry[]; isOne?: boolean }) {
  return (
    <ol className="relative ms-1.5">
      {entries.map((entry, index) => {
        const older = entries[index + 1];
        return <Item key={entry.seq} entry={entry} isOne={isOne} link={older && older.seq === entry.seq - 1 ? entry.prev_hash === older.hash : null} />;
      })}
    </ol>
  );
}

/** `link` says whether it is chained to the entry below it; null where that one is not shown. */
function Item({ entry, isOne, link }: { entry: AuditEntry; isOne: boolean; link: boolean | null }) {
  const [category, id] = entry.subject.split("/");
  const line = link === null ? "border-dashed border-line-2" : link ? "border-accent" : "border-bad";
  return (
    <li className={`relative border-s-2 ps-5 pb-4 ${line}`} data-seq={entry.seq}>
      <span aria-hidden="true" className={`absolute top-1.5 -start-[7px] size-3 rounded-full border-2 bg-raised ${link === false ? "border-bad" : "border-accent"}`} />
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="font-medium" title={entry.actor}>{shortName(entry.actor)}</span>
        <span>{isOne ? actionName(entry.action).replace(/ of$/, "") : actionName(entry.action)}</span>
        {!isOne && (id ? <Link href={`/variants/${category}/${encodeURIComponent(id)}`} className="mono wrap-anywhere">{id}</Link> : <span>{entry.subject.split(",").map(categoryName).join(", ")}</span>)}
        {!isOne && id && <span className="hint">{categoryName(category ?? "")}</span>}
        <time dateTime={entry.at} className="hint ms-auto whitespace-nowrap">{dateTime(entry.at)}</time>
      </p>
      <p className="font-serif text-[1.05rem] leading-snug wrap-anywhere">“{entry.reason}”</p>
      {link === false && <p className="flaw flex items-center gap-1.5"><Icon name="warn" size={15} />It is not chained to the entry before it.</p>}
      <details className="group mt-0.5">
        <summary className="inline-flex list-none items-center gap-1 text-[.8667rem] text-ink-2 hover:text-ink"><span className="transition-transform group-open:rotate-90"><Icon name="right" size={13} /></span>Entry {entry.seq}: what changed</summary>
        <div className="mt-2 rounded-md bg-sunk px-3.5 py-2.5"><Changes entry={entry} />
          <p className="mt-2 text-[.8rem] text-ink-2 wrap-anywhere">{entry.actor} · <code>{entry.hash}</code> after <code>{entry.prev_hash}</code></p>
        </div>
      </details>
    </li>
  );
}

function Changes({ entry: { detail } }: { entry: AuditEntry }) {
  const { before, after, killed_before, killed_after, command, requested_by, signed_by } = detail;
  const who = requested_by && <p className="mb-2">Asked for by {shortName(requested_by)}{signed_by ? `, confirmed by ${shortName(signed_by)}` : ""}.</p>;
  if (killed_before && killed_after) return <>{who}<DiffRows rows={diff({ "switched off": killed_before }, { "switched off": killed_after })} label="Switched-off categories" /></>;
  if (before && after && before.length + after.length > 0) {
    const diffs = variantDiffs(before, after);
    if (diffs.length <= 12) return <>{who}<VariantDiffs diffs={diffs} /></>;
    return <>{who}<p>{diffs.length} variants: {diffs.slice(0, 12).map(({ name }) => name).join(", ")} …</p></>;
  }
  if (command) return <>{who}<p>{wish(command)}{detail.due_at_ms !== undefined && <span className="text-ink-2">, due {dateTime(new Date(Number(detail.due_at_ms)).toISOString())}</span>}</p>{command.config && <pre className="mt-1 overflow-x-auto text-[.8667rem] whitespace-pre-wrap">{JSON.stringify(command.config, null, 2)}</pre>}</>;
  return <>{who}<pre className="overflow-x-auto text-[.8667rem] whitespace-pre-wrap wrap-anywhere">{JSON.stringify(detail, null, 2)}</pre></>;
}
