// How a comparison's figures are read, and which way is better (docs/statistics.md).
import { signedMoney, signedPercent, signedScore } from "./format";

interface Unit { better: "up" | "down" | null; format: (value: number | null) => string }

const relative: Unit = { better: "down", format: signedPercent };
const share = (better: Unit["better"]): Unit => ({ better, format: (value) => signedPercent(value, 2).replace(" %", " pp") });
const amount: Unit = { better: "down", format: signedMoney };
const plain = (better: Unit["better"]): Unit => ({ better, format: signedScore });

/**
 * The p95 of latency and the gate of cost are relative to control, what is named in micros is money, rates are percentage points,
 * satisfaction is on its scale of 0 to 1.
 */
export function unitOf(metric: string): Unit {
  if (/_micros$/.test(metric)) return amount;
  if (/latency|ttft|cost|tokens/.test(metric)) return relative;
  if (/satisfaction|rating/.test(metric)) return plain("up");
  if (/return|crisis_detection/.test(metric)) return share("up");
  if (/error/.test(metric)) return share("down");
  return /_rate$/.test(metric) ? share(null) : plain(null);
}
