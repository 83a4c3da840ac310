import { type Looks, likeness } from './likeness.js';
import { type Offer, pairUp } from './pair-up.js';
import type { Places } from './places.js';
import type { Bodies } from './sample.js';

/** The persons of one sample, placed on the ground. */
export interface Scattering {
  readonly timeS: number;
  readonly bodies: Bodies;
  readonly places: Places;
}

/** Who of a later sample is who of an earlier one. */
export interface Links {
  /** int32 [earlier]: place in the later sample, −1 = nobody. */
  readonly next: Int32Array;
  /** int32 [later]: place in the earlier sample, −1 = nobody. */
  readonly previous: Int32Array;
}

/** What is known of a body's motion from the far side of its sample; m/s, and the variance of each component. */
export interface Speeds {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Infinite where nothing is known. */
  readonly variance: Float64Array;
}

export interface AssociateOptions {
  /** The earlier sample and the later one. */
  readonly a: Scattering;
  readonly b: Scattering;
  readonly acquaintance: Acquaintance;
  /** Speeds at the earlier sample from the links before it, at the later one from the links behind it. */
  readonly speedBefore?: Speeds | undefined;
  readonly speedBehind?: Speeds | undefined;
}

/** Spread of a player's speed when nothing is known of it, m/s for each axis: runs of 2–4 m/s in any direction. */
const SPEED_SPREAD = 2.6;
/** Nobody on a pitch is faster, m/s. */
const FASTEST = 11;
/** Spread of the change of speed, m/s². Players reach 4–6 at most, for an instant. */
const ACCELERATION_SPREAD = 2.2;
/** Persons per m² of ground in view, for the odds that a stranger stands there by chance. */
const DENSITY = 0.006;
/** Log odds of a link before the places are looked at: nine of ten persons are found again. */
const PRIOR = 1.5;
/** What a link must cost at least to lean on a guess of no speed when a speed is known. */
const STANDING_PENALTY = 2;

/** Sure ones with sure ones first, then what is left with the doubtful, then these among themselves: chains of them are judged as a whole. */
const STAGES = [
  [1, 1],
  [1, 0],
  [0, 1],
  [0, 0],
] as const;

const LOG_DENSITY = Math.log(2 * Math.PI * DENSITY);

/** Links the persons of two samples of one shot by place, speed, role and size, the sure ones first (ByteTrack, Zhang et al. 2022); see `Links`. A generator, so that the caller may pause. */
export function* associate(options: AssociateOptions): Generator<undefined, Links> {
  const { a, b } = options;
  const [rows, columns] = [a.bodies.count, b.bodies.count];
  const next = new Int32Array(rows).fill(-1);
  const previous = new Int32Array(columns).fill(-1);
  const offers = offersOf(options);
  for (const [fromSure, toSure] of STAGES) {
    const open = offers.filter(
      ({ row, column }) =>
        next[row] < 0 && previous[column] < 0 && a.bodies.sure[row] === fromSure && b.bodies.sure[column] === toSure,
    );
    const pairs = yield* pairUp({ rows, columns, offers: open });
    pairs.forEach((column, row) => {
      if (column < 0) return;
      next[row] = column;
      previous[column] = row;
    });
  }
  return { next, previous };
}

/** Where somebody is, or is expected to be: metres, and the covariance in m². */
interface Spot {
  readonly x: number;
  readonly y: number;
  readonly xx: number;
  readonly xy: number;
  readonly yy: number;
}

/** What two samples say of each other before speeds are known; float64 [earlier, later] each. */
export interface Acquaintance {
  readonly from: readonly Spot[];
  readonly to: readonly Spot[];
  /** Log odds by place for somebody of unknown speed. −Infinity: out of reach at any speed. */
  readonly standing: Float64Array;
  /** Log odds by role, shirt and size. */
  readonly likeness: Float64Array;
}

/** Compares all pairs once, for the rounds of `associate` that follow. */
export function acquaint(a: Scattering, b: Scattering): Acquaintance {
  const spanS = b.timeS - a.timeS;
  const [from, to] = [spotsOf(a), spotsOf(b)];
  const [looksA, looksB] = [looksOf(a), looksOf(b)];
  const standing = new Float64Array(from.length * to.length).fill(Number.NEGATIVE_INFINITY);
  const alike = new Float64Array(from.length * to.length);
  const variance = (SPEED_SPREAD * spanS) ** 2;
  for (let i = 0; i < from.length; i++) {
    const spot = from[i];
    const around = moved(spot, { x: 0, y: 0, variance });
    for (let j = 0; j < to.length; j++) {
      const distance = Math.abs(to[j].x - spot.x) + Math.abs(to[j].y - spot.y);
      const error = 4 * Math.sqrt(spot.xx + spot.yy + to[j].xx + to[j].yy);
      if (!(distance < 1.5 * FASTEST * spanS + error + 1)) continue;
      standing[i * to.length + j] = placeOdds(around, to[j]);
      alike[i * to.length + j] = likeness(looksA[i], looksB[j]);
    }
  }
  return { from, to, standing, likeness: alike };
}

