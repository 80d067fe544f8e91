// Help that is one tap away.
import { useEffect, useState } from "react";
import { type Resource, chooseRegion, region } from "../api/client";
import { Icon, type IconName } from "../components/icon";
import { RegionSelect } from "../components/region";
import { helpIn } from "../help";
import { type Words, useWords } from "../i18n";

const target = ({ channel, dial, keyword, url }: Resource) => {
  const number = dial.replaceAll("#", "%23");
  if (channel === "call") return `tel:${number}`;
  // `?&` is read by iOS and by Android.
  if (channel === "text") return keyword ? `sms:${number}?&body=${encodeURIComponent(keyword)}` : `sms:${number}`;
  return url;
};

const action = (words: Words, { channel, dial, keyword }: Resource) => {
  if (channel === "call") return `${words.call} ${dial}`;
  if (channel === "text") return keyword ? words.textWord(keyword, dial) : `${words.text} ${dial}`;
  return channel === "chat" ? words.chat : words.visit;
};

const SIGNS: Record<Resource["channel"], IconName> = { call: "call", text: "text", chat: "text", web: "web" };

/** "America/Argentina/Buenos_Aires" is "Buenos Aires". */
const place = (zone: string) => zone.split("/").at(-1)?.replaceAll("_", " ") ?? zone;

const about = (words: Words, { audience, hours, timezone }: Resource) =>
  [words.audiences[audience as keyof Words["audiences"]], timezone ? words.hoursIn(hours, place(timezone)) : hours].filter(Boolean).join(" · ");

/** One service with all the ways to reach it, in the order in which they are given. */
function services(resources: Resource[]): [key: string, ways: [Resource, ...Resource[]]][] {
  const found = new Map<string, [Resource, ...Resource[]]>();
  for (const resource of resources) {
    const key = [resource.name, resource.audience, resource.hours].join("|");
    const ways = found.get(key);
    if (ways) ways.push(resource);
    else found.set(key, [resource]);
  }
  return [...found];
}

/** The list itself: first the emergency number, then who listens; every way is one tap. */
export function HelpList({ resources }: { resources: Resource[] }) {
  const words = useWords();
  const emergency = resources.find((resource) => resource.emergency)?.emergency;
  return (
    <ul className="help-list">
      {emergency && <li className="emergency"><p>{words.emergency}</p><a href={`tel:${emergency}`}><Icon name="call" /><b>{words.call} <bdi>{emergency}</bdi></b></a></li>}
      {services(resources.filter(({ channel, dial }) => channel !== "call" || dial !== emergency)).map(([key, ways]) => (
        <li key={key}>
          <p><b><bdi>{ways[0].name}</bdi></b><span>{about(words, ways[0])}</span></p>
          {ways.map((way) => (
            <a key={`${way.channel}${way.dial}`} href={target(way)} {...(way.channel === "web" || way.channel === "chat" ? { target: "_blank", rel: "noopener noreferrer" } : {})}>
              <Icon name={SIGNS[way.channel]} />
              <b>{action(words, way)}</b>
            </a>
          ))}
        </li>
      ))}
    </ul>
  );
}

export function SafetyCard({ resources: given, text }: { text?: string; resources: Resource[] }) {
  const words = useWords();
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
  return (
    <section className="care" aria-label={words.support}>
      <h3>{text ?? words.reach}</h3>
      <HelpList resources={resources} />
      {countries.length > 0 && <RegionSelect label={words.region} value={country} countries={countries} onChoose={choose} />}
    </section>
  );
}
