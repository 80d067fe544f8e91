// The presence: a mandala of fine lines, or an orb, that breathes, opens while it listens, turns while it thinks and
// ripples while it speaks. Each ring is a layer of its own, so that a slow phone only has to turn finished pictures.
import { memo } from "react";
import { usePresence } from "../presence";
import { useUi } from "../variants";
import { petal } from "./petal";

const RINGS = [
  { petals: 24, path: petal(36, 48, 3.2), dot: 49 },
  { petals: 16, path: petal(24, 42, 5.4) },
  { petals: 12, path: petal(13, 33, 5.2) },
  { petals: 8, path: petal(4, 20, 4.6) },
];

const Mandala = memo(function Mandala() {
  return RINGS.map(({ petals, path, dot }) => (
    <div key={petals} className="ring" data-petals={petals}>
      <svg viewBox="-50 -50 100 100">
        {Array.from({ length: petals }, (_, at) => (
          <g key={at} transform={`rotate(${(360 / petals) * at})`}>
            <path d={path} />
            {dot && <circle cy={-dot} r=".7" transform={`rotate(${180 / petals})`} />}
          </g>
        ))}
      </svg>
    </div>
  ));
});

/** The face of this session's variant; nothing where it has none. */
export function Face({ size, still = false }: { size: "large" | "margin" | "small"; still?: boolean }) {
  const { face } = useUi();
  const presence = usePresence();
  if (face === "none") return null;
  return (
    <div className="face" data-face={face} data-size={size} data-state={still ? "idle" : presence} aria-hidden="true">
      <div className="ripples"><i /><i /><i /></div>
      <div className="glow" />
      {face === "on" ? <Mandala /> : <div className="orb" />}
      <div className="heart" />
    </div>
  );
}
