// The HTTP API as functions. The token lives in an HttpOnly cookie: no script can read it.
import type { UIMessage } from "ai";
import type { Feedback } from "../rating/rating";
import type { Configs } from "../variants";
import { ProblemError, problemOf } from "./problem";

/** One way to reach help: an entry of `shared/core/safety/resources.json`. */
export interface Resource {
  name: string;
  /** Emergency number of the country; empty for the whole world. */
  emergency: string;
  /** What to dial, literally; empty for a chat or a page. */
  dial: string;
  channel: "call" | "text" | "chat" | "web";
  /** The word to text, where the line wants one. */
  keyword: string;
  url: string;
  hours: string;
  /** IANA zone of the hours; empty when they are 24/7. */
  timezone: string;
  audience: string;
}

export type Status = "queued" | "running" | "done" | "stopped" | "interrupted" | "failed";

export interface Metadata {
  turn_id: string;
  status: Status;
  created_at: string;
  provider?: string;
  model?: string;
  crisis_level?: number;
}

export type Message = UIMessage<Metadata, {
  safety: { level: number; text?: string; exit?: "leave" | "human" | null; resources: Resource[] };
  disclosure: { text: string };
  turn: { position: number };
}>;

export interface Session {
  session_id: string;
  assignment?: { configs?: Configs };
  starters: string[];
  messages: Message[];
  active_turn: string | null;
  next: string | null;
}

export interface SessionEntry {
  session_id: string;
  title: string | null;
  created_at: string;
  last_active_at: string;
  turns: number;
}

/** Help in a country, and the countries whose help is known. */
export interface Help {
  country: string | null;
  countries: string[];
  resources: Resource[];
}

export interface Health {
  provider: { name: string; note: string };
  /** Whether somebody listens, and speaks. */
  voice?: { hears: boolean; speaks: boolean };
}

const REGION = "si-country";
/** The region whose help is shown: what the person chose, else (null) where they are. */
export const region = () => localStorage.getItem(REGION);
export function chooseRegion(country: string) {
  if (country) localStorage.setItem(REGION, country);
  else localStorage.removeItem(REGION);
}
export const regionHeader = (): Record<string, string> => {
  const country = region();
  return country ? { "x-country": country } : {};
};

/** Asks our own server; what `init` says comes before what is usual. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  const headers = { ...(init.body === undefined ? {} : { "content-type": "application/json" }), ...regionHeader() };
  const response = await fetch(path, { credentials: "same-origin", headers, ...init });
  if (!response.ok) throw new ProblemError(await problemOf(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

const post = (body: unknown): RequestInit => ({ method: "POST", body: JSON.stringify(body) });

export const turnsUrl = (session: string) => `/v1/sessions/${session}/turns`;
export const turnStreamUrl = (session: string, turn: string) => `${turnsUrl(session)}/${turn}/stream`;
export const sessionStreamUrl = (session: string) => `/v1/sessions/${session}/stream`;

/** A new conversation; `preview` is the signed token of a tester's link. */
export async function createSession(locale: string, preview: string | null): Promise<Session> {
  const made = await ask<Pick<Session, "session_id" | "assignment" | "starters">>("/v1/sessions", post({
    locale,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(preview ? { preview } : {}),
  }));
  return { ...made, messages: [], active_turn: null, next: null };
}
export const readSession = (id: string, cursor?: string) => ask<Session>(`/v1/sessions/${encodeURIComponent(id)}${cursor ? `?cursor=${cursor}` : ""}`);
export const listSessions = () => ask<{ sessions: SessionEntry[] }>("/v1/sessions").then((page) => page.sessions);
export const deleteSession = (id: string) => ask<void>(`/v1/sessions/${id}`, { method: "DELETE" });
export const stopTurn = (session: string, turn: string) => ask<unknown>(`${turnsUrl(session)}/${turn}/stop`, post({}));
export const rateTurn = (session: string, turn: string, feedback: Feedback) => ask<void>(`${turnsUrl(session)}/${turn}/feedback`, post(feedback));
export const eraseMe = () => ask<unknown>("/v1/me", { method: "DELETE" });
export const readHelp = (country: string) => ask<Help>(`/v1/resources${country ? `?country=${country}` : ""}`);
export const health = () => ask<Health>("/v1/health");
/** Whether recordings may be kept. */
export const readVoiceConsent = () => ask<{ store_audio: boolean }>("/v1/me/voice-consent").then(({ store_audio }) => store_audio);
export const giveVoiceConsent = (keep: boolean) => ask<unknown>("/v1/me/voice-consent", { method: "PUT", body: JSON.stringify({ store_audio: keep }) });
export const EXPORT_URL = "/v1/me/export";
