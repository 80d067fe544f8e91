import { afterEach, describe, expect, test, vi } from "vitest";
import { Keyring, path, query, send } from "./client";
import { Problem, advice, asProblem } from "./problem";

afterEach(() => vi.unstubAllGlobals());
const answered = (response: Response | Error) => vi.stubGlobal("fetch", vi.fn(async () => { if (response instanceof Error) throw response; return response; }));
const failure = async () => asProblem(await send({ method: "GET", path: "/me" }).catch((error: unknown) => error));
const json = (body: unknown, status: number, headers = {}) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json", ...headers } });

describe("one wish, one key", () => {
  const ask = { method: "POST", path: "/x", body: { percent: 20, reason: "a look" }, version: 3 } as const;
  test("a retry carries the same key, a corrected wish another", () => {
    const keys = new Keyring();
    const first = keys.of(ask);
    expect(keys.of({ ...ask, body: { ...ask.body } })).toBe(first);
    expect(keys.of({ ...ask, version: 4 })).not.toBe(first);
    expect(keys.of({ ...ask, body: { ...ask.body, confirm: true } } as never)).not.toBe(first);
    expect(keys.of(ask)).toBe(first);
  });
  test("two wishes of the same words are two", () => {
    expect(new Keyring().of(ask)).not.toBe(new Keyring().of(ask));
  });
});

describe("requests", () => {
  test("carry the key and the version that was seen", async () => {
    answered(new Response("{}", { headers: { "content-type": "application/json" } }));
    await send({ method: "POST", path: "/variants/A/b/rollout", body: { percent: 1 }, version: 7, key: "k" });
    const [url, init] = vi.mocked(fetch).mock.calls[0] ?? [];
    expect(url).toBe("/admin/v1/variants/A/b/rollout");
    expect(init?.headers).toMatchObject({ "if-match": '"7"', "idempotency-key": "k", "content-type": "application/json" });
  });
  test("paths and queries are encoded, empty fields left out", () => {
    expect(path("variants", "LLM_MODEL", "a/b ?")).toBe("/variants/LLM_MODEL/a%2Fb%20%3F");
    expect(query({ a: 1, b: "", c: undefined, d: "x&y", e: false })).toBe("?a=1&d=x%26y&e=false");
  });
});

describe("what goes wrong", () => {
  test("problem details are kept as they are", async () => {
    answered(json({ type: "https://silent-infinity.dev/problems/conflict", title: "That is not possible now", detail: "the variant is retired", correlation_id: "c1" }, 409));
    expect(await failure()).toMatchObject({ status: 409, slug: "conflict", message: "That is not possible now", detail: "the variant is retired", correlationId: "c1", isPassing: false });
  });
  test("a page instead of JSON, no network and Access's redirect are told apart", async () => {
    answered(new Response("<!doctype html>", { headers: { "content-type": "text/html" } }));
    expect(await failure()).toMatchObject({ slug: "unexpected", isPassing: true });
    answered(new TypeError("Failed to fetch"));
    expect(await failure()).toMatchObject({ slug: "unreachable", status: 0, isPassing: true });
    answered(Object.defineProperty(new Response(null), "type", { value: "opaqueredirect" }));
    expect(await failure()).toMatchObject({ status: 401, isPassing: false });
  });
  test("an error without a body still says its status and when to come back", async () => {
    answered(new Response("", { status: 503, headers: { "retry-after": "2" } }));
    expect(await failure()).toMatchObject({ status: 503, retryAfterS: 2, message: "The API answered 503" });
  });
  test("every kind comes with something to do", () => {
    for (const status of [0, 400, 401, 403, 404, 409, 412, 413, 422, 429, 500, 502, 503]) {
      const { what, todo, signIn } = advice(new Problem(status, "some", "A title", { detail: "the detail" }));
      expect(todo.length).toBeGreaterThan(10);
      if (status !== 401) expect(what).toBe("A title: the detail");
      expect(signIn === true).toBe(status === 401);
    }
  });
});
