import assert from "node:assert/strict";
import { test } from "node:test";
import { check } from "./client.mjs";
import { BEGINS, answer, asked, message, tokens } from "./script.mjs";

const event = (value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
const chunk = (delta, finish_reason = null) => event({ choices: [{ index: 0, delta, finish_reason }] });
const usage = event({ choices: [], usage: { completion_tokens: 20 } });
const all = (list) => ({ status: 200, text: list.join("") });
const stream = [chunk({ role: "assistant", content: "" }), ...tokens(20).map((content) => chunk({ content })), chunk({}, "stop"), usage, event("[DONE]")];
const without = (list, at) => list.filter((_, index) => index !== at);
const wrong = (form, got) => assert.throws(() => check(form, got, 20), /a wrong answer/);

test("a message says what the model shall do, and an answer is recognised by its first token", () => {
  assert.deepEqual(asked(message({ first: 20, words: 200 })), { first: 20, words: 200 });
  assert.equal(asked("hello"), null);
  assert.equal(tokens(200).length, 200);
  assert.ok(!BEGINS.test(stream[0]) && BEGINS.test(stream[1]) && !BEGINS.test(stream[2]));
  assert.ok(BEGINS.test('data: {"type":"text-delta","id":"t0","delta":"Let us"}') && BEGINS.test('{"content": "Let"}'));
});

test("a stream counts only whole: every token once and in order, its reason, its end", () => {
  check("stream", all(stream), 20);
  check("stream", all(stream.map((line) => line.replace("\n\n", "\r\n\r\n"))), 20);
  for (const at of [1, 7, 20, 21, 23]) wrong("stream", all(without(stream, at)));
  wrong("stream", all([...stream.slice(0, 3), stream[2], ...stream.slice(3)]));
  wrong("stream", all(stream.toSpliced(21, 1, chunk({}, "length"))));
  wrong("stream", all(stream.toSpliced(5, 0, "data: {oops\n\n")));
  wrong("stream", { ...all(stream), status: 500 });
});

test("a whole answer and a turn are held to the same", () => {
  const whole = (content, finish_reason = "stop") => all([JSON.stringify({ choices: [{ message: { content }, finish_reason }] })]);
  check("whole", whole(answer(20)), 20);
  for (const got of [whole(answer(19)), whole(`${answer(20)} `), whole(answer(20), "length"), all(["{}"])]) wrong("whole", got);
  const turn = [...[0, 1].map((at) => event({ type: "text-delta", delta: tokens(20).slice(at * 12, at * 12 + 12).join("") })),
    event({ type: "finish", finishReason: "stop" }), event("[DONE]")];
  check("turn", all(turn), 20);
  for (const at of [0, 1, 2, 3]) wrong("turn", all(without(turn, at)));
});
