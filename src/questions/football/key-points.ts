import type { Camera, PictureSpace, Point } from './camera.js';
import { pointVariance } from './homography.js';
import type { FramePacker } from './packed-frame.js';
import { PITCH_POINTS } from './pitch.js';
import type { Sample } from './sample.js';

/** A key point whose place is less certain than this (standard deviation, share of the diagonal) is left out. Chosen: what callers count as hit. */
const LEAST_CERTAIN = 0.01;
/** How far outside the picture certainty is looked at, half picture widths: what a camera may bring in before the next sample. */
const MARGIN = 0.6;
/** Score from which a key point is shown where no pitch geometry confirms it. Measured: docs/measurements.md "The pitch", 1.2 % false at .35. */
export const LEAST_RAW_SCORE = 0.35;

/** The key points of one sample on its ground, metres. */
export interface GroundPoints {
  /** float64 [32, 2] */
  readonly xy: Float64Array;
  /** uint8 [32]: 1 = known well enough to be shown. */
  readonly known: Uint8Array;
}

const PITCH_XY = Float64Array.from(PITCH_POINTS.flat());

export interface GroundPointsOptions {
  readonly sample: Sample;
  readonly camera: Camera;
  /** Whether the camera comes from key points, of this sample or its neighbours. */
  readonly recognised: boolean;
  readonly space: PictureSpace;
}

/** Where the pitch was recognised: all points that the camera knows well enough, in the picture or a little outside. Elsewhere: what the model saw. */
export function groundPoints({ sample, camera, recognised, space }: GroundPointsOptions): GroundPoints {
  return recognised ? { xy: PITCH_XY, known: certain(camera, space) } : seen(sample, camera);
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

function seen({ keyPoints }: Sample, camera: Camera): GroundPoints {
  const xy = new Float64Array(64);
  const known = new Uint8Array(32);
  const point: Point = { x: 0, y: 0 };
  for (let k = 0; k * 3 < keyPoints.length; k++) {
    const [u, v, score] = keyPoints.subarray(k * 3);
    if (score < LEAST_RAW_SCORE || !camera.toGround(u, v, point)) continue;
    known[k] = 1;
    xy[k * 2] = point.x;
    xy[k * 2 + 1] = point.y;
  }
  return { xy, known };
}

export interface ProjectOptions {
  readonly camera: Camera;
  readonly from: GroundPoints;
  readonly to: GroundPoints;
  /** Part of the way from one to the other, 0..1. */
  readonly share: number;
  readonly space: PictureSpace;
  readonly into: FramePacker;
}

/**
 * Gives `into` the key points as a camera sees them: those inside the picture. Between two samples what both know lies between,
 * what one knows is shown in its half.
 */
export function projectKeyPoints({ camera, from, to, share, space, into }: ProjectOptions): void {
  const point: Point = { x: 0, y: 0 };
  for (let k = 0; k < 32; k++) {
    const both = from.known[k] === 1 && to.known[k] === 1;
    const at = both ? share : share < 0.5 ? 0 : 1;
    if (!both && (at === 0 ? from : to).known[k] !== 1) continue;
    const x = (1 - at) * from.xy[k * 2] + at * to.xy[k * 2];
    const y = (1 - at) * from.xy[k * 2 + 1] + at * to.xy[k * 2 + 1];
    if (camera.toPicture(x, y, point) && space.contains(point.x, point.y)) {
      into.addKeyPoint(k, space.xPx(point.x), space.yPx(point.y));
    }
  }
}
