// What the API answers when it does not do what was asked (RFC 9457), and what an admin can do about it.
import type { Blocker } from "./types";

/** A refusal or a failure. `slug` is the last part of the problem's type. */
export class Problem extends Error {
  readonly status: number;
  readonly slug: string;
  readonly detail: string | null;
  readonly correlationId: string | null;
  readonly retryAfterS: number | null;
  /** Conditions that are not met, each by itself; `detail` has them in one line. */
  readonly unmet: Blocker[];

  constructor(status: number, slug: string, title: string, rest: { detail?: string | null; correlationId?: string | null; retryAfterS?: number | null; unmet?: Blocker[] } = {}) {
    super(title);
    this.name = "Problem";
    this.status = status;
    this.slug = slug;
    this.detail = rest.detail ?? null;
    this.correlationId = rest.correlationId ?? null;
    this.retryAfterS = rest.retryAfterS ?? null;
    this.unmet = rest.unmet ?? [];
  }

  /** Whether the same request may succeed a little later. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether the route is not there (yet): nothing to show, and nothing is wrong. */
  get isAbsent(): boolean {
    return this.status === 404 || this.status === 501;
  }
}

export const unreachable = () => new Problem(0, "unreachable", "The API cannot be reached");
export const signedOut = () => new Problem(401, "unauthorized", "You are signed out");

/** The problem that a response is. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string) => (typeof fields[name] === "string" ? (fields[name] as string) : null);
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  return new Problem(response.status, text("type")?.split("/").at(-1) ?? "unknown", text("title") ?? `The API answered ${response.status}`, {
    detail: text("detail"),
    correlationId: text("correlation_id") ?? response.headers.get("x-correlation-id"),
    retryAfterS: Number.isFinite(retryAfter) ? retryAfter : null,
    unmet: Array.isArray(fields.unmet) ? (fields.unmet as Blocker[]) : [],
  });
}

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(0, "page", "The page failed", { detail: error instanceof Error ? error.message : String(error) });

export interface Advice { what: string; todo: string; signIn?: true }

/** What is wrong and what helps, in words. */
export function advice(problem: Problem): Advice {
  const what = problem.detail === null || problem.unmet.length > 0 ? problem.message : `${problem.message}: ${problem.detail}`;
  switch (problem.status) {
    case 0:
      return problem.slug === "unreachable"
        ? { what, todo: "Check your connection, then try again. Nothing that you typed is lost." }
        : { what, todo: "Reload the page. If it happens again, report it with the words above." };
    case 401:
      return { what: "Your sign-in has ended", todo: "Sign in again in a new tab, come back and try again. Nothing that you typed is lost.", signIn: true };
    case 403:
      return { what, todo: "Your account may not do this. Somebody else can, or your groups have to change." };
    case 404:
      return { what, todo: "It may have been removed, or its name is another. The list shows what there is." };
    case 409:
      return { what, todo: "The registry's rules or its present state forbid it. Change what stands in the way, then try again." };
    case 412:
      return { what, todo: "Look at what changed, then decide again." };
    case 422:
      return { what, todo: "Close this and begin again." };
    case 429:
      return { what, todo: `Wait ${problem.retryAfterS ?? 10} seconds, then try again.` };
    default:
      if (problem.status >= 500) return { what, todo: "Try again in a moment. A change that is sent twice takes effect once. Nothing that you typed is lost." };
      return { what, todo: "Correct it, then try again." };
  }
}
