import { useMemo } from "react";
import { useLocale, useWords } from "../i18n";

interface Props {
  label: string;
  /** A country's code; empty for where the person is. */
  value: string;
  countries: string[];
  onChoose: (country: string) => void;
}

/** Countries by their names, in the order of the language. */
export function RegionSelect({ label, value, countries, onChoose }: Props) {
  const words = useWords();
  const locale = useLocale();
  const named = useMemo(() => {
    const names = new Intl.DisplayNames([locale], { type: "region" });
    const order = new Intl.Collator(locale);
    // A country whose help is not known is still where somebody is; networks also have codes that are no country.
    const all = /^[A-Z]{2}$/.test(value) && !countries.includes(value) ? [...countries, value] : countries;
    return all.map((code) => [code, names.of(code) ?? code] as const).sort((a, b) => order.compare(a[1], b[1]));
  }, [countries, locale, value]);
  return (
    <label className="region">
      {label}{" "}
      <select value={value} onChange={(event) => onChoose(event.target.value)}>
        <option value="">{words.regionAuto}</option>
        {named.map(([code, name]) => <option key={code} value={code}>{name}</option>)}
      </select>
    </label>
  );
}
