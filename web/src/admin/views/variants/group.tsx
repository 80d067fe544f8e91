// A category's heading: whether an experiment runs, and its switch.
import { Link } from "wouter";
import type { Category } from "../../api/types";
import { categoryName } from "../../lib/words";
import { switchOff, switchOn } from "../../lib/wishes";
import { useAct } from "../../shell/act";
import { Icon } from "../../ui/icon";

export function GroupTools({ category: { category, is_experiment, is_switched_off, is_critical, is_pool } }: { category: Category }) {
  const act = useAct();
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-1 text-start">
      <span className="font-serif text-[1.2rem] font-normal">{categoryName(category)}</span>
      <code className="text-[.8rem] font-normal text-ink-2">{category}</code>
      {is_experiment && !is_switched_off && <span className="tag tag-good">Experiment runs</span>}
      {is_switched_off && <span className="tag tag-bad"><Icon name="pause" size={12} />Switched off</span>}
      {is_critical && <span className="tag">Steers safety: two words, cool-down</span>}
      {is_pool && <span className="tag">Pool</span>}
      <span className="ms-auto flex gap-1 font-normal">
        <Link href={`/variants/new?category=${category}`} className="btn btn-quiet btn-small text-ink-2">New variant</Link>
        {is_switched_off
          ? <button type="button" className="btn btn-small" onClick={() => act(switchOn([category]))}>Switch on</button>
          : is_experiment && <button type="button" className="btn btn-quiet btn-small text-bad" onClick={() => act(switchOff([category], false))}>Switch off</button>}
      </span>
    </span>
  );
}
