// A challenger against a control: what the intervals say, whether the gates hold, and whether it may be promoted.
import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "wouter";
import { comparison, type Pair } from "../../api/metrics";
import type { Categories, Comparison, Variant } from "../../api/types";
import { allVariants, categories as categoriesOf } from "../../api/variants";
import { pairOf } from "../../lib/decisions";
import { isChallenger } from "../../lib/rows";
import { categoryName } from "../../lib/words";
import { Empty } from "../../ui/fault";
import { Loaded } from "../../ui/loaded";
import { Panel, Title } from "../../ui/panel";
import { Arms } from "./arms";
import { Decision } from "./decision";
import { Forest } from "./forest";
import { Gates } from "./gates";
import { Pickers } from "./pickers";
import { SampleRatio } from "./sample-ratio";

export default function Compare() {
  const categories = useQuery(categoriesOf());
  const variants = useQuery(allVariants());
  return (
    <>
      <Title name="Compare" lead="Treatment minus control, session by session. The dashed interval holds however often you look; the solid one only if you look once, at the planned end." />
      <Loaded query={categories} lines={8}>{(known) => <Loaded query={variants} lines={8}>{({ variants: all }) => <View known={known} all={all} />}</Loaded>}</Loaded>
    </>
  );
}

/** The pair of the address, completed with what is most likely meant. */
function chosen(params: URLSearchParams, { categories }: Categories, all: Variant[]): Pair {
  const running = all.find((variant) => isChallenger(variant) && categories.some(({ category, is_pool }) => category === variant.category && !is_pool));
  const category = categories.find((other) => other.category === (params.get("category") ?? running?.category)) ?? categories[0];
  const own = all.filter((variant) => variant.category === category?.category);
  const control = params.get("control") ?? category?.defaults[0] ?? "";
  const treatment = params.get("treatment") ?? (own.find((variant) => isChallenger(variant)) ?? own.find(({ id, status }) => id !== control && status !== "retired"))?.id ?? "";
  const usual = pairOf(category?.category ?? "", control, treatment, Date.now());
  const planned = Number(params.get("planned"));
  return { ...usual, from: params.get("from") ?? usual.from, to: params.get("to") ?? usual.to, planned: planned > 0 ? planned : usual.planned };
}

function View({ known, all }: { known: Categories; all: Variant[] }) {
  const [params, setParams] = useSearchParams();
  const pair = chosen(params, known, all);
  const isPair = pair.control !== "" && pair.treatment !== "" && pair.control !== pair.treatment && pair.from <= pair.to;
  const result = useQuery({ ...comparison(pair), enabled: isPair });
  const set = (part: Partial<Pair>) => setParams(new URLSearchParams(Object.entries({ ...pair, ...part }).map(([name, value]) => [name, String(value)])), { replace: true });
  const treatment = all.find(({ category, id }) => category === pair.category && id === pair.treatment);
  const category = known.categories.find((other) => other.category === pair.category);
  return (
    <>
      <Pickers pair={pair} categories={known.categories} variants={all} onChange={(part) => (part.category === undefined ? set(part) : setParams(new URLSearchParams({ category: part.category }), { replace: true }))} />
      {!isPair ? <div className="panel"><Empty title={pair.from > pair.to ? "The first day is after the last" : "Choose two variants"}>{categoryName(pair.category)}: a control and a treatment that are not the same.</Empty></div> : (
        <Loaded query={result} lines={10} absent={{ title: "Nothing to compare yet", why: "Figures come with the nightly roll-up after both variants have had sessions." }}>
          {(found) => <Result found={found} pair={pair} head={<Decision found={found} treatment={treatment} category={category} />} />}
        </Loaded>
      )}
    </>
  );
}

function Result({ found, pair, head }: { found: Comparison; pair: Pair; head: React.ReactNode }) {
  return (
    <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="min-w-0 space-y-5">
        <Forest tests={found.tests} />
        <Gates gates={found.gates} />
        <Arms arms={found.arms} pair={pair} />
      </div>
      <div className="order-first min-w-0 space-y-5 xl:order-none">
        {head}
        <SampleRatio ratio={found.sample_ratio} arms={found.arms} />
        <Panel title="Who gets what"><p><Link href={`/variants/${pair.category}/${encodeURIComponent(pair.treatment)}#share`}>Change the share of <code>{pair.treatment}</code></Link></p><p className="hint mt-1">A changed share begins a new phase, which is analysed for itself.</p></Panel>
      </div>
    </div>
  );
}
