// A new variant: experimental, without traffic.
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useLocation, useSearchParams } from "wouter";
import type { Categories, Category, Cohort, Config, Variant } from "../../api/types";
import { allVariants, categories as categoriesOf } from "../../api/variants";
import { categoryName } from "../../lib/words";
import { useAct } from "../../shell/act";
import { useDraft } from "../../ui/hooks";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";
import { CohortPicker } from "../variant/cohorts";
import { ConfigFields, flawsOf, type ConfigDraft } from "../variant/editor";

interface Draft extends ConfigDraft { category: string; id: string; description: string; cohorts: Cohort[] }
const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export default function NewVariant() {
  const categories = useQuery(categoriesOf());
  const variants = useQuery(allVariants());
  return (
    <>
      <Title name="New variant" lead="It begins experimental and without traffic. Nobody meets it before you give it a share." />
      <Loaded query={categories} lines={8}>{(known) => <Loaded query={variants} lines={8}>{({ variants: all }) => <Form known={known} all={all} />}</Loaded>}</Loaded>
    </>
  );
}

/** What production has is the best place to begin. */
const startOf = (category: Category | undefined, all: Variant[]): Config => all.find((variant) => variant.category === category?.category && variant.id === category?.defaults[0])?.config ?? {};

function Form({ known: { categories }, all }: { known: Categories; all: Variant[] }) {
  const act = useAct();
  const [, navigate] = useLocation();
  const [params] = useSearchParams();
  const ids = { category: useId(), id: useId(), description: useId() };
  const [draft, setDraft] = useDraft<Draft>("new");
  const asked = categories.find(({ category }) => category === params.get("category")) ?? categories[0];
  const now = draft ?? { category: asked?.category ?? "", id: "", description: "", cohorts: ["all"], config: startOf(asked, all), text: null };
  const category = categories.find((other) => other.category === now.category);
  const update = (part: Partial<Draft>) => setDraft({ ...now, ...part });
  const isTaken = all.some((variant) => variant.category === now.category && variant.id === now.id);
  const idFlaw = now.id === "" ? null : !ID.test(now.id) ? "1 to 64 of a-z, 0-9, “.”, “_”, “-”, beginning with a letter or digit." : isTaken ? "The category has a variant of this id." : null;
  const wrong = category ? flawsOf(category.config_schema, now) : [];
  const isReady = now.id !== "" && idFlaw === null && now.description.trim() !== "" && now.cohorts.length > 0 && wrong.length === 0;
  const create = () => act({
    title: `Create ${now.id}`, verb: "Create", path: "/variants",
    body: { category: now.category, id: now.id, description: now.description.trim(), config: now.config, cohorts: now.cohorts },
    tells: <p>A new variant of {categoryName(now.category)}, experimental and without traffic.</p>, said: `${now.id} is made.`,
    onDone: () => { setDraft(null); navigate(`/variants/${now.category}/${encodeURIComponent(now.id)}`); },
  });
  return (
    <div className="max-w-3xl space-y-5">
      <Panel title="What it is">
        <div className="grid gap-4 sm:grid-cols-2">
          <div><label className="label" htmlFor={ids.category}>Category</label>
            <select id={ids.category} className="field" value={now.category} onChange={(event) => { const next = categories.find((other) => other.category === event.target.value); update({ category: event.target.value, config: startOf(next, all), text: null }); }}>
              {categories.map((other) => <option key={other.category} value={other.category}>{categoryName(other.category)}</option>)}
            </select></div>
          <div><label className="label" htmlFor={ids.id}>Id</label>
            <input id={ids.id} className="field mono" autoComplete="off" spellCheck={false} value={now.id} aria-invalid={idFlaw !== null} aria-describedby={`${ids.id}-flaw`} onChange={(event) => update({ id: event.target.value })} />
            <p id={`${ids.id}-flaw`} role="status" className="flaw">{idFlaw}</p></div>
          <div className="sm:col-span-2"><label className="label" htmlFor={ids.description}>Description, for people</label>
            <input id={ids.description} className="field" maxLength={200} value={now.description} onChange={(event) => update({ description: event.target.value })} /></div>
        </div>
      </Panel>
      {category && <Panel title="Configuration" aside={<span className="hint">begins as production has it</span>}><ConfigFields key={now.category} schema={category.config_schema} draft={now} disabled={false} onChange={update} /></Panel>}
      <Panel title="Cohorts"><CohortPicker value={now.cohorts} onChange={(cohorts) => update({ cohorts })} />{now.cohorts.length === 0 && <p className="flaw mt-1">Choose at least one.</p>}</Panel>
      <div className="flex gap-2"><button type="button" className="btn btn-main" disabled={!isReady} onClick={create}>Create…</button>{draft && <button type="button" className="btn btn-quiet" onClick={() => setDraft(null)}>Discard</button>}</div>
    </div>
  );
}
