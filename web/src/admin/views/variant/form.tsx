// The category's JSON Schema as a form: React JSON Schema Form in the page's own clothes.
import type { ThemeProps } from "@rjsf/core";
// The package's index also loads its test helpers, which want another validator.
import withTheme from "@rjsf/core/lib/withTheme.js";
import type { ArrayFieldItemTemplateProps, ArrayFieldTemplateProps, BaseInputTemplateProps, FieldTemplateProps, ObjectFieldTemplateProps, RJSFSchema, WidgetProps } from "@rjsf/utils";
import type { Config } from "../../api/types";
import { validator } from "../../lib/validate";
import { plain } from "../../lib/words";
import { Icon, type IconName } from "../../ui/icon";

type Data = Record<string, unknown>;

function FieldTemplate({ id, label, children, rawErrors, schema, hidden }: FieldTemplateProps<Data, RJSFSchema>) {
  if (hidden) return <div hidden>{children}</div>;
  if (schema.type === "object") return <>{children}</>;
  if (schema.type === "array") return <div className="min-w-0 sm:col-span-2">{children}</div>;
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

function ArrayFieldTemplate({ title, items, canAdd, disabled, onAddClick, schema, rawErrors }: ArrayFieldTemplateProps<Data, RJSFSchema>) {
  return (
    <fieldset>
      <legend className="label">{plain(title)} <code className="font-normal text-ink-2">{title}</code></legend>
      {items.length === 0 ? <p className="hint">None.</p> : <ol className="space-y-2">{items}</ol>}
      {(rawErrors ?? []).length > 0 && <p className="flaw" role="alert">{plain(title)} {(rawErrors ?? []).join(", ")}.</p>}
      {canAdd && !disabled && items.length < (schema.maxItems ?? Number.POSITIVE_INFINITY) && <button type="button" className="btn btn-small mt-2" onClick={onAddClick}>Add</button>}
    </fieldset>
  );
}

function ArrayFieldItemTemplate({ children, index, buttonsProps: { hasMoveUp, hasMoveDown, hasRemove, disabled, onMoveUpItem, onMoveDownItem, onRemoveItem } }: ArrayFieldItemTemplateProps<Data, RJSFSchema>) {
  const button = (icon: IconName, label: string, isThere: boolean, onClick: (event?: unknown) => void) =>
    (isThere ? <button type="button" className="btn btn-quiet btn-small" aria-label={`${label}, ${index + 1}`} disabled={disabled} onClick={onClick}><Icon name={icon} size={15} /></button> : <span />);
  return (
    <li className="flex items-start gap-2 rounded-md bg-sunk p-3">
      <span aria-hidden="true" className="pt-1 text-ink-2">{index + 1}</span>
      <div className="min-w-0 grow">{children}</div>
      <span className="grid sm:grid-cols-3">{button("up", "Earlier", hasMoveUp, onMoveUpItem)}{button("down", "Later", hasMoveDown, onMoveDownItem)}{button("cross", "Remove", hasRemove, onRemoveItem)}</span>
    </li>
  );
}

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
      {(!required || !choices.some((choice) => choice.value === value)) && <option value={-1}>{required ? "Choose…" : "Not set"}</option>}
      {choices.map(({ label }, index) => <option key={label} value={index}>{label}</option>)}
    </select>
  );
}

const Form = withTheme({
  templates: { FieldTemplate, ObjectFieldTemplate, ArrayFieldTemplate, ArrayFieldItemTemplate, BaseInputTemplate, ErrorListTemplate: () => null },
  widgets: { SelectWidget },
} as unknown as ThemeProps<Data, RJSFSchema>);

/** Fields in the order in which the API demands them; its objects are sorted by name. */
function inOrder(schema: RJSFSchema): Record<string, unknown> {
  const { items, required, properties } = schema;
  if (schema.type === "array") return typeof items === "object" && !Array.isArray(items) ? { items: inOrder(items as RJSFSchema) } : {};
  if (schema.type !== "object") return {};
  const nested = Object.entries(properties ?? {}).map(([name, field]) => [name, inOrder(field as RJSFSchema)]);
  return { ...Object.fromEntries(nested), "ui:order": [...(required ?? []), "*"] };
}

/** Without what the form itself put in: fields that are not set, and empty lists that were not there. */
export const tidy = (next: Config, before: Config): Config =>
  Object.fromEntries(Object.entries(next).filter(([name, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0 && !(name in before))));

export default function ConfigForm({ schema, value, disabled, onChange }: { schema: RJSFSchema; value: Config; disabled: boolean; onChange: (config: Config) => void }) {
  return (
    <Form schema={schema} formData={value} validator={validator} liveValidate="onChange" showErrorList={false} noHtml5Validate disabled={disabled} idPrefix="config" tagName="div"
      uiSchema={{ ...inOrder(schema), "ui:submitButtonOptions": { norender: true } }} onChange={({ formData }) => onChange(tidy((formData ?? {}) as Config, value))} />
  );
}
