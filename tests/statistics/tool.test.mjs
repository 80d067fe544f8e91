// The statistics tool as a person uses it.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { program, stats } from "./tool.mjs";

let tool;
before(() => {
  tool = program();
});

const near = (seen, expected, digits = 6) => assert.ok(Math.abs(seen - expected) < 0.5 * 10 ** -digits, `${seen} is not ${expected}`);

test("proportions: the rates of the reference", () => {
  const { json } = stats(tool, ["proportions", "250", "1000", "300", "1000", "--planned", "5000"]);
  near(json.statistic, 2.503915);
  near(json.p, 0.0122827, 7);
  near(json.interval.lower, 0.010859);
  near(json.interval.upper, 0.088939);
  near(json.always_valid.interval.lower, -0.01228, 5);
  near(json.always_valid.interval.upper, 0.11228, 5);
  near(json.always_valid.p, 0.18696, 5);
});

test("means: treatment minus control, so the sign is the other one of scipy's", () => {
  const { json } = stats(tool, ["means", "5.0", "2.0", "600", "5.2", "2.5", "640"]);
  near(json.difference, 0.2);
  near(json.statistic, 1.560202);
  near(json.p, 0.118974);
  assert.ok(json.always_valid.interval.lower < json.interval.lower && json.interval.upper < json.always_valid.interval.upper);
  assert.equal(stats(tool, ["means", "-5", "2.0", "600", "-5.5", "2.5", "640"]).json.difference, -0.5);
});

test("srm: even arms are no mismatch, a share in two forms says the same", () => {
  const { json } = stats(tool, ["srm", "5000", "5100", "--expected", "0.5"]);
  near(json.p, 0.319718);
  assert.equal(json.always_valid.mismatch, false);
  assert.deepEqual(stats(tool, ["srm", "5000", "5100", "--expected=0.5,0.5"]).json, json);
  assert.equal(stats(tool, ["srm", "5000", "5600"]).json.always_valid.mismatch, true);
});

test("holm", () => {
  const { json } = stats(tool, ["holm", "0.01", "0.04", "0.03"]);
  assert.deepEqual(json.adjusted, [0.03, 0.06, 0.06]);
  assert.deepEqual(json.significant, [true, false, false]);
});

test("rows on standard input: names or none, CSV or JSON", () => {
  const csv = "arm,numerator,denominator\nb,40,4\nb,90,10\nb,12,1\ncontrol,20,2\ncontrol,33,3\ncontrol,48,4\n";
  const { json } = stats(tool, ["ratio"], csv);
  assert.equal(json.control.ratio, 101 / 9);
  assert.equal(json.treatment.ratio, 142 / 15);
  const lines = csv.trim().split("\n").slice(1).map((line) => line.split(","));
  const objects = lines.map(([arm, numerator, denominator]) => JSON.stringify({ denominator: Number(denominator), arm, numerator: Number(numerator) }));
  assert.deepEqual(stats(tool, ["ratio"], objects.join("\n")).json, json);
});

test("gates: a document in, a decision out", () => {
  const arm = (mean) => ({ sessions: 5000, satisfaction: { count: 5000, mean, variance: 0.0625 } });
  const document = { control: arm(0.7), treatment: arm(0.5), enrolled: [5000, 5000], crisis: { replay: { cases: 100, new_misses: 0 } } };
  const { json } = stats(tool, ["gates"], JSON.stringify(document));
  const verdicts = Object.fromEntries(json.gates.map(({ gate, verdict }) => [gate, verdict]));
  assert.deepEqual(verdicts, { latency_p95: "insufficient_data", crisis_detection: "pass", satisfaction: "fail", cost_per_turn: "insufficient_data" });
  assert.equal(json.promotion.next, "roll_back");
  assert.deepEqual(json.demotion, { demote: true, reasons: [{ reason: "gate_failed", gate: "satisfaction" }] });
});

for (const [what, args, input, said] of [
  ["no command", [], "", /a command is needed/],
  ["an unknown command", ["anova"], "", /no command "anova"/],
  ["too few numbers", ["proportions", "1", "2", "3"], "", /takes 4 numbers \(SUCCESSES TRIALS SUCCESSES TRIALS\), not 3/],
  ["a word for a number", ["means", "5", "2", "600", "x", "2", "640"], "", /"x" is not a number/],
  ["half a trial", ["proportions", "1", "2.5", "3", "4"], "", /"2.5" is not a whole number/],
  ["more successes than trials", ["proportions", "9", "2", "3", "4"], "", /at most the number of trials/],
  ["nothing varies", ["proportions", "0", "10", "0", "10"], "", /do not vary/],
  ["alpha out of range", ["proportions", "1", "10", "3", "10", "--alpha", "1.5"], "", /alpha must be between 0 and 1/],
  ["an option without a value", ["proportions", "1", "10", "3", "10", "--planned"], "", /--planned needs a value/],
  ["an unknown option", ["holm", "0.1", "--planned", "5"], "", /holm has no option --planned/],
  ["not a number at all", ["means", "nan", "2", "600", "5", "2", "640"], "", /mean must be a finite number/],
  ["a negative deviation", ["means", "5", "-2", "600", "5", "2", "640"], "", /at least 0/],
  ["no rows", ["ratio"], "", /rows are needed/],
  ["a short row", ["ratio"], "a,1,2\na,1\n", /line 2: 3 fields are needed/],
  ["one arm", ["ratio"], "a,1,2\na,3,2\n", /two arms are needed, not 1/],
  ["not a document", ["gates"], "{}", /missing field/],
]) {
  test(`bad input: ${what}`, () => {
    const done = stats(tool, args, input);
    assert.equal(done.status, 2);
    assert.equal(done.stdout, "");
    assert.match(done.stderr.split("\n")[0], said);
    assert.match(done.stderr, /usage: stats COMMAND/);
  });
}

test("help", () => {
  for (const args of [["--help"], ["proportions", "--help"]]) {
    const done = stats(tool, args);
    assert.equal(done.status, 0);
    assert.match(done.stdout, /^usage: stats COMMAND/);
    assert.equal(done.stderr, "");
  }
});
