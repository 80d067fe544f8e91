// The price list that the Workers charge by, read from its one source.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, root } from "../../scripts/lib.mjs";

const RATES = [...readFileSync(join(root, "shared/core/src/pricing.rs"), "utf8")
  .matchAll(/^ {4}rate\("([^"]+)", \[([\d_]+), ([\d_]+), ([\d_]+)\], "([\d-]+)"/gm)]
  .map(([, model, ...rest]) => ({ model, prices: rest.slice(0, 3).map((price) => Number(price.replaceAll("_", ""))), from: rest[3] }));
if (RATES.length === 0) throw new Failure("no price was found in shared/core/src/pricing.rs");

/** Micros of a call, as `cost_micros` of pricing.rs has it: by the longest known prefix, rounded up; null where no price is known. */
export function costMicros(model, { input_tokens, output_tokens, cached_input_tokens = 0 }, day) {
  const name = model.split("/").at(-1);
  const known = RATES.filter((rate) => name.startsWith(rate.model)).sort((a, b) => b.model.length - a.model.length);
  const own = known.filter((rate) => rate.model === known[0].model);
  const rate = own.findLast(({ from }) => from <= day) ?? own[0];
  if (!rate) return null;
  const [input, cached, output] = rate.prices;
  return Math.ceil(((input_tokens - cached_input_tokens) * input + cached_input_tokens * cached + output_tokens * output) / 1_000);
}
