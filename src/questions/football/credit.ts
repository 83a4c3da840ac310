import type { PictureSpace, Point } from './camera.js';
import type { Surroundings } from './surroundings.js';
import type { Station } from './tracklets.js';
import type { Track } from './tracks.js';

/** Samples up to this far away, s, speak for or against somebody being there. Chosen: about the length of an occlusion. */
export const CREDIT_WINDOW_S = 0.6;
/** Weight of samples before the first and behind the last sight: not being seen there may be true. */
const OUTSIDE = 0.5;

export interface CreditOptions {
  readonly shot: readonly Station[];
  readonly track: Track;
  /** Of the shot, within `CREDIT_WINDOW_S`. */
  readonly around: Surroundings;
  readonly space: PictureSpace;
}

/**
 * How sure each sample makes it that the person of a track is there, 0..1: mean score over the samples around it, a sample that
 * should show the person and does not counting 0. One lucky box among many empty samples gets little, a person who is
 * missed now and then keeps what the others say. One entry per sample from the track's first to its last.
 */
export function creditOf({ shot, track, around, space }: CreditOptions): Float64Array {
  const first = track.samples[0];
  const last = track.samples[track.samples.length - 1];
  const from = around.first[first];
  const to = around.last[last];
  // Score in each sample of from..to; NaN = the place is out of the picture, the sample says nothing.
  const scores = new Float64Array(to - from + 1);
  let n = 0;
  for (let k = from; k <= to; k++) {
    while (n + 1 < track.samples.length && track.samples[n + 1] <= k) n++;
    if (track.samples[n] === k) scores[k - from] = shot[k].bodies.score[track.bodies[n]];
    else scores[k - from] = inPicture({ shot, track, n, k, space }) ? 0 : Number.NaN;
  }
  const credit = new Float64Array(last - first + 1);
  for (let k = first; k <= last; k++) {
    let sum = 0;
    let weight = 0;
    for (let j = Math.max(from, around.first[k]); j <= Math.min(to, around.last[k]); j++) {
      const score = scores[j - from];
      if (Number.isNaN(score)) continue;
      const share = 1 - Math.abs(shot[j].timeS - shot[k].timeS) / CREDIT_WINDOW_S;
      const counted = j < first || j > last ? share * OUTSIDE : share;
      sum += counted * score;
      weight += counted;
    }
    credit[k - first] = weight > 0 ? sum / weight : 0;
  }
  return credit;
}

const point: Point = { x: 0, y: 0 };

interface Sight extends Omit<CreditOptions, 'around'> {
  /** Place of the sight in the track, and of the sample in the shot. */
  readonly n: number;
  readonly k: number;
}

/** Whether sample k would show the person on the straight way between the sights around it, or where the nearest sight was. */
function inPicture({ shot, track, n, k, space }: Sight): boolean {
  const a = track.samples[n];
  const b = track.samples[n + 1] ?? a;
  const share = a === b || k < a ? 0 : (shot[k].timeS - shot[a].timeS) / (shot[b].timeS - shot[a].timeS);
  const [i, j] = [track.bodies[n], track.bodies[n + 1] ?? track.bodies[n]];
  const x = (1 - share) * shot[a].places.x[i] + share * shot[b].places.x[j];
  const y = (1 - share) * shot[a].places.y[i] + share * shot[b].places.y[j];
  return shot[k].camera.toPicture(x, y, point) && space.contains(point.x, point.y, -0.02);
}
