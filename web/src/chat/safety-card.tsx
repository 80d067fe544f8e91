import { useEffect, useState } from "react";
import { type Resource, chooseRegion, helpIn, region } from "../api/client";
import { words } from "../messages";

const NAMES = new Intl.DisplayNames([navigator.language], { type: "region" });

const target = ({ channel, dial, keyword, url }: Resource) => {
  const number = dial.replaceAll("#", "%23");
  if (channel === "call") return `tel:${number}`;
  // `?&` is read by iOS and by Android.
  if (channel === "text") return keyword ? `sms:${number}?&body=${encodeURIComponent(keyword)}` : `sms:${number}`;
  return url;
};

const action = ({ channel, dial, keyword }: Resource) => {
  if (channel === "call") return `${words.call} ${dial}`;
  if (channel === "text") return keyword ? words.textWord(keyword, dial) : `${words.text} ${dial}`;
  return channel === "chat" ? words.chat : words.visit;
};

/** "America/Argentina/Buenos_Aires" is "Buenos Aires". */
const place = (zone: string) => zone.split("/").at(-1)?.replaceAll("_", " ") ?? zone;

const about = ({ name, audience, hours, timezone }: Resource) =>
  [name, words.audiences[audience], timezone ? words.hoursIn(hours, place(timezone)) : hours].filter(Boolean).join(" · ");

/** Help that is one tap away. */
export function SafetyCard({ resources: given, text }: { level: number; text?: string; resources: Resource[] }) {
  const [resources, setResources] = useState(given);
  const [countries, setCountries] = useState<string[]>([]);
  const [country, setCountry] = useState(region() ?? "");
  useEffect(() => {
    helpIn("").then((help) => { setCountries(help.countries); setCountry((chosen) => chosen || help.country || ""); }, () => undefined);
  }, []);
  const choose = (next: string) => {
    chooseRegion(next);
    setCountry(next);
    helpIn(next).then((help) => setResources(help.resources), () => undefined);
  };
  const emergency = resources.find((resource) => resource.emergency)?.emergency;
  return (
    <section className="care" aria-label={words.support}>
      <h3>{text ?? words.reach}</h3>
      <ul>
        {emergency && <li><a href={`tel:${emergency}`}><b>{words.call} {emergency}</b><span>{words.emergency}</span></a></li>}
        {resources.filter(({ channel, dial }) => channel !== "call" || dial !== emergency).map((resource) => (
          <li key={`${resource.channel}${resource.dial}${resource.url}`}>
            <a href={target(resource)} {...(resource.channel === "web" || resource.channel === "chat" ? { target: "_blank", rel: "noopener noreferrer" } : {})}>
              <b>{action(resource)}</b>
              <span>{about(resource)}</span>
            </a>
          </li>
        ))}
      </ul>
      {countries.length > 0 && (
        <label className="region">
          {words.region}{" "}
          <select value={country} onChange={(event) => choose(event.target.value)}>
            {!countries.includes(country) && <option value={country}>{words.elsewhere}</option>}
            {countries.map((code) => <option key={code} value={code}>{NAMES.of(code)}</option>)}
          </select>
        </label>
      )}
    </section>
  );
}