/** Log odds that two bodies are one person, against a stranger at that place, where they are above 0. */
function offersOf({ a, b, acquaintance, speedBefore, speedBehind }: AssociateOptions): readonly Offer[] {
  const spanS = b.timeS - a.timeS;
  const { from, to, standing, likeness } = acquaintance;
  const ahead = speedBefore && expected(from, speedBefore, spanS);
  const back = speedBehind && expected(to, speedBehind, -spanS);
  const offers: Offer[] = [];
  for (let row = 0, pair = 0; row < from.length; row++) {
    const start = ahead?.[row];
    for (let column = 0; column < to.length; column++, pair++) {
      if (standing[pair] === Number.NEGATIVE_INFINITY) continue;
      const end = back?.[column];
      const before = start && placeOdds(start, to[column]);
      const behind = end && placeOdds(from[row], end);
      const moving = before === undefined ? behind : behind === undefined ? before : (before + behind) / 2;
      const odds = moving === undefined ? standing[pair] : Math.max(moving, standing[pair] - STANDING_PENALTY);
      const gain = PRIOR + odds + likeness[pair];
      if (gain > 0) offers.push({ row, column, gain });
    }
  }
  return offers;
}

/** Where each body of known speed is `spanS` later; undefined for the others. */
function expected(spots: readonly Spot[], speeds: Speeds, spanS: number): readonly (Spot | undefined)[] {
  const drift = (0.5 * ACCELERATION_SPREAD * spanS * spanS) ** 2;
  return spots.map((spot, i) => {
    const variance = speeds.variance[i];
    if (variance === Number.POSITIVE_INFINITY) return undefined;
    return moved(spot, { x: speeds.x[i] * spanS, y: speeds.y[i] * spanS, variance: drift + variance * spanS * spanS });
  });
}

function moved({ x, y, xx, xy, yy }: Spot, step: Step): Spot {
  return { x: x + step.x, y: y + step.y, xx: xx + step.variance, xy, yy: yy + step.variance };
}

/** A way in metres and its variance for each axis. */
interface Step {
  readonly x: number;
  readonly y: number;
  readonly variance: number;
}

function spotsOf({ bodies, places }: Scattering): readonly Spot[] {
  const { x, y, xx, xy, yy } = places;
  return Array.from({ length: bodies.count }, (_, i) => ({ x: x[i], y: y[i], xx: xx[i], xy: xy[i], yy: yy[i] }));
}

function looksOf({ bodies, places }: Scattering): readonly Looks[] {
  return Array.from({ length: bodies.count }, (_, i) => ({
    roles: [bodies.roles[i * 3], bodies.roles[i * 3 + 1], bodies.roles[i * 3 + 2]],
    kit: bodies.kits.length > 0 ? [bodies.kits[i * 3], bodies.kits[i * 3 + 1], bodies.kits[i * 3 + 2]] : undefined,
    heightM: places.heightM[i],
  }));
}

/** Log density of being at one spot where the other was expected, over the density of strangers. */
function placeOdds(expected: Spot, real: Spot): number {
  const dx = real.x - expected.x;
  const dy = real.y - expected.y;
  const xx = expected.xx + real.xx;
  const xy = expected.xy + real.xy;
  const yy = expected.yy + real.yy;
  const det = xx * yy - xy * xy;
  const square = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det;
  const odds = -0.5 * (square + Math.log(det)) - LOG_DENSITY;
  return Number.isNaN(odds) ? Number.NEGATIVE_INFINITY : odds;
}

export interface Linked {
  readonly at: Scattering;
  readonly other: Scattering;
  /** int32: for each body of `at` its place in `other`, −1 = nobody. */
  readonly partner: Int32Array;
}

/** Speeds at one end of linked samples: what each body of `at` did since (or will do until) its partner in `other`. */
export function speedsFrom({ at, other, partner }: Linked): Speeds {
  const count = at.bodies.count;
  const speeds = {
    x: new Float64Array(count),
    y: new Float64Array(count),
    variance: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
  };
  const spanS = at.timeS - other.timeS;
  for (let i = 0; i < count; i++) {
    const k = partner[i];
    if (k < 0) continue;
    speeds.x[i] = (at.places.x[i] - other.places.x[k]) / spanS;
    speeds.y[i] = (at.places.y[i] - other.places.y[k]) / spanS;
    const places = (at.places.xx[i] + at.places.yy[i] + other.places.xx[k] + other.places.yy[k]) / 2;
    speeds.variance[i] = places / (spanS * spanS) + (0.5 * ACCELERATION_SPREAD * spanS) ** 2;
  }
  return speeds;
}
