// The one way to the admin API: same origin, JSON, problems as `Problem`.
import { Problem, problemOf, signedOut, unreachable } from "./problem";

const BASE = "/admin/v1";
const TIMEOUT_MS = 60_000;

export interface Ask {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below /admin/v1. */
  path: string;
  body?: Record<string, unknown>;
  /** The version that the admin saw; sent as If-Match. */
  version?: number;
  /** Of one wish: a repeated request carries the same one. */
  key?: string;
  signal?: AbortSignal;
}

export interface Answer<T> { status: number; body: T }

/** A path of encoded segments. */
export const path = (...segments: string[]) => `/${segments.map(encodeURIComponent).join("/")}`;

/** The query string of what is set. */
export function query(fields: Record<string, string | number | boolean | null | undefined>): string {
  const set = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set.map(([name, value]) => [name, String(value)]))}`;
}

export async function send<T>({ method, path, body, version, key, signal }: Ask): Promise<Answer<T>> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (version !== undefined) headers["if-match"] = `"${version}"`;
  if (key !== undefined) headers["idempotency-key"] = key;
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  let response: Response;
  try {
    // Access answers an ended session with a redirect to its sign-in page, which a script cannot follow.
    response = await fetch(BASE + path, { method, headers, body: body === undefined ? null : JSON.stringify(body), redirect: "manual", signal: AbortSignal.any(signals) });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw unreachable();
  }
  if (response.type === "opaqueredirect") throw signedOut();
  if (!response.ok) throw await problemOf(response);
  if (!/json/.test(response.headers.get("content-type") ?? "")) throw new Problem(502, "unexpected", "The API answered with something else than JSON");
  try {
    return { status: response.status, body: (await response.json()) as T };
  } catch {
    throw unreachable();
  }
}

export const get = async <T>(path: string, signal?: AbortSignal): Promise<T> => (await send<T>({ method: "GET", path, ...(signal ? { signal } : {}) })).body;

/** Gives one key for each distinct request of a wish, so that a retry has the effect of once and a corrected one is new. */
export class Keyring {
  private readonly keys = new Map<string, string>();

  of(ask: Ask): string {
    const print = JSON.stringify([ask.method, ask.path, ask.version ?? null, ask.body ?? null]);
    const key = this.keys.get(print) ?? crypto.randomUUID();
    this.keys.set(print, key);
    return key;
  }
}
