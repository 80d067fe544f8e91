// What can be done with a variant, and the words that go with it.
import { path } from "../api/client";
import type { Category, Variant } from "../api/types";
import type { Action } from "../shell/act";
import { isChallenger } from "./rows";
import { categoryName } from "./words";

type Can = "promote" | "demote" | "pause" | "rollback" | "retire" | "edit";

/** What the registry lets through for a variant in this state. */
export function can(variant: Variant, category: Category | undefined): Record<Can, boolean> {
  const isRetired = variant.status === "retired";
  const isOnly = variant.status === "production" && (category?.defaults.length ?? 1) < 2;
  return {
    edit: !isRetired,
    promote: variant.status === "experimental" || variant.status === "staged",
    demote: !isRetired && !isOnly && (variant.status !== "experimental" || variant.rollout_percent > 0),
    pause: isChallenger(variant),
    rollback: !isRetired && variant.version > 1,
    retire: !isRetired && !isOnly,
  };
}

const at = ({ category, id }: Variant, step: string) => path("variants", category, id, step);
const name = ({ category, id }: Variant) => <><code>{id}</code> ({categoryName(category)})</>;

export function promote(variant: Variant, category: Category | undefined): Action {
  const isToProduction = variant.status === "staged";
  const displaced = isToProduction && category && !category.is_pool ? category.defaults[0] : undefined;
  const second = isToProduction ? "Another admin has to approve it; you cannot." : category?.is_critical ? "It is confirmed a second time." : "";
  return {
    title: `Promote ${variant.id} to ${isToProduction ? "production" : "staged"}`, verb: "Promote", path: at(variant, "promote"), seen: variant,
    tells: (
      <p>
        {isToProduction
          ? displaced ? <>It becomes what everybody gets; <code>{displaced}</code> goes back to staged, without traffic. </> : <>It joins the pool that people are drawn from. </>
          : <>{name(variant)} becomes staged; its share stays at {variant.rollout_percent} %. </>}
        {second}{category?.is_critical && " Then it cools down for five minutes, in which anybody can cancel it."}
      </p>
    ),
    said: `${variant.id} is ${isToProduction ? "in production" : "staged"}.`,
  };
}

/** The same step, where the server finds that nothing stands against it. */
export const promoteWinner = (variant: Variant, category: Category | undefined): Action => ({
  ...promote(variant, category), path: at(variant, "promote-winner"),
});

/** The same over days: the server collects, tests, asks another admin and promotes. */
export const promoteOverDays = ({ category, id }: Variant): Action => ({
  title: `Promote ${id} over days`, verb: "Begin", path: "/workflows", body: { category, id },
  tells: <p>Sessions are collected for three days and every gate is tested. Where all hold, another admin gets a link to approve; where it is too early to tell, it collects again. A broken gate ends it.</p>,
  said: `The promotion of ${id} has begun.`,
});

const withdraw = "It is immediate, in running sessions too: they go on with production from their next turn.";

export const demote = (variant: Variant): Action => ({
  title: `Demote ${variant.id}`, verb: "Demote", path: at(variant, "demote"), isBad: true,
  tells: <p>{name(variant)} goes back to experimental, without traffic. {withdraw}</p>, said: `${variant.id} is experimental, without traffic.`,
});
export const pause = (variant: Variant): Action => ({
  title: `Pause ${variant.id}`, verb: "Pause", path: at(variant, "pause"),
  tells: <p>Its share goes from {variant.rollout_percent} % to 0; its status stays. {withdraw}</p>, said: `${variant.id} takes no traffic.`,
});
export const rollback = (variant: Variant): Action => ({
  title: `Roll back ${variant.id}`, verb: "Roll back", path: at(variant, "rollback"), isBad: true,
  tells: <p>Undoes the last change of {name(variant)}. What was promoted by it goes back to experimental; what does not return to production takes no traffic. It is immediate.</p>,
  said: `The last change of ${variant.id} is undone.`,
});
export const retire = (variant: Variant): Action => ({
  title: `Retire ${variant.id}`, verb: "Retire", path: at(variant, "retire"), isBad: true,
  tells: <p>The end of its life: nobody gets {name(variant)} any more. {withdraw}</p>, said: `${variant.id} is retired.`,
});

export const switchOff = (categories: string[], isAll: boolean): Action => ({
  title: isAll ? "Switch all experiments off" : `Switch off the experiments of ${categories.map(categoryName).join(", ")}`, verb: "Switch off", path: "/kill-switch", isBad: true,
  body: { off: true, ...(isAll ? {} : { categories }) },
  tells: <p>Everybody gets production, in running sessions too, until it is switched on again. Shares stay as they are.</p>,
  said: isAll ? "All experiments are switched off." : `The experiments of ${categories.map(categoryName).join(", ")} are switched off.`,
});
export const switchOn = (categories: string[]): Action => ({
  title: `Switch the experiments of ${categories.map(categoryName).join(", ")} on again`, verb: "Switch on", path: "/kill-switch", body: { off: false, categories },
  tells: <p>People get their variants again, from their next turn on.</p>, said: `The experiments of ${categories.map(categoryName).join(", ")} run again.`,
});
