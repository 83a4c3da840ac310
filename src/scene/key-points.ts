import type { Camera, PictureSpace, Point } from './camera.js';
import { pointVariance } from './homography.js';
import { PITCH_POINTS } from './pitch.js';

export type PairPx = readonly [number, number];

/** 32 × [0, 0]. */
export const NO_KEY_POINTS: readonly PairPx[] = PITCH_POINTS.map(() => [0, 0]);

/** A key point whose place is less certain than this (standard deviation, share of the diagonal) is left out. Chosen: what callers count as hit. */
const LEAST_CERTAIN = 0.01;
/** How far outside the picture certainty is looked at, half picture widths: what a camera may bring in before the next sample. */
const MARGIN = 0.6;

/** uint8 [32]: 1 = the camera knows well enough where this key point is, in the picture or a little outside. */
export function certainKeyPoints(camera: Camera, space: PictureSpace): Uint8Array {
  const limit = (LEAST_CERTAIN * Math.hypot(2, 2 * space.bottom)) ** 2;
  const point: Point = { x: 0, y: 0 };
  return Uint8Array.from(PITCH_POINTS, ([x, y]) => {
    if (!camera.onPitch || !camera.toPicture(x, y, point) || !space.contains(point.x, point.y, MARGIN)) return 0;
    if (!camera.covariance) return 1;
    const [across, down] = pointVariance(camera.covariance, point.x, point.y);
    return across + down <= limit ? 1 : 0;
  });
}

/** The key points as the camera sees them, pixels of the original: those that are certain and inside the picture, [0, 0] for the others. */
export function projectKeyPoints(camera: Camera, certain: Uint8Array, space: PictureSpace): readonly PairPx[] {
  const point: Point = { x: 0, y: 0 };
  return PITCH_POINTS.map(([x, y], k): PairPx => {
    const seen = certain[k] === 1 && camera.toPicture(x, y, point) && space.contains(point.x, point.y);
    return seen ? [space.xPx(point.x), space.yPx(point.y)] : [0, 0];
  });
}
