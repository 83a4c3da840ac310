import type { PictureSpace } from './camera.js';
import { ACCELERATION, displacement } from './camera-track.js';
import type { HomographyFit } from './homography.js';
import { log, type Motion, multiply } from './mat3.js';
import type { Sample } from './sample.js';

/** How far two good fits of one picture may lie apart, half picture widths. Measured on rendered clips: wrong ones lie more than 0.25 off. */
const FIT_SPREAD = 0.15;
/** How much faster than `ACCELERATION` a fit may say that the camera turned before it is doubted. Measured on rendered clips, with `FIT_SPREAD`. */
const LEEWAY = 3;
/** Pairs of neighbours that must have been asked before one's word is doubted. */
const LEAST_PAIRS = 2;

/**
 * Whether the neighbours contradict the first sample's fit of the pitch (see `steadyingSamples`): no pair of them, one on each
 * side, sees the camera pass where the fit puts it. Mirrored and half-seen pitches give such fits; one of them bends a second of the answer.
 */
export function isOutvoted([{ fit, timeS }, ...neighbours]: readonly Sample[], space: PictureSpace): boolean {
  if (!fit) return false;
  const before = neighbours.filter((sample) => sample.timeS < timeS);
  const after = neighbours.filter((sample) => sample.timeS > timeS);
  let pairs = 0;
  for (const from of before) {
    for (const to of after) {
      const whole = motionOf(from.fit, to.fit);
      if (!whole) continue;
      const motion = motionOf(from.fit, fit);
      const [sinceS, untilS] = [timeS - from.timeS, to.timeS - timeS];
      const share = sinceS / (sinceS + untilS);
      const apart = motion && Float64Array.from(whole, (way, k) => motion[k] - share * way);
      const spread = FIT_SPREAD + 0.5 * LEEWAY * ACCELERATION * sinceS * untilS;
      if (apart && displacement(apart, space) <= spread) return false;
      pairs++;
    }
  }
  return pairs >= LEAST_PAIRS;
}

const motionOf = (from: HomographyFit | undefined, to: HomographyFit | undefined): Motion | undefined =>
  from && to && log(multiply(to.map, from.inverse));
