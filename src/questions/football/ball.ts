import type { Places } from './places.js';
import type { Bodies } from './sample.js';
import { surroundingsOf } from './surroundings.js';

/** The balls that one sample may show. */
export interface BallCandidates {
  readonly timeS: number;
  readonly bodies: Bodies;
  readonly places: Places;
}

/** Spread of the ball's speed, m/s, as seen on the ground: a ball in flight appears further off and faster than it is. Chosen. */
const SPEED_SPREAD = 12;
const FASTEST = 50;
/** Error of a ball's place, m, beside what its box says. */
const PLACE_ERROR_M = 0.5;
/** Log odds won by lying where the last sight lets expect it: strays rarely do. */
const EXPECTED = 0.8;
/** Log odds lost for starting anew far from the last sight: kicked while nobody looked, or a stray. */
const RESTART = 2.5;
/** Sights so far back, in samples, that a way may continue from them. */
const REACH = 6;
/** Share of the threshold at which a candidate is as likely the ball as not: lying on a way speaks for it. Measured on match-a and rendered clips, as below. */
const EVEN = 0.7;
/** Samples up to this far away, s, must have this share of the threshold as mean score for a ball to be shown. */
const WINDOW_S = 0.5;
const LEAST_MEAN = 0.6;

interface Step {
  readonly sample: number;
  readonly place: number;
  /** Whether the ball went from there to the sight that this is kept for, or starts anew with it. */
  readonly joined: boolean;
}

/**
 * The one ball of a shot: the likeliest way through the candidates of all samples, each sample showing one or none (Viterbi
 * over the last sights). Returns the candidate of each sample, −1 = none. A stretch of the way without a sight above the
 * threshold is none. A generator, so that the caller may pause between samples.
 */
export function* ballPath(shot: readonly BallCandidates[], threshold: number): Generator<undefined, Int32Array> {
  const evenOdds = logOdds(EVEN * threshold);
  const values: Float64Array[] = [];
  const steps: (Step | undefined)[][] = [];
  /** Best way that ends in any sample so far. */
  let best: { readonly value: number; readonly at: Step | undefined } = { value: 0, at: undefined };
  for (let s = 0; s < shot.length; s++) {
    const { bodies, places } = shot[s];
    const value = new Float64Array(bodies.count);
    const from: (Step | undefined)[] = [];
    let top = best;
    for (let i = 0; i < bodies.count; i++) {
      let most = best.at ? best.value - RESTART : 0;
      from[i] = best.at;
      for (let back = s - 1; back >= 0 && back >= s - REACH; back--) {
        for (let j = 0; j < shot[back].bodies.count; j++) {
          const way = values[back][j] + stepOdds(shot[back], j, shot[s], i);
          if (way <= most) continue;
          most = way;
          from[i] = { sample: back, place: j, joined: true };
        }
      }
      value[i] = Number.isNaN(places.x[i]) ? Number.NEGATIVE_INFINITY : most + logOdds(bodies.score[i]) - evenOdds;
      if (value[i] > top.value) top = { value: value[i], at: { sample: s, place: i, joined: false } };
    }
    values.push(value);
    steps.push(from);
    best = top;
    yield;
  }
  const path = new Int32Array(shot.length).fill(-1);
  const starts = new Set<number>();
  for (let at = best.at; at; at = steps[at.sample][at.place]) {
    path[at.sample] = at.place;
    if (!steps[at.sample][at.place]?.joined) starts.add(at.sample);
  }
  return sure(shot, yield* confirmed(shot, path, LEAST_MEAN * threshold), starts);
}

/** Leaves out the stretches between two fresh starts that no sure sight speaks for. */
function sure(shot: readonly BallCandidates[], path: Int32Array, starts: ReadonlySet<number>): Int32Array {
  let from = 0;
  for (let s = 1; s <= path.length; s++) {
    if (s < path.length && !starts.has(s)) continue;
    const stretch = path.subarray(from, s);
    if (!stretch.some((place, k) => place >= 0 && shot[from + k].bodies.sure[place] === 1)) stretch.fill(-1);
    from = s;
  }
  return path;
}

function logOdds(score: number): number {
  const bounded = Math.min(0.99, Math.max(0.01, score));
  return Math.log(bounded / (1 - bounded));
}

/** Log odds that the ball went from one candidate to another. */
function stepOdds(a: BallCandidates, j: number, b: BallCandidates, i: number): number {
  const spanS = b.timeS - a.timeS;
  const distance = Math.hypot(b.places.x[i] - a.places.x[j], b.places.y[i] - a.places.y[j]);
  if (!(distance <= 3 + FASTEST * spanS)) return Number.NEGATIVE_INFINITY;
  const variance = (SPEED_SPREAD * spanS) ** 2 + PLACE_ERROR_M ** 2 + (a.places.yy[j] + b.places.yy[i]) / 4;
  return EXPECTED - (0.5 * distance * distance) / variance;
}

/** Leaves out sights whose surroundings on the path are too weak: penalty spots and shoes score low, but steadily. */
function* confirmed(
  shot: readonly BallCandidates[],
  path: Int32Array,
  leastMean: number,
): Generator<undefined, Int32Array> {
  const around = surroundingsOf(shot, WINDOW_S);
  const kept = new Int32Array(path.length).fill(-1);
  for (const [s, place] of path.entries()) {
    let sum = 0;
    let count = 0;
    for (let k = around.first[s]; place >= 0 && k <= around.last[s]; k++) {
      if (path[k] < 0) continue;
      sum += shot[k].bodies.score[path[k]];
      count++;
    }
    if (sum / count >= leastMean) kept[s] = place;
    yield;
  }
  return kept;
}
