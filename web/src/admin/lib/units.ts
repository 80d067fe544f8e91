// How a comparison's figures are read: relative or absolute, and which way is better (docs/statistics.md).
import { percent, score, signedPercent, signedScore } from "./format";

interface Unit { isRelative: boolean; better: "up" | "down" | null; format: (value: number | null) => string; limit: (value: number) => string }

const relative = (better: "up" | "down"): Unit => ({ isRelative: true, better, format: signedPercent, limit: signedPercent });
const share = (better: "up" | "down" | null): Unit => ({ isRelative: false, better, format: (value) => signedPercent(value, 2).replace(" %", " pp"), limit: (value) => percent(value) });
const rating: Unit = { isRelative: false, better: "up", format: signedScore, limit: (value) => (value < 0 ? signedScore(value) : score(value)) };

/** Latencies and costs are compared relative to control, rates in percentage points, satisfaction on its scale of 0 to 1. */
export function unitOf(metric: string): Unit {
  if (/latency|ttft|cost|tokens/.test(metric)) return relative("down");
  if (/satisfaction|rating/.test(metric)) return rating;
  if (/return/.test(metric)) return share("up");
  if (/error/.test(metric)) return share("down");
  if (/crisis_detection/.test(metric)) return share("up");
  return share(null);
}
