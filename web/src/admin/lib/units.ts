// How a comparison's figures are read: relative or absolute, and which way is better (docs/statistics.md).
import { percent, score, signedMoney, signedPercent, signedScore } from "./format";

interface Unit { isRelative: boolean; better: "up" | "down" | null; format: (value: number | null) => string; limit: (value: number) => string }

const relative = (better: "up" | "down"): Unit => ({ isRelative: true, better, format: signedPercent, limit: signedPercent });
const share = (better: "up" | "down" | null): Unit => ({ isRelative: false, better, format: (value) => signedPercent(value, 2).replace(" %", " pp"), limit: (value) => percent(value) });
const rating: Unit = { isRelative: false, better: "up", format: signedScore, limit: (value) => (value < 0 ? signedScore(value) : score(value)) };

const amount: Unit = { isRelative: false, better: "down", format: signedMoney, limit: signedMoney };
const plainNumber: Unit = { isRelative: false, better: null, format: signedScore, limit: signedScore };

/**
 * The p95 of latency and the gate of cost are relative to control, what is named in micros is money, rates are percentage points,
 * satisfaction is on its scale of 0 to 1.
 */
export function unitOf(metric: string): Unit {
  if (/_micros$/.test(metric)) return amount;
  if (/latency|ttft|cost|tokens/.test(metric)) return relative("down");
  if (/satisfaction|rating/.test(metric)) return rating;
  if (/return/.test(metric)) return share("up");
  if (/error/.test(metric)) return share("down");
  if (/crisis_detection/.test(metric)) return share("up");
  return /_rate$/.test(metric) ? share(null) : plainNumber;
}
