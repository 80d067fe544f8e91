import assert from "node:assert/strict";
import { test } from "node:test";
import { added, median, perChunk, percentile, sectionOf, table, withSection } from "./figures.mjs";

test("a percentile is one of the samples, by nearest rank", () => {
  // The example of "nearest rank" in Wikipedia's "Percentile".
  const samples = [50, 15, 40, 20, 35];
  assert.deepEqual([0.05, 0.3, 0.4, 0.5, 1].map((share) => percentile(samples, share)), [15, 20, 20, 35, 50]);
  assert.equal(median([4, 1]), 1);
  assert.deepEqual(samples, [50, 15, 40, 20, 35]);
  const sixty = Array.from({ length: 60 }, (_, at) => at);
  assert.equal(percentile(sixty, 0.99), 59);
});

test("a disturbed round does not decide what is added", () => {
  const base = [[1, 1, 2], [1, 1, 2], [50, 60, 70]];
  const rounds = [[3, 4, 5], [3, 3, 9], [500, 600, 700]];
  assert.equal(added(rounds, base, 0.5), 3);
  assert.equal(added(rounds, base, 1), 7);
  // Slow as a whole: the difference within the round counts, not that to a faster round.
  assert.equal(added([[11], [3], [3]], [[10], [1], [1]], 0.5), 2);
});

test("what a chunk costs is the slope, not the share", () => {
  assert.equal(perChunk({ cost: 3, chunks: 20 }, { cost: 12, chunks: 200 }), 0.05);
});

test("columns of numbers are set right", () => {
  assert.equal(table(["who", "ms", "note"], [["a", "+1.0", "7 of 8"], ["b", "", "none"]]),
    "| who | ms | note |\n| --- | ---: | --- |\n| a | +1.0 | 7 of 8 |\n| b |  | none |");
});

test("a section is put in its own place and nothing else changes", () => {
  const page = "# Page\nintro\n\n## One\na\n\n### deeper\nb\n\n## Two\nc\n";
  assert.equal(sectionOf(page, "## One"), "## One\na\n\n### deeper\nb\n\n");
  assert.equal(sectionOf(page, "## On"), "");
  assert.equal(withSection(page, "## One", "## One\nnew\n"), "# Page\nintro\n\n## One\nnew\n\n## Two\nc\n");
  assert.equal(withSection(page, "## Three", "## Three\nd\n"), `${page}\n## Three\nd\n`);
  for (const heading of ["## One", "## Two", "## Three"]) {
    const once = withSection(page, heading, `${heading}\nx\n`);
    assert.equal(withSection(once, heading, sectionOf(once, heading)), once);
  }
  assert.equal(withSection(page, "## Two", ""), "# Page\nintro\n\n## One\na\n\n### deeper\nb\n");
  assert.equal(withSection(page, "## Three", ""), page);
});
