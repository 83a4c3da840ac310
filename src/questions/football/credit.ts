import type { PictureSpace, Point } from './camera.js';
import type { Station } from './tracklets.js';
import type { Track } from './tracks.js';

/** Samples up to this far away, s, speak for or against somebody being there. Chosen: about the length of an occlusion. */
const WINDOW_S = 0.6;
/** Weight of samples before the first and behind the last sight: not being seen there may be true. */
const OUTSIDE = 0.5;

/**
 * How sure each sample makes it that the person of a track is there, 0..1: mean score over the samples around it, a sample that
 * should show the person and does not counting 0. One lucky box among many empty samples gets little, a person who is
 * missed now and then keeps what the others say. One entry per sample from the track's first to its last.
 */
export function creditOf(shot: readonly Station[], track: Track, space: PictureSpace): Float64Array {
  const first = track.samples[0];
  const last = track.samples[track.samples.length - 1];
  const from = reach(shot, first, -1);
  const to = reach(shot, last, 1);
  // Score in each sample of from..to; NaN = the place is out of the picture, the sample says nothing.
  const scores = new Float64Array(to - from + 1);
  let n = 0;
  for (let k = from; k <= to; k++) {
    while (n + 1 < track.samples.length && track.samples[n + 1] <= k) n++;
    scores[k - from] =
      track.samples[n] === k
        ? shot[k].bodies.score[track.bodies[n]]
        : inPicture(shot, track, n, k, space)
          ? 0
          : Number.NaN;
  }
  const credit = new Float64Array(last - first + 1);
  for (let k = first; k <= last; k++) {
    let sum = 0;
    let weight = 0;
    for (const step of [-1, 1]) {
      for (let j = step < 0 ? k : k + 1; j >= from && j <= to; j += step) {
        const share = 1 - Math.abs(shot[j].timeS - shot[k].timeS) / WINDOW_S;
        if (share <= 0) break;
        const score = scores[j - from];
        if (Number.isNaN(score)) continue;
        const counted = j < first || j > last ? share * OUTSIDE : share;
        sum += counted * score;
        weight += counted;
      }
    }
    credit[k - first] = weight > 0 ? sum / weight : 0;
  }
  return credit;
}

/** The furthest sample from `at` in one direction that still lies inside the window. */
function reach(shot: readonly Station[], at: number, step: 1 | -1): number {
  let k = at;
  while (k + step >= 0 && k + step < shot.length && Math.abs(shot[k + step].timeS - shot[at].timeS) < WINDOW_S)
    k += step;
  return k;
}

const point: Point = { x: 0, y: 0 };

/** Whether sample k would show the person on the straight way between the sights around it, or where the nearest sight was. */
function inPicture(shot: readonly Station[], track: Track, n: number, k: number, space: PictureSpace): boolean {
  const a = track.samples[n];
  const b = track.samples[n + 1] ?? a;
  const share = a === b || k < a ? 0 : (shot[k].timeS - shot[a].timeS) / (shot[b].timeS - shot[a].timeS);
  const [i, j] = [track.bodies[n], track.bodies[n + 1] ?? track.bodies[n]];
  const x = (1 - share) * shot[a].places.x[i] + share * shot[b].places.x[j];
  const y = (1 - share) * shot[a].places.y[i] + share * shot[b].places.y[j];
  return shot[k].camera.toPicture(x, y, point) && space.contains(point.x, point.y, -0.02);
}
