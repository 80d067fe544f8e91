// What the variant says: edited as a draft that outlives reloads and faults, held against production.
import { useId, useState } from "react";
import { path } from "../../api/client";
import type { Category, Variant } from "../../api/types";
import { changedRows, diff, visible } from "../../lib/diff";
import { plural } from "../../lib/words";
import { useAct } from "../../shell/act";
import { DiffRows } from "../../ui/diff";
import { useDraft } from "../../ui/hooks";
import { Panel } from "../../ui/panel";
import { ConfigFields, flawsOf, type ConfigDraft } from "./editor";

interface Draft extends ConfigDraft { description: string; seen: Variant }

export function ConfigEditor({ variant, category, production }: { variant: Variant; category: Category | undefined; production: Variant | undefined }) {
  const act = useAct();
  const id = useId();
  const [draft, setDraft] = useDraft<Draft>(`config:${variant.category}/${variant.id}`);
  const [isAll, setAll] = useState(false);
  // What was typed but not sent starts anew in its fields when it is thrown away.
  const [round, setRound] = useState(0);
  const now: Draft = draft ?? { description: variant.description, config: variant.config, text: null, seen: variant };
  const schema = category?.config_schema ?? {};
  const isRetired = variant.status === "retired";
  const changed = changedRows(diff({ description: variant.description, config: variant.config }, { description: now.description.trim(), config: now.config }));
  const wrong = [...flawsOf(schema, now), ...(now.description.trim() === "" ? ["The description must not be empty"] : [])];
  const isOld = draft !== null && draft.seen.version !== variant.version;
  const discard = () => { setDraft(null); setRound(round + 1); };
  const update = (part: Partial<Draft>) => setDraft({ ...now, ...part });
  const save = () => act({
    title: `Save ${variant.id}`, verb: "Save", method: "PATCH", path: path("variants", variant.category, variant.id), seen: now.seen,
    body: {
      ...(now.description.trim() === variant.description ? {} : { description: now.description.trim() }),
      ...(changedRows(diff(variant.config, now.config)).length === 0 ? {} : { config: now.config }),
    },
    tells: <><DiffRows rows={changed} label="What you change" />{category?.is_critical && <p className="mt-2">It steers safety: it is confirmed a second time, then cools down for five minutes.</p>}</>,
    said: `${variant.id} is saved.`, onDone: discard,
  });

  const against = production && production.id !== variant.id ? diff(production.config, now.config) : null;
  const differing = against ? changedRows(against) : [];
  return (
    <Panel title="Configuration" aside={<span role="status" className="hint">{changed.length > 0 ? `${plural(changed.length, "field")} changed, not saved` : ""}</span>}>
      <div id="config" tabIndex={-1} className="outline-none">
        {isOld && (
          <div role="alert" className="mb-4 rounded-md border-s-3 border-warn bg-warn-soft px-4 py-3">
            <p className="font-medium">It was changed since you began: version {draft.seen.version} became {variant.version}.</p>
            <DiffRows rows={changedRows(diff(visible(draft.seen), visible(variant)))} before={`Version ${draft.seen.version}`} after={`Version ${variant.version}`} label="What changed since you began" />
            <p className="mt-2 flex flex-wrap gap-2"><button type="button" className="btn btn-small" onClick={() => update({ seen: variant })}>Keep mine, on version {variant.version}</button><button type="button" className="btn btn-small btn-quiet" onClick={discard}>Discard mine</button></p>
          </div>
        )}
        <div className="mb-4">
          <label className="label" htmlFor={id}>Description</label>
          <input id={id} className="field" maxLength={200} disabled={isRetired} value={now.description} onChange={(event) => update({ description: event.target.value })} />
        </div>
        <ConfigFields key={round} schema={schema} draft={now} disabled={isRetired} onChange={update} />
        {!isRetired && (
          <div className="mt-4 flex flex-wrap items-center gap-2">
            <button type="button" className="btn btn-main" disabled={changed.length === 0 || wrong.length > 0} onClick={save}>Save…</button>
            {(changed.length > 0 || draft !== null) && <button type="button" className="btn btn-quiet" onClick={discard}>Discard</button>}
            {wrong.length > 0 && <span className="flaw">{plural(wrong.length, "field")} to correct</span>}
          </div>
        )}
        <div className="mt-5 border-t border-line pt-3">
          <div className="mb-1 flex flex-wrap items-baseline gap-x-3"><h3>Against production</h3>
            {production && production.id !== variant.id && <span className="hint"><code>{production.id}</code>, {differing.length === 0 ? "the same" : `${plural(differing.length, "field")} differ${differing.length === 1 ? "s" : ""}`}</span>}
            {against && differing.length < against.length && <button type="button" className="ms-auto text-[.8667rem] text-ink-2 underline underline-offset-2" aria-pressed={isAll} onClick={() => setAll(!isAll)}>{isAll ? "Only what differs" : "All fields"}</button>}
          </div>
          {against ? <DiffRows rows={isAll ? against : differing} before="Production" after={draft ? "Your draft" : "This variant"} label="Configuration against production" />
            : <p className="hint">{category?.is_pool ? "Production is a pool here: there is no single variant to hold it against." : "This is production."}</p>}
        </div>
      </div>
    </Panel>
  );
}
