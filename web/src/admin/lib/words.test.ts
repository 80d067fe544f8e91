import { expect, test } from "vitest";
import { actionName, blocker, categoryName, metricName, plural, wish } from "./words";

test("what stands against a promotion is a sentence", () => {
  expect(blocker({ reason: "gate_failed", gate: "latency_p95" })).toBe("Latency, p95: the gate failed");
  expect(blocker({ reason: "too_few_sessions", sessions: 421, more_than: 500 })).toBe("421 sessions in the smaller arm; more than 500 are needed");
  expect(blocker({ reason: "sample_ratio_mismatch", p_value: 0.00004 })).toBe("The arms do not hold the shares they were given (p < 0.001)");
  expect(blocker({ reason: "not_significant", p_value: 0.31 })).toBe("No success metric is superior yet (p = 0.310)");
});

test("names that are not known yet are still words", () => {
  expect([categoryName("NEW_THING"), metricName("some_new_metric"), blocker({ reason: "brand_new" }), blocker("slug_only"), actionName("api-key.create")])
    .toEqual(["New thing", "Some new metric", "Brand new", "Slug only", "api key, create"]);
});

test("wishes and numbers", () => {
  expect(wish({ action: "rollout", target: { category: "LLM_MODEL", id: "x" }, percent: 12.5 })).toBe("Give x 12.5 % of the traffic");
  expect(wish({ action: "promote", target: { category: "LLM_MODEL", id: "x" } })).toBe("Promote x");
  expect([plural(1, "change waits", "changes wait"), plural(1_200, "variant")]).toEqual(["1 change waits", "1,200 variants"]);
});
