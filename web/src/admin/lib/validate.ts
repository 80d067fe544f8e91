// JSON Schema without `eval`, which the page's policy forbids: the form's validator, and the raw editor's.
import { Validator, type OutputUnit, type Schema } from "@cfworker/json-schema";
import type { ErrorSchema, RJSFSchema, RJSFValidationError, ValidatorType } from "@rjsf/utils";
import { toErrorSchema } from "@rjsf/utils";

export interface Flaw { path: string; message: string }

// These only say that something below is wrong.
const OUTER = new Set(["properties", "additionalProperties", "items", "allOf", "$ref"]);

/** What is wrong with a value, in words; empty where it is valid. */
export function flaws(schema: object, value: unknown): Flaw[] {
  const { errors } = new Validator(schema as Schema, "2020-12", false).validate(value);
  const found = errors.filter(({ keyword }) => !OUTER.has(keyword)).map((unit): Flaw => ({ path: place(unit), message: words(unit, schema) }));
  return found.filter(({ path, message }, index) => found.findIndex((other) => other.path === path && other.message === message) === index);
}

function place({ instanceLocation, keyword, error }: OutputUnit): string {
  const path = instanceLocation.replace(/^#\/?/, "").split("/").filter(Boolean);
  const missing = keyword === "required" ? /property "([^"]+)"/.exec(error)?.[1] : undefined;
  return [...path, ...(missing === undefined ? [] : [missing])].join(".");
}

function words({ keyword, keywordLocation, error }: OutputUnit, schema: object): string {
  const at = (location: string): unknown => location.replace(/^#\/?/, "").split("/").filter(Boolean).reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], schema);
  const limit = at(keywordLocation);
  switch (keyword) {
    case "required": return "is needed";
    case "false": return "is not a field of this category";
    case "enum": return Array.isArray(limit) ? `must be one of ${limit.join(", ")}` : error;
    case "type": return `must be ${limit === "integer" ? "a whole number" : `a ${String(limit)}`}`;
    case "minimum": return `must be at least ${String(limit)}`;
    case "maximum": return `must be at most ${String(limit)}`;
    case "minLength": return "must not be empty";
    case "maxLength": return `must have at most ${String(limit)} characters`;
    case "pattern": return limit === "\\S" ? "must not be blank" : limit === "^[!-~]{1,128}$" ? "must be 1 to 128 visible ASCII characters" : `must match ${String(limit)}`;
    default: return error;
  }
}

const toErrors = (schema: object, value: unknown): RJSFValidationError[] =>
  flaws(schema, value).map(({ path, message }) => ({ property: `.${path}`, message, stack: `${path} ${message}` }));

/** React JSON Schema Form's validator. */
export const validator: ValidatorType<Record<string, unknown>, RJSFSchema> = {
  validateFormData: (formData, schema) => {
    const errors = toErrors(schema, formData ?? {});
    return { errors, errorSchema: toErrorSchema(errors) as ErrorSchema<Record<string, unknown>> };
  },
  isValid: (schema, formData) => flaws(schema, formData).length === 0,
  rawValidation: <Result>(schema: RJSFSchema, formData?: Record<string, unknown>) => ({ errors: toErrors(schema, formData ?? {}) as Result[] }),
};
