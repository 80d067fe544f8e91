// After a quick exit this device shows no conversation from before: whoever opens the page next finds an empty one. They
// are kept, and the settings bring them back. Told apart by their ids, so that no clock of the device matters.

const KEY = "si-since";
/** Until the next conversation begins, all are from before. */
const ALL = "all";
const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/** When a conversation began, milliseconds since 1970: the first ten characters of its ULID. */
export const beganAt = (id: string) => [...id.replace(/^ses_/, "").slice(0, 10)].reduce((time, letter) => time * 32 + CROCKFORD.indexOf(letter), 0);

/** Hides all that there is. */
export const veil = () => localStorage.setItem(KEY, ALL);
export const isVeiled = () => localStorage.getItem(KEY) !== null;
/** Shows all again. */
export const unveil = () => localStorage.removeItem(KEY);

/** A conversation began: it is the first one that is shown. */
export function begun(id: string) {
  if (localStorage.getItem(KEY) === ALL) localStorage.setItem(KEY, String(beganAt(id)));
}

export function isShown(id: string): boolean {
  const since = localStorage.getItem(KEY);
  return since === null || (since !== ALL && beganAt(id) >= Number(since));
}
