import { expect, test } from "vitest";
import type { Message } from "../api/client";
import { messagesOf, withTurn } from "./messages";
import { faultOf } from "./microphone";
import { ripple, settle } from "./ripple";
import type { Turn } from "./talk";

const turn = (own: Partial<Turn> = {}): Turn => ({ key: "t-0-0", number: 0, said: "the rain", id: "trn_0", messageId: "msg_0", text: "It rains.", parts: [], outcome: null, ...own });
const shape = (messages: Message[]) => messages.map(({ id, role, parts, metadata }) => [id, role, parts.map((part) => (part.type === "text" ? part.text : part.type)).join("|"), metadata?.status]);
const stored = (id: string, role: "user" | "assistant", text: string, status: "done" | "stopped"): Message => ({ id, role, parts: [{ type: "text", text }], metadata: { turn_id: "trn_0", status, created_at: "2026" } });

test("a spoken turn looks like a written one", () => {
  expect(shape(messagesOf([turn({ id: null, messageId: null, text: "" })]))).toEqual([["said-t-0-0", "user", "the rain", "done"]]);
  expect(shape(messagesOf([turn({ parts: [{ type: "data-safety", data: {} }] })]))).toEqual([["said-t-0-0", "user", "the rain", "done"], ["msg_0", "assistant", "It rains.|data-safety", "running"]]);
  const status = (outcome: Turn["outcome"], text = "It rains.") => messagesOf([turn({ outcome, text })]).at(-1)?.metadata?.status;
  expect([status("finished"), status("stopped"), status("failed"), status("failed", "")]).toEqual(["done", "stopped", "done", "failed"]);
});

test("when it is over the server's record takes its place, without moving anything", () => {
  const before = [stored("msg_x", "assistant", "earlier", "done")].map((message) => ({ ...message, metadata: { ...message.metadata, turn_id: "trn_x" } as Message["metadata"] }));
  const known = [stored("msg_0_in", "user", "The rain.", "stopped"), stored("msg_0", "assistant", "It rains. And", "stopped")];
  const over = turn({ outcome: "stopped" });
  const after = withTurn(before, over, [...before, ...known]);
  expect(shape(after)).toEqual([["msg_x", "assistant", "earlier", "done"], ["said-t-0-0", "user", "The rain.", "stopped"], ["msg_0", "assistant", "It rains. And", "stopped"]]);
  expect(withTurn(after, over, known)).toEqual(after);
  const disclosed = turn({ outcome: "stopped", parts: [{ type: "data-disclosure", data: { text: "An AI." } }, { type: "data-turn", data: {} }] });
  expect(shape(withTurn([], disclosed, known))[1]).toEqual(["msg_0", "assistant", "It rains. And|data-disclosure", "stopped"]);
  // Something was written meanwhile.
  const later = { ...stored("msg_1_in", "user", "more", "done"), metadata: undefined };
  expect(shape(withTurn([...before, ...messagesOf([turn()]), later], over, known))).toEqual([...shape(after), ["msg_1_in", "user", "more", undefined]]);
  // Without a server what was heard stands; where the words were lost, the server has them.
  expect(shape(withTurn(before, over, []))).toEqual([...shape(before), ["said-t-0-0", "user", "the rain", "done"], ["msg_0", "assistant", "It rains.", "stopped"]]);
  expect(shape(withTurn([], turn({ outcome: "stopped", said: null }), known))[0]).toEqual(["msg_0_in", "user", "The rain.", "stopped"]);
  expect(shape(withTurn([], over, known.slice(0, 1))).map(([id]) => id)).toEqual(["said-t-0-0", "msg_0"]);
});

test("what a browser fails with becomes what a person can do", () => {
  const named = (name: string) => faultOf(Object.assign(new Error(), { name }));
  expect(["NotAllowedError", "SecurityError", "NotFoundError", "OverconstrainedError", "NotReadableError", "AbortError", "TypeError"].map(named))
    .toEqual(["denied", "denied", "missing", "missing", "occupied", "occupied", "unsupported"]);
});

test("the water is still at its ends, higher with a louder voice, and never leaves its vessel", () => {
  const drawn = (level: number, time: number) => {
    const points: [number, number][] = [];
    ripple({ beginPath() {}, stroke() {}, lineTo: (x, y) => { points.push([x, y]); }, globalAlpha: 1, lineWidth: 1 }, { width: 300, height: 60, level, time });
    return points;
  };
  const swing = (level: number) => Math.max(...[0, 0.4, 0.9].flatMap((time) => drawn(level, time).map(([, y]) => Math.abs(y - 30))));
  for (const level of [0, 0.5, 1]) for (const [x, y] of drawn(level, 0.7)) {
    expect(Math.abs(y - 30)).toBeLessThan(29);
    if (x === 0 || x === 300) expect(y).toBeCloseTo(30, 5);
  }
  expect(swing(0)).toBeLessThan(swing(0.5));
  expect(swing(0.5)).toBeLessThan(swing(1));
  expect(settle(0, 1)).toBeGreaterThan(1 - settle(1, 0));
});
