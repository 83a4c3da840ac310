import type { Looks } from './likeness.js';
import type { Station, Tracklet } from './tracklets.js';

/** How long a runner keeps the direction, s. */
const PERSISTENCE_S = 1;
/** Spread of the change of speed, m/s². Players reach 4–6 at most, for an instant. */
const ACCELERATION_SPREAD = 2.2;
/** Spread of the speed of somebody out of sight for long, m/s: below the momentary spread, since people turn round. */
const WANDERING = 1.5;
const SPEED_SPREAD = 2.6;
/** Strangers per m² who might appear. Chosen: about five unknown persons on a pitch. */
const LOG_DENSITY = Math.log(2 * Math.PI * 0.001);
/** Time over which the speed at an end is taken, s: over one frame it is mostly the noise of the boxes. */
const SPEED_S = 0.3;
/** Sights at an end from which its looks are taken. */
const LOOKS = 12;

/** State of a tracklet at one of its ends. */
export interface End extends Looks {
  readonly tracklet: Tracklet;
  readonly sample: number;
  readonly timeS: number;
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly xy: number;
  readonly yy: number;
  /** m/s, forward in time; 0 where unknown. */
  readonly speedX: number;
  readonly speedY: number;
  readonly speedVariance: number;
}

/** The first (`inward` 1) or the last (−1) end of a tracklet. */
export function describeEnd(shot: readonly Station[], tracklet: Tracklet, inward: 1 | -1): End {
  const at = inward > 0 ? 0 : tracklet.samples.length - 1;
  const { samples, bodies } = tracklet;
  const { timeS, places } = shot[samples[at]];
  const i = bodies[at];
  let other = at;
  const limit = inward > 0 ? samples.length - 1 : 0;
  while (other !== limit && Math.abs(shot[samples[other]].timeS - timeS) < SPEED_S) other += inward;
  const far = shot[samples[other]];
  const j = bodies[other];
  const spanS = timeS - far.timeS;
  const known = other !== at;
  const placesVariance = (places.xx[i] + places.yy[i] + far.places.xx[j] + far.places.yy[j]) / 2;
  const { roles, kit, heightM } = looksOf(shot, tracklet, inward);
  return {
    roles,
    kit,
    heightM,
    tracklet,
    sample: samples[at],
    timeS,
    x: places.x[i],
    y: places.y[i],
    xx: places.xx[i],
    xy: places.xy[i],
    yy: places.yy[i],
    speedX: known ? (places.x[i] - far.places.x[j]) / spanS : 0,
    speedY: known ? (places.y[i] - far.places.y[j]) / spanS : 0,
    speedVariance: known
      ? Math.min(SPEED_SPREAD ** 2, placesVariance / (spanS * spanS) + (0.5 * ACCELERATION_SPREAD * spanS) ** 2)
      : SPEED_SPREAD ** 2,
  };
}

/** Mean looks of the sights nearest to an end, of this tracklet and those joined with it. */
function looksOf(shot: readonly Station[], tracklet: Tracklet, inward: 1 | -1): Looks {
  const roles: [number, number, number] = [0, 0, 0];
  const kit: [number, number, number] = [0, 0, 0];
  let heightM = 0;
  let weight = 0;
  let known = false;
  let count = 0;
  for (
    let part: Tracklet | undefined = tracklet;
    part && count < LOOKS;
    part = inward > 0 ? part.next : part.previous
  ) {
    const { samples, bodies } = part;
    const end = inward > 0 ? samples.length : -1;
    for (let n = inward > 0 ? 0 : samples.length - 1; n !== end && count < LOOKS; n += inward, count++) {
      const { bodies: seen, places } = shot[samples[n]];
      const i = bodies[n];
      const score = seen.score[i];
      weight += score;
      heightM += score * places.heightM[i];
      for (let c = 0; c < 3; c++) roles[c] += score * seen.roles[i * 3 + c];
      known = seen.kits.length > 0;
      for (let c = 0; known && c < 3; c++) kit[c] += score * seen.kits[i * 3 + c];
    }
  }
  for (let c = 0; c < 3; c++) {
    roles[c] /= weight;
    kit[c] /= weight;
  }
  return { roles, kit: known ? kit : undefined, heightM: heightM / weight };
}

/** Log odds of the way from an end to a start for somebody who keeps running for a moment and then wanders. */
export function runOdds(end: End, start: End, spanS: number): number {
  const reach = PERSISTENCE_S * (1 - Math.exp(-spanS / PERSISTENCE_S));
  const drift = Math.min((0.5 * ACCELERATION_SPREAD * spanS * spanS) ** 2, (WANDERING * spanS) ** 2);
  const square = reach * reach;
  const forward = stepOdds(end, start, end.speedX * reach, end.speedY * reach, drift + end.speedVariance * square);
  const backward = stepOdds(
    end,
    start,
    start.speedX * reach,
    start.speedY * reach,
    drift + start.speedVariance * square,
  );
  return (forward + backward) / 2;
}

/** Log density of the step from an end to a start around an expected step, over the density of strangers. */
export function stepOdds(end: End, start: End, stepX: number, stepY: number, spread: number): number {
  const dx = start.x - end.x - stepX;
  const dy = start.y - end.y - stepY;
  const xx = end.xx + start.xx + spread;
  const xy = end.xy + start.xy;
  const yy = end.yy + start.yy + spread;
  const det = xx * yy - xy * xy;
  return -0.5 * ((yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det + Math.log(det)) - LOG_DENSITY;
}
