import type { AnswerFrame } from './answer.js';
import { fitHomography } from './homography.js';
import { PITCH_POINTS } from './pitch.js';
import { PITCH_MARKINGS } from './pitch-markings.js';

/** Where the pitch lies in one picture. Points are [x, y]; metres as on the real pitch, pixels of the picture. */
export interface PitchProjection {
  /** The pitch's lines in the picture, cut where they leave the view. */
  readonly lines: readonly (readonly (readonly [xPx: number, yPx: number])[])[];
  /** The place on the ground that the picture shows at a pixel; undefined above the horizon. */
  toPitch(xPx: number, yPx: number): readonly [xM: number, yM: number] | undefined;
}

/** Share of the diagonal within which a key point agrees with the pitch; the labels' own noise is .12 % (models/README). */
const TOLERANCE = 0.01;

/** Fits the pitch to a frame's key points; undefined where they are too few or do not agree. */
export function projectPitch({ keyPoints }: AnswerFrame, diagonalPx: number): PitchProjection | undefined {
  const seen = keyPoints.flatMap(([xPx, yPx], i) => {
    const place = PITCH_POINTS[i];
    return place && (xPx !== 0 || yPx !== 0) ? [{ xPx, yPx, place }] : [];
  });
  const pairs = {
    fromX: Float64Array.from(seen, ({ place }) => place[0]),
    fromY: Float64Array.from(seen, ({ place }) => place[1]),
    toX: Float64Array.from(seen, ({ xPx }) => xPx),
    toY: Float64Array.from(seen, ({ yPx }) => yPx),
    weight: new Float64Array(seen.length).fill(1),
  };
  const fit = fitHomography(pairs, { tolerance: TOLERANCE * diagonalPx });
  const [first] = seen;
  if (!fit || !first) return undefined;
  // What lies behind the camera has the other sign of depth than what is seen.
  const facing = Math.sign(apply(fit.map, first.place[0], first.place[1]).depth);
  const facingBack = Math.sign(apply(fit.inverse, first.xPx, first.yPx).depth);
  const lines = PITCH_MARKINGS.flatMap((line) => {
    const runs: (readonly [number, number])[][] = [[]];
    for (const [x, y] of line) {
      const p = apply(fit.map, x, y);
      const inView = p.depth * facing > 0 && Math.hypot(p.x, p.y) < 4 * diagonalPx;
      if (inView) runs.at(-1)?.push([p.x, p.y]);
      else runs.push([]);
    }
    return runs.filter((run) => run.length > 1);
  });
  return {
    lines,
    toPitch(xPx, yPx) {
      const p = apply(fit.inverse, xPx, yPx);
      return p.depth * facingBack > 0 ? [p.x, p.y] : undefined;
    },
  };
}

/** A plane map, 3 × 3 rows first, on the point (x, y, 1). */
function apply(map: Float64Array, x: number, y: number) {
  const at = (row: number): number => (map[row] ?? 0) * x + (map[row + 1] ?? 0) * y + (map[row + 2] ?? 0);
  const depth = at(6);
  return { x: at(0) / depth, y: at(3) / depth, depth };
}
