// Who comes when: people who arrive more and more, some once, some for weeks, in the evenings of their own time zone.
import { Chance, ulid } from "./chance.mjs";

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
// Country, hours from UTC, weight.
const PLACES = [
  [["DE", 1], 25], [["US", -6], 24], [["GB", 0], 14], [["AT", 1], 5], [["CH", 1], 5], [["FR", 1], 8], [["BR", -3], 7], [["IN", 5.5], 4], [["JP", 9], 4], [[null, 0], 4],
];
/** By how often they come: a day's chance at first, and after how many days it has halved. */
const HABITS = [
  [{ name: "passing", daily: 0.05, halved: 5 }, 46], [{ name: "now and then", daily: 0.15, halved: 20 }, 38], [{ name: "regular", daily: 0.36, halved: 55 }, 16],
];
/** From Sunday on: the week's end is quieter, Sunday night is not. */
const WEEK = [1.12, 1.14, 1.05, 1.02, 0.98, 0.84, 0.85];
/** By the hour of the person's own day. */
const HOURS = [9, 5, 3, 2, 2, 3, 6, 11, 13, 11, 10, 10, 12, 12, 11, 11, 12, 15, 18, 22, 27, 31, 27, 17].map((weight, hour) => [hour, weight]);
/** The twin came later; from this share of the days on. */
const TWIN_FROM = 0.3;
const TURNS = 14;

/** `days` and `persons` are the story's size; days after it go on as it ended. */
export class People {
  constructor({ seed, firstDay, days, persons }) {
    Object.assign(this, { seed, firstDay, days, persons });
    this.all = [];
  }

  /** Persons who have arrived before a day begins; three times as many a day at the end as at the beginning. */
  arrivedBefore(day) {
    const share = day / this.days;
    return Math.floor(this.persons * (share <= 1 ? 0.5 * share + 0.5 * share ** 2 : 1 + 1.5 * (share - 1)));
  }

  /** All who arrive on the first `days` days. */
  until(days) {
    for (let day = this.all.length === 0 ? 0 : this.all.at(-1).day + 1; day < days; day++) {
      for (let n = this.arrivedBefore(day); n < this.arrivedBefore(day + 1); n++) this.all.push(this.person(n, day));
    }
    return this.all.filter((person) => person.day < days);
  }

  person(n, day) {
    const chance = new Chance(`${this.seed} person ${n}`);
    const [country, offset] = chance.of(PLACES);
    const person = { n, day, country, offset, habit: chance.of(HABITS), hasTwin: chance.is(0.3), mood: 0.07 * chance.normal(), wordy: chance.skewed(1, 0.3), isFragile: chance.is(0.05) };
    person.firstMs = this.beginMs(person, day, new Chance(`${this.seed} first ${n}`));
    person.id = ulid("per_", person.firstMs - 2_000, chance);
    return person;
  }

  beginMs({ offset }, day, chance) {
    const within = (chance.of(HOURS) - offset + 24) % 24;
    return this.firstDay + day * DAY_MS + Math.floor(within * HOUR_MS + chance.share() * HOUR_MS) % DAY_MS;
  }

  /** When the person's sessions of a day begin, and of which product. `eager` raises the chance that they come at all. */
  sessions(person, day, eager) {
    const chance = new Chance(`${this.seed} day ${person.n} ${day}`);
    const { habit: { daily, halved } } = person;
    const weekday = new Date(this.firstDay + day * DAY_MS).getUTCDay();
    const comes = daily * 2 ** (-(day - person.day) / halved) * WEEK[weekday] * eager;
    const begins = day === person.day ? [person.firstMs] : [];
    if (day > person.day && chance.is(comes)) begins.push(this.beginMs(person, day, chance));
    if (begins.length > 0 && chance.is(0.16)) begins.push(begins[0] + Math.floor(2 * HOUR_MS * (1 + chance.share())));
    return begins.map((atMs, index) => ({
      atMs, name: `${person.n} ${day} ${index}`,
      product: person.hasTwin && day >= this.days * TWIN_FROM && chance.is(0.45) ? "twin" : "companion",
      turns: Math.min(TURNS, 1 + Math.floor(-Math.log(1 - chance.share()) * 2.7 * person.wordy)),
    }));
  }
}
