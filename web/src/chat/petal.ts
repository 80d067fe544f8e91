/**
 * One petal from radius `from` to `to` (of 50), `half` wide at its widest; `widest` is where along it that is, `tip` how
 * much of the width is left near its end.
 */
export function petal(from: number, to: number, half: number, widest = 0.58, tip = 0.7): string {
  const middle = from + (to - from) * widest;
  return `M0 ${-from}C${half} ${-middle} ${half * tip} ${-to + 2} 0 ${-to}C${-half * tip} ${-to + 2} ${-half} ${-middle} 0 ${-from}Z`;
}
