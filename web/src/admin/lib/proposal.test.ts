import { expect, test } from "vitest";
import type { Change, Command } from "../api/types";
import { proposal } from "./proposal";
import { variant } from "./variant.fixture";

const prod = variant({ id: "prod", status: "production", rollout_percent: 100 });
const staged = variant({ id: "next", status: "staged", rollout_percent: 20 });
const change = (command: Partial<Command>): Change => ({
  id: "chg_1", state: "waiting", command: { action: "edit", target: { category: "LLM_MODEL", id: "next" }, ...command }, expected_version: 1,
  needs: { confirm: false, sign: "another", cool_down: false }, author: "ada", reason: "why", signed_by: null, created_at: "", due_at: "",
});
const rows = (command: Partial<Command>, isPool = false) =>
  proposal(change(command), [prod, staged], ["prod"], isPool).map(({ name, rows: found }) => [name, ...found.map(({ path, before, after }) => [path, before, after])]);

test("a promotion to production shows who makes room", () => {
  expect(rows({ action: "promote" })).toEqual([
    ["LLM_MODEL/next", ["status", "staged", "production"], ["rollout_percent", 20, 100]],
    ["LLM_MODEL/prod", ["status", "production", "staged"], ["rollout_percent", 100, 0]],
  ]);
  expect(rows({ action: "promote" }, true)).toHaveLength(1);
});

test("other wishes show their field", () => {
  expect(rows({ action: "rollout", percent: 45 })).toEqual([["LLM_MODEL/next", ["rollout_percent", 20, 45]]]);
  expect(rows({ action: "cohorts", cohorts: ["paid"] })).toEqual([["LLM_MODEL/next", ["cohorts", ["all"], ["paid"]]]]);
  expect(rows({ action: "edit", description: null, config: { model: "n" } })).toEqual([["LLM_MODEL/next", ["config.model", "m", "n"]]]);
});

test("a variant that is gone does not break the page", () => {
  expect(rows({ action: "promote", target: { category: "LLM_MODEL", id: "gone" } })[0]?.[0]).toBe("LLM_MODEL/gone");
});
