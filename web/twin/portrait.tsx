// A twin's face: a flower that grows from its name, the same one everywhere, so that twins are told apart at a glance.
import { petal } from "../src/chat/petal";

/** Rounder than the mandala's. */
const round = (from: number, to: number, half: number) => petal(from, to, half, 0.55, 0.6);

/** FNV-1a, 32 bits (RFC 9923). */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  return state;
}

export function Portrait({ name, size }: { name: string; size: "small" | "large" }) {
  const seed = hash(name);
  const bits = (from: number, count: number) => (seed >>> from) & ((1 << count) - 1);
  const outer = 7 + bits(0, 3);
  const inner = 5 + bits(3, 2);
  const wide = 7 + bits(5, 3);
  const rings = [
    { count: outer * 2, path: round(26, 47, wide * 0.55), turn: 0, className: "far" },
    { count: outer, path: round(14, 38 + bits(8, 2), wide), turn: 180 / outer, className: "near" },
    { count: inner, path: round(4, 21, 6 + bits(10, 2)), turn: bits(12, 5), className: "heart" },
  ];
  return (
    <svg className="portrait" data-size={size} data-hue={bits(20, 2)} viewBox="-50 -50 100 100" aria-hidden="true">
      {rings.map(({ count, path, turn, className }) => (
        <g key={className} className={className}>
          {Array.from({ length: count }, (_, at) => <path key={at} d={path} transform={`rotate(${(360 / count) * at + turn})`} />)}
        </g>
      ))}
      <circle r="2.6" />
    </svg>
  );
}
