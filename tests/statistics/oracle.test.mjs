// The statistics against scipy, statsmodels, gbstats and ssrm-test: thousands of random cases, extreme ones among them.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { join } from "node:path";
import { python } from "../../scripts/python.mjs";
import { root, run } from "../../scripts/lib.mjs";
import { program } from "./tool.mjs";

// What must have been compared: a check that disappears is not one that passed.
const EXPECTED = {
  proportions: ["z (statsmodels)", "p (statsmodels)", "Newcombe (statsmodels)", "always-valid interval (gbstats)", "always-valid p (gbstats)"],
  means: ["t (scipy)", "p (scipy)", "degrees of freedom (gbstats)", "interval (gbstats)", "always-valid interval (gbstats)", "always-valid p (gbstats)"],
  "one-sided p": ["never bolder than its mixture (scipy.integrate)", "at most 40 % above its mixture (scipy.integrate)"],
  "sample ratio": ["chi-squared (scipy)", "p (scipy)", "e-value, logarithm (ssrm-test)"],
  Holm: ["adjusted p (statsmodels)", "rejected (statsmodels)"],
  ratio: ["difference (gbstats)", "variance (gbstats)", "p (scipy)", "always-valid interval (gbstats)", "always-valid p (gbstats)"],
  CUPED: ["theta (gbstats)", "interval (gbstats)", "p (gbstats)"],
  quantile: ["value (numpy)", "clustered variance (statsmodels OLS)", "clustered variance (gbstats)", "order statistics (numpy)"],
  sketch: ["quantile within 1/128 (numpy)", "small quantile exactly (numpy)"],
};

const seen = new Map();

before(async () => {
  const interpreter = await python();
  const lines = run(interpreter, [join(root, "tests/statistics/oracle.py"), program()], { quiet: true });
  for (const line of lines.trim().split("\n")) {
    const entry = JSON.parse(line);
    seen.set(entry.check, entry);
  }
});

for (const [subject, checks] of Object.entries(EXPECTED)) {
  for (const check of checks) {
    test(`${subject}: ${check}`, () => {
      const entry = seen.get(`${subject}: ${check}`);
      assert.ok(entry, "nothing was compared");
      assert.ok(entry.cases >= 100, `only ${entry.cases} cases`);
      assert.deepEqual(entry.wrong, []);
    });
  }
}

test("no other comparison failed", () => {
  assert.deepEqual([...seen.values()].flatMap((entry) => entry.wrong), []);
});
