import type { Camera, PictureSpace, Point } from './camera.js';
import { pointVariance } from './homography.js';
import { PITCH_POINTS } from './pitch.js';
import type { Sample } from './sample.js';

export type PairPx = readonly [number, number];

const HIDDEN: PairPx = [0, 0];

/** 32 × [0, 0]. */
export const NO_KEY_POINTS: readonly PairPx[] = PITCH_POINTS.map(() => HIDDEN);

/** A key point whose place is less certain than this (standard deviation, share of the diagonal) is left out. Chosen: what callers count as hit. */
const LEAST_CERTAIN = 0.01;
/** How far outside the picture certainty is looked at, half picture widths: what a camera may bring in before the next sample. */
const MARGIN = 0.6;
/** Score from which a key point is shown where no pitch geometry confirms it. Measured: reference/models/README, 1.2 % false at .35. */
const LEAST_RAW_SCORE = 0.35;

/** The key points of one sample on its ground, metres. */
export interface GroundPoints {
  /** float64 [32, 2] */
  readonly xy: Float64Array;
  /** uint8 [32]: 1 = known well enough to be shown. */
  readonly known: Uint8Array;
}

const PITCH_XY = Float64Array.from(PITCH_POINTS.flat());

/** Where the pitch was recognised: all points that the camera knows well enough, in the picture or a little outside. Elsewhere: what the model saw. */
export function groundPoints(sample: Sample, camera: Camera, recognised: boolean, space: PictureSpace): GroundPoints {
  return recognised ? { xy: PITCH_XY, known: certain(camera, space) } : seen(sample, camera, space);
}

function certain(camera: Camera, space: PictureSpace): Uint8Array {
  const limit = (LEAST_CERTAIN * Math.hypot(2, 2 * space.bottom)) ** 2;
  const point: Point = { x: 0, y: 0 };
  return Uint8Array.from(PITCH_POINTS, ([x, y]) => {
    if (!camera.toPicture(x, y, point) || !space.contains(point.x, point.y, MARGIN)) return 0;
    if (!camera.covariance) return 1;
    const [across, down] = pointVariance(camera.covariance, point.x, point.y);
    return across + down <= limit ? 1 : 0;
  });
}

function seen(sample: Sample, camera: Camera, space: PictureSpace): GroundPoints {
  const xy = new Float64Array(64);
  const known = new Uint8Array(32);
  const point: Point = { x: 0, y: 0 };
  sample.finding.keyPoints.forEach(({ xPx, yPx, score }, k) => {
    if (k >= 32 || score < LEAST_RAW_SCORE || !camera.toGround(space.u(xPx), space.v(yPx), point)) return;
    known[k] = 1;
    xy[k * 2] = point.x;
    xy[k * 2 + 1] = point.y;
  });
  return { xy, known };
}

/**
 * The key points as a camera sees them, pixels of the original: those inside the picture, [0, 0] for the others. Between two
 * samples (`share` of the way from one to the other) what both know lies between, what one knows is shown in its half.
 */
export function projectKeyPoints(
  camera: Camera,
  from: GroundPoints,
  to: GroundPoints,
  share: number,
  space: PictureSpace,
): readonly PairPx[] {
  const point: Point = { x: 0, y: 0 };
  const pairs: PairPx[] = [];
  for (let k = 0; k < 32; k++) {
    const both = from.known[k] === 1 && to.known[k] === 1;
    const at = both ? share : share < 0.5 ? 0 : 1;
    let shown = both || (at === 0 ? from : to).known[k] === 1;
    if (shown) {
      const x = (1 - at) * from.xy[k * 2] + at * to.xy[k * 2];
      const y = (1 - at) * from.xy[k * 2 + 1] + at * to.xy[k * 2 + 1];
      shown = camera.toPicture(x, y, point) && space.contains(point.x, point.y);
    }
    pairs.push(shown ? [space.xPx(point.x), space.yPx(point.y)] : HIDDEN);
  }
  return pairs;
}
