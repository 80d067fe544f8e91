import { expect, test } from "vitest";
import { flaws, validator } from "./validate";

// As `Category::config_schema` gives it for LLM_MODEL.
const schema = {
  type: "object", additionalProperties: false, required: ["provider", "model", "max_output_tokens", "temperature"],
  properties: {
    provider: { type: "string", pattern: "^[!-~]{1,128}$" }, model: { type: "string", pattern: "^[!-~]{1,128}$" },
    max_output_tokens: { type: "integer", minimum: 1, maximum: 32_768 }, temperature: { type: "number", minimum: 0, maximum: 2 },
  },
} as const;
const good = { provider: "anthropic", model: "claude-haiku-4-5", max_output_tokens: 800, temperature: 0.7 };
const said = (value: unknown) => flaws(schema, value).map(({ path, message }) => `${path} ${message}`);

test("a good configuration has no flaws", () => {
  expect(said(good)).toEqual([]);
});

test("each flaw names its field and what is allowed", () => {
  expect(said({ ...good, temperature: 9 })).toEqual(["temperature must be at most 2"]);
  expect(said({ ...good, max_output_tokens: 1.5 })).toEqual(["max_output_tokens must be a whole number"]);
  expect(said({ ...good, max_output_tokens: "800" })).toEqual(["max_output_tokens must be a whole number"]);
  expect(said({ ...good, provider: "an thropic" })).toEqual(["provider must be 1 to 128 visible ASCII characters"]);
  expect(said({ provider: "a", model: "b", temperature: 1 })).toEqual(["max_output_tokens is needed"]);
  expect(said({ ...good, colour: "red" })).toEqual(["colour is not a field of this category"]);
});

test("enumerations list their values", () => {
  expect(flaws({ type: "object", properties: { face: { type: "string", enum: ["on", "none"] } } }, { face: "off" })).toEqual([{ path: "face", message: "must be one of on, none" }]);
});

test("the form is told the field of each flaw", () => {
  const { errorSchema, errors } = validator.validateFormData({ ...good, temperature: 9 }, schema as never);
  expect(errors).toHaveLength(1);
  expect((errorSchema as Record<string, { __errors: string[] }>).temperature?.__errors).toEqual(["must be at most 2"]);
  expect(validator.isValid(schema as never, good, schema as never)).toBe(true);
});
