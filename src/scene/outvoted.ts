import type { PictureSpace } from './camera.js';
import { ACCELERATION, displacement } from './camera-track.js';
import type { HomographyFit } from './homography.js';
import { log, MOTION_SIZE, type Motion, multiply } from './mat3.js';
import type { Sample } from './sample.js';

/** How far two good fits of one picture may lie apart, half picture widths. Measured on rendered clips: wrong ones lie more than 0.25 off. */
const FIT_SPREAD = 0.15;
/** Pairs of neighbours that must have been asked before one's word is doubted. */
const LEAST_PAIRS = 2;

/**
 * Whether the neighbours contradict the first sample's fit of the pitch (see `steadyingSamples`): no pair of them, one on each side, sees the camera pass where the
 * fit puts it. Mirrored and half-seen pitches give such fits; one of them bends a second of the answer.
 */
export function isOutvoted([own, ...neighbours]: readonly Sample[], space: PictureSpace): boolean {
  const { fit, timeS } = own;
  if (!fit) return false;
  const before = neighbours.filter((sample) => sample.timeS < timeS);
  const after = neighbours.filter((sample) => sample.timeS > timeS);
  let pairs = 0;
  for (const from of before) {
    for (const to of after) {
      const whole = motionOf(from.fit, to.fit);
      if (!whole) continue;
      const own = motionOf(from.fit, fit);
      const [sinceS, untilS] = [timeS - from.timeS, to.timeS - timeS];
      const share = sinceS / (sinceS + untilS);
      const apart = own && Float64Array.from({ length: MOTION_SIZE }, (_, k) => own[k] - share * whole[k]);
      if (apart && displacement(apart, space) <= FIT_SPREAD + 1.5 * ACCELERATION * sinceS * untilS) return false;
      pairs++;
    }
  }
  return pairs >= LEAST_PAIRS;
}

const motionOf = (from: HomographyFit | undefined, to: HomographyFit | undefined): Motion | undefined =>
  from && to && log(multiply(to.map, from.inverse));
