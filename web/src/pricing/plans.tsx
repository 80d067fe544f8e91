// The plans as they may come: nothing is sold, so nothing can be bought here.
import { useEffect, useState } from "react";
import { Icon } from "../components/icon";
import { Sheet } from "../components/sheet";
import { useLocale, useWords } from "../i18n";
import { useUi } from "../variants";
import { STRUCTURES, type Tier } from "./structures";
import { turnsToday } from "./usage";

const MICROS = 1_000_000;

export default function Plans({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const locale = useLocale();
  const { pricing } = useUi();
  const [turns, setTurns] = useState<number | "unknown" | null>(null);
  useEffect(() => { turnsToday().then(setTurns, () => setTurns("unknown")); }, []);
  const number = new Intl.NumberFormat(locale);
  const tiers = STRUCTURES[pricing];
  const limit = tiers[0]?.turns_per_day ?? null;
  return (
    <Sheet title={words.plans.title} wide onClose={onClose}>
      <p className="lead">{words.plans.intro}</p>
      <section className="usage" aria-label={words.plans.usage}>
        <h3>{words.plans.usage}</h3>
        {turns === "unknown" && <p>{words.plans.unknown}</p>}
        {typeof turns === "number" && (
          <>
            <p>{limit === null ? words.plans.turns(number.format(turns)) : words.plans.ofLimit(number.format(turns), number.format(limit))}</p>
            {limit !== null && <meter min={0} max={limit} value={Math.min(turns, limit)} aria-label={words.plans.usage} />}
          </>
        )}
      </section>
      <ol className="tiers" data-structure={pricing}>{tiers.map((tier) => <TierCard key={tier.id} tier={tier} here={tier.price_micros === 0} />)}</ol>
      <p className="note">{words.plans.always}</p>
    </Sheet>
  );
}

function TierCard({ tier, here }: { tier: Tier; here: boolean }) {
  const words = useWords();
  const locale = useLocale();
  const about = words.plans.tiers[tier.id];
  const price = new Intl.NumberFormat(locale, { style: "currency", currency: "USD", minimumFractionDigits: tier.price_micros % MICROS === 0 ? 0 : 2 });
  return (
    <li data-tier={tier.id} className={here ? "here" : undefined}>
      <h3>{about.name}</h3>
      <p className="price"><b>{price.format(tier.price_micros / MICROS)}</b> {words.plans.month}</p>
      <p className="line">{about.line}</p>
      <ul>
        <li><Icon name="check" />{tier.turns_per_day === null ? words.plans.limitless : words.plans.limit(new Intl.NumberFormat(locale).format(tier.turns_per_day))}</li>
        {about.features.map((feature) => <li key={feature}><Icon name="check" />{feature}</li>)}
      </ul>
      <p className="state">{here ? words.plans.here : words.plans.later}</p>
    </li>
  );
}
