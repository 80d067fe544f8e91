// The category's JSON Schema as a form: React JSON Schema Form in the page's own clothes.
import type { ThemeProps } from "@rjsf/core";
// The package's index also loads its test helpers, which want another validator.
import withTheme from "@rjsf/core/lib/withTheme.js";
import type { BaseInputTemplateProps, FieldTemplateProps, ObjectFieldTemplateProps, RJSFSchema, WidgetProps } from "@rjsf/utils";
import type { Config } from "../../api/types";
import { validator } from "../../lib/validate";
import { plain } from "../../lib/words";

type Data = Record<string, unknown>;

function FieldTemplate({ id, label, children, rawErrors, schema, hidden }: FieldTemplateProps<Data, RJSFSchema>) {
  if (hidden) return <div hidden>{children}</div>;
  if (schema.type === "object") return <>{children}</>;
  const flaws = [...new Set(rawErrors ?? [])];
  return (
    <div className="min-w-0">
      <label className="label" htmlFor={id}>{plain(label)} <code className="font-normal text-ink-2">{label}</code></label>
      {children}
      {range(schema) && <p className="hint mt-0.5">{range(schema)}</p>}
      {flaws.length > 0 && <p id={`${id}-flaw`} className="flaw mt-0.5" role="alert">{plain(label)} {flaws.join(", ")}.</p>}
    </div>
  );
}

function range({ minimum, maximum, maxLength, enum: choices }: RJSFSchema): string | null {
  if (minimum !== undefined && maximum !== undefined) return `${minimum.toLocaleString("en-GB")} to ${maximum.toLocaleString("en-GB")}`;
  return maxLength !== undefined && !choices ? `At most ${maxLength} characters` : null;
}

const ObjectFieldTemplate = ({ properties }: ObjectFieldTemplateProps<Data, RJSFSchema>) => <div className="grid gap-4 sm:grid-cols-2">{properties.map(({ content }) => content)}</div>;

function BaseInputTemplate({ id, value, required, disabled, onChange, onBlur, schema, rawErrors }: BaseInputTemplateProps<Data, RJSFSchema>) {
  const isNumber = schema.type === "number" || schema.type === "integer";
  const isBad = (rawErrors ?? []).length > 0;
  return (
    <input id={id} name={id} className={`field ${schema.pattern?.startsWith("^[!-~]") ? "mono" : ""}`} type="text" inputMode={isNumber ? (schema.type === "integer" ? "numeric" : "decimal") : undefined} required={required} disabled={disabled}
      value={value === undefined || value === null ? "" : String(value)} aria-invalid={isBad} aria-describedby={isBad ? `${id}-flaw` : undefined} autoComplete="off" spellCheck={false}
      onChange={(event) => onChange(read(event.target.value, isNumber))} onBlur={() => onBlur(id, value)} />
  );
}

/** A number where it is one, and else what was typed, so that it can be shown as wrong and is not lost. */
function read(text: string, isNumber: boolean): unknown {
  if (text === "") return undefined;
  // "1." and "-" are on their way to a number.
  return isNumber && /^-?\d+(\.\d+)?$/.test(text) && String(Number(text)) === text ? Number(text) : text;
}

function SelectWidget({ id, value, options, required, disabled, onChange, rawErrors }: WidgetProps<Data, RJSFSchema>) {
  const choices = options.enumOptions ?? [];
  return (
    <select id={id} name={id} className="field" required={required} disabled={disabled} aria-invalid={(rawErrors ?? []).length > 0} value={choices.findIndex((choice) => choice.value === value)} onChange={(event) => onChange(choices[Number(event.target.value)]?.value)}>
      {!choices.some((choice) => choice.value === value) && <option value={-1}>Choose…</option>}
      {choices.map(({ label }, index) => <option key={label} value={index}>{label}</option>)}
    </select>
  );
}

const Form = withTheme({
  templates: { FieldTemplate, ObjectFieldTemplate, BaseInputTemplate, ErrorListTemplate: () => null },
  widgets: { SelectWidget },
} as unknown as ThemeProps<Data, RJSFSchema>);

export default function ConfigForm({ schema, value, disabled, onChange }: { schema: RJSFSchema; value: Config; disabled: boolean; onChange: (config: Config) => void }) {
  return (
    <Form schema={schema} formData={value} validator={validator} liveValidate="onChange" showErrorList={false} noHtml5Validate disabled={disabled} idPrefix="config" tagName="div"
      uiSchema={{ "ui:order": [...(schema.required ?? []), "*"], "ui:submitButtonOptions": { norender: true } }} onChange={({ formData }) => onChange((formData ?? {}) as Config)} />
  );
}
