// What the registry would be like if a waiting change took effect: for the reader who has to approve it. Pure.
import type { Change, Variant } from "../api/types";
import { changedRows, diff, variantDiffs, type VariantDiff } from "./diff";

const UP: Record<string, Variant["status"]> = { experimental: "staged", staged: "production" };

/** The rows as they are and as they would be. */
export function proposal({ command }: Change, variants: Variant[], defaults: string[], isPool: boolean): VariantDiff[] {
  const { target, action } = command;
  const now = variants.find((variant) => variant.category === target?.category && variant.id === target?.id);
  if (!now) return [{ name: target ? `${target.category}/${target.id}` : action, rows: changedRows(diff(undefined, command)) }];
  const [before, after] = [[now], [{ ...now }]];
  const next = after[0];
  if (!next) return [];
  switch (action) {
    case "edit":
      if (typeof command.description === "string") next.description = command.description;
      if (command.config) next.config = command.config;
      break;
    case "rollout": if (command.percent !== undefined) next.rollout_percent = command.percent; break;
    case "cohorts": if (command.cohorts) next.cohorts = command.cohorts; break;
    case "promote":
      next.status = UP[now.status] ?? now.status;
      if (next.status === "production") {
        next.rollout_percent = 100;
        for (const old of isPool ? [] : variants.filter(({ category, id }) => category === now.category && defaults.includes(id) && id !== now.id)) {
          before.push(old);
          after.push({ ...old, status: "staged", rollout_percent: 0 });
        }
      }
      break;
    case "pause": next.rollout_percent = 0; break;
    case "demote": [next.status, next.rollout_percent] = ["experimental", 0]; break;
    case "retire": [next.status, next.rollout_percent] = ["retired", 0]; break;
  }
  return variantDiffs(before, after);
}
