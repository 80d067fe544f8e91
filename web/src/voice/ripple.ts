// How a level looks: three lines on still water, which swell in the middle.

/** One line: how many waves, how fast (turns a second; the sign is the direction), how high and how clear beside the others. */
const LINES = [
  { waves: 2.1, speed: 0.32, height: 1, alpha: 1 },
  { waves: 3.3, speed: -0.24, height: 0.66, alpha: 0.5 },
  { waves: 4.7, speed: 0.41, height: 0.42, alpha: 0.28 },
] as const;
const STEP_PX = 3;
/** Of the height, where nobody speaks. */
const STILL = 0.05;

/** The level to show next: it rises with a voice and sinks slowly after it. */
export const settle = (shown: number, level: number) => shown + (level - shown) * (level > shown ? 0.45 : 0.12);

type Pen = Pick<CanvasRenderingContext2D, "beginPath" | "lineTo" | "stroke" | "globalAlpha" | "lineWidth">;

/** `level` is 0 to 1, `time` seconds. */
export function ripple(pen: Pen, { width, height, level, time }: { width: number; height: number; level: number; time: number }) {
  for (const line of LINES) {
    pen.beginPath();
    for (let x = 0; x <= width; x += STEP_PX) {
      const across = x / width;
      // Still at both ends.
      const shore = Math.sin(Math.PI * across) ** 2;
      const wave = Math.sin(2 * Math.PI * (line.waves * across - line.speed * time));
      pen.lineTo(x, height / 2 + wave * shore * line.height * (STILL + (0.46 - STILL) * level) * height);
    }
    pen.globalAlpha = line.alpha;
    pen.lineWidth = line.alpha === 1 ? 1.6 : 1.1;
    pen.stroke();
  }
}
