// A configuration as a form and as raw JSON; both edit the same draft.
import type { RJSFSchema } from "@rjsf/utils";
import { Suspense, lazy, useId, useState } from "react";
import type { Config } from "../../api/types";
import { flaws } from "../../lib/validate";
import { Bones } from "../../ui/loaded";
import { Tabs } from "../../ui/tabs";

const ConfigForm = lazy(() => import("./form"));

/** `text` is raw JSON that is being typed and may not be JSON yet. */
export interface ConfigDraft { config: Config; text: string | null }
const TABS = { form: "Form", json: "Raw JSON" } as const;

/** The configuration that a text is, or why it is none. */
export function parse(text: string): { config: Config } | { flaw: string } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { config: value as Config } : { flaw: "It must be an object: { … }" };
  } catch (error) {
    return { flaw: error instanceof Error ? error.message.replace(/^JSON\.parse: /, "") : "It is not JSON." };
  }
}

/** Everything that stands against saving. */
export function flawsOf(schema: object, draft: ConfigDraft): string[] {
  const parsed = draft.text === null ? null : parse(draft.text);
  if (parsed && "flaw" in parsed) return [parsed.flaw];
  return flaws(schema, draft.config).map(({ path, message }) => `${path || "The configuration"} ${message}`);
}

export function ConfigFields({ schema, draft, disabled, onChange }: { schema: Record<string, unknown>; draft: ConfigDraft; disabled: boolean; onChange: (draft: ConfigDraft) => void }) {
  const [tab, setTab] = useState<keyof typeof TABS>(draft.text === null ? "form" : "json");
  const id = useId();
  const text = draft.text ?? JSON.stringify(draft.config, null, 2);
  const wrong = flawsOf(schema, draft);
  const type = (next: string) => {
    const parsed = parse(next);
    onChange({ config: "config" in parsed ? parsed.config : draft.config, text: next });
  };
  return (
    <Tabs tabs={TABS} value={tab} onChange={(next) => { setTab(next); if (next === "form" && draft.text !== null && "config" in parse(draft.text)) onChange({ ...draft, text: null }); }} label="Configuration as">
      {tab === "form" ? (
        draft.text !== null
          ? <p className="flaw" role="alert">The raw JSON does not parse yet: {wrong[0]} The form comes back when it does.</p>
          : <Suspense fallback={<Bones lines={4} />}><ConfigForm schema={schema as RJSFSchema} value={draft.config} disabled={disabled} onChange={(config) => onChange({ config, text: null })} /></Suspense>
      ) : (
        <>
          <label className="sr-only" htmlFor={id}>Configuration as JSON</label>
          <textarea id={id} className="field mono" rows={Math.min(18, Math.max(6, text.split("\n").length + 1))} spellCheck={false} autoCapitalize="off" disabled={disabled} value={text} aria-invalid={wrong.length > 0} aria-describedby={`${id}-flaw`} onChange={(event) => type(event.target.value)} />
          <div id={`${id}-flaw`} role="status">{wrong.length > 0 && <ul className="flaw mt-1 list-disc ps-5">{wrong.map((flaw) => <li key={flaw}>{flaw}</li>)}</ul>}</div>
        </>
      )}
    </Tabs>
  );
}
