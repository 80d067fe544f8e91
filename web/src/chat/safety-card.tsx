import type { Resource } from "../api/client";
import { words } from "../messages";

const target = ({ channel, dial, url }: Resource) => (channel === "call" ? `tel:${dial}` : channel === "text" ? `sms:${dial}` : url);

/** Help that is one tap away. */
export function SafetyCard({ resources, text }: { level: number; text?: string; resources: Resource[] }) {
  return (
    <section className="care" aria-label={words.support}>
      <h3>{text ?? words.reach}</h3>
      <ul>
        {resources.map((resource) => (
          <li key={`${resource.channel}${resource.dial}${resource.url}`}>
            <a href={target(resource)} {...(resource.channel === "web" ? { target: "_blank", rel: "noopener noreferrer" } : {})}>
              <b>{resource.channel === "call" ? words.call : resource.channel === "text" ? words.text : words.visit} {resource.dial}</b>
              <span>{resource.name} · {resource.hours}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
