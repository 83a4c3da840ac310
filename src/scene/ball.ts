import type { Places } from './places.js';
import type { Bodies } from './sample.js';

/** The balls that one sample may show. */
export interface BallCandidates {
  readonly timeS: number;
  readonly bodies: Bodies;
  readonly places: Places;
}

/** A ball that flies is seen where its shadowless projection lies: faster than any shot. Spread of its speed in m/s. */
const SPEED_SPREAD = 12;
const FASTEST = 50;
/** Log odds of a ball that is in view being found, and of nothing being shown. */
const NONE_COST = 0.8;
/** Score at which a candidate is as likely a ball as not. */
const EVEN_SCORE = 0.3;
const PLACE_ERROR_M = 0.5;

/**
 * The one ball of a shot: the likeliest way through the candidates of all samples, each sample showing one or none (Viterbi
 * over the last seen places). Returns the candidate of each sample, −1 = none.
 */
export function ballPath(shot: readonly BallCandidates[]): Int32Array {
  // best[s][i]: value of the best way that ends with candidate i of sample s; ways may leave out samples.
  const best: Float64Array[] = [];
  const from: { readonly sample: Int32Array; readonly place: Int32Array }[] = [];
  let bestEnd = { value: 0, sample: -1, place: -1 };
  for (let s = 0; s < shot.length; s++) {
    const { bodies, places } = shot[s];
    const values = new Float64Array(bodies.count);
    const sample = new Int32Array(bodies.count).fill(-1);
    const place = new Int32Array(bodies.count).fill(-1);
    for (let i = 0; i < bodies.count; i++) {
      const score = Math.min(0.99, bodies.score[i]);
      const own = Number.isNaN(places.x[i])
        ? Number.NEGATIVE_INFINITY
        : Math.log(score / (1 - score)) - Math.log(EVEN_SCORE / (1 - EVEN_SCORE)) + NONE_COST;
      values[i] = own;
      for (let back = s - 1; back >= 0 && back >= s - 8; back--) {
        for (let j = 0; j < shot[back].bodies.count; j++) {
          const value = own + best[back][j] + stepOdds(shot[back], j, shot[s], i);
          if (value > values[i]) {
            values[i] = value;
            sample[i] = back;
            place[i] = j;
          }
        }
      }
      if (values[i] > bestEnd.value) bestEnd = { value: values[i], sample: s, place: i };
    }
    best.push(values);
    from.push({ sample, place });
  }
  const path = new Int32Array(shot.length).fill(-1);
  let { sample, place } = bestEnd;
  while (sample >= 0) {
    path[sample] = place;
    const back = from[sample];
    [sample, place] = [back.sample[place], back.place[place]];
  }
  return path;
}

/** Log odds that the ball went from one candidate to another, against having been somewhere else: below 0 for a far jump. */
function stepOdds(a: BallCandidates, j: number, b: BallCandidates, i: number): number {
  const spanS = b.timeS - a.timeS;
  const dx = b.places.x[i] - a.places.x[j];
  const dy = b.places.y[i] - a.places.y[j];
  const distance = Math.hypot(dx, dy);
  if (distance > 3 + FASTEST * spanS) return -8;
  const variance = (SPEED_SPREAD * spanS) ** 2 + PLACE_ERROR_M ** 2 + (a.places.yy[j] + b.places.yy[i]) / 4;
  return Math.max(-6, 2 - 0.5 * ((distance * distance) / variance + 0.5 * Math.log(variance)));
}
