// Problem details (RFC 9457) as the page understands them.

export interface Problem {
  /** The stable end of the type, such as `rate-limited`. */
  slug: string;
  title: string;
  status: number;
  detail?: string;
  correlationId?: string;
  /** Seconds. */
  retryAfter?: number;
}

/** An answer other than success. */
export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Reads a problem from any response, also from one that is no problem document. */
export async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const retryAfter = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  return {
    slug: text(body.type)?.split("/").pop() ?? "unknown",
    title: text(body.title) ?? `The server answered ${response.status}`,
    status: response.status,
    detail: text(body.detail),
    correlationId: text(body.correlation_id) ?? response.headers.get("x-correlation-id") ?? undefined,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
  };
}
