// The twin's part of the HTTP API (docs/twin.md).
import { ask as askServer } from "../src/api/client";
import { ProblemError } from "../src/api/problem";

export interface Twin {
  twin_id: string;
  name: string;
  greeting: string | null;
  source?: string;
}

export interface Share {
  share_id: string;
  url: string;
  expires_at: string;
  active: boolean;
}

export interface Fact {
  fact_id: string;
  kind: string;
  value: string;
  source: { event_id: string; at: string };
}

const ask = <T>(method: string, path: string, body?: BodyInit, type = "application/json") =>
  askServer<T>(`/api${path}`, { method, body, headers: body === undefined ? {} : { "content-type": type } });

/** What is wrong, in the server's words, which name the field and quote nothing. */
export const reason = (error: unknown) => (error instanceof ProblemError ? error.problem.detail ?? error.problem.title : String(error));

/** Nobody is known before their first word or upload: they have no twins. */
const orNone = <T>(nothing: T) => (error: unknown) => {
  if (error instanceof ProblemError && error.problem.status === 401) return nothing;
  throw error;
};

export const listTwins = () => ask<{ twins: Twin[] }>("GET", "/twins").then(({ twins }) => twins).catch(orNone<Twin[]>([]));
export const readTwin = (id: string) => ask<Twin>("GET", `/twins/${id}`);
export const deleteTwin = (id: string) => ask<void>("DELETE", `/twins/${id}`);
/** The deployment's own twin, or the one of a link. */
export const readShared = (link: string) => ask<Omit<Twin, "twin_id">>("GET", link ? `/shared/${encodeURIComponent(link)}` : "/shared");
export const exportUrl = (id: string, format: "json" | "png" | "source") => `/api/twins/${id}/export?format=${format}`;

const TYPES: Record<string, string> = { png: "image/png", json: "application/json", md: "text/markdown" };
const typeOf = (persona: File | string) => {
  if (typeof persona === "string") return persona.trimStart().startsWith("{") ? "application/json" : "text/plain";
  return TYPES[persona.name.split(".").pop()?.toLowerCase() ?? ""] ?? "text/plain";
};

/** Stores a persona as a new twin, or as another version of one. */
export const saveTwin = (persona: File | string, id?: string) =>
  ask<Twin>(id ? "PUT" : "POST", id ? `/twins/${id}` : "/twins", persona, typeOf(persona));

const shares = (id: string) => `/twins/${id}/shares`;
export const listShares = (id: string) => ask<{ shares: Share[] }>("GET", shares(id)).then((page) => page.shares.filter(({ active }) => active));
export const createShare = (id: string, days: number) => ask<Share>("POST", shares(id), JSON.stringify({ days }));
export const revokeShare = (id: string, share: string) => ask<void>("DELETE", `${shares(id)}/${share}`);

export const listFacts = () => ask<{ facts: Fact[] }>("GET", "/memory").then(({ facts }) => facts).catch(orNone<Fact[]>([]));
export const forget = (fact: string) => ask<void>("DELETE", `/memory/${fact}`);
