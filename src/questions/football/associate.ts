import { assign } from './assignment.js';
import { type Looks, likeness } from './likeness.js';
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
  [true, true],
  [true, false],
  [false, true],
  [false, false],
] as const;

const LOG_DENSITY = Math.log(2 * Math.PI * DENSITY);

/** Links the persons of two samples of one shot by place, speed, role and size, the sure ones first (ByteTrack, Zhang et al. 2022); see `Links`. */
export function associate(a: Scattering, b: Scattering, options: AssociateOptions): Links {
  const rows = a.bodies.count;
  const columns = b.bodies.count;
  const next = new Int32Array(rows).fill(-1);
  const previous = new Int32Array(columns).fill(-1);
  const gain = gains(a, b, options);
  for (const [fromSure, toSure] of STAGES) {
    const from = indices(rows, (i) => next[i] < 0 && (a.bodies.sure[i] === 1) === fromSure);
    const to = indices(columns, (j) => previous[j] < 0 && (b.bodies.sure[j] === 1) === toSure);
    const part = new Float64Array(from.length * to.length);
    from.forEach((i, r) => {
      to.forEach((j, c) => {
        part[r * to.length + c] = gain[i * columns + j];
      });
    });
    assign(part, from.length, to.length).forEach((c, r) => {
      if (c < 0) return;
      next[from[r]] = to[c];
      previous[to[c]] = from[r];
    });
  }
  return { next, previous };
}

function indices(count: number, keep: (i: number) => boolean): number[] {
  const kept: number[] = [];
  for (let i = 0; i < count; i++) if (keep(i)) kept.push(i);
  return kept;
}

/** What two samples say of each pair of bodies before speeds are known; float64 [earlier, later] each. */
export interface Acquaintance {
  /** Log odds by place for somebody of unknown speed. −Infinity: out of reach at any speed. */
  readonly standing: Float64Array;
  /** Log odds by role, shirt and size. */
  readonly likeness: Float64Array;
}

/** Compares all pairs once, for the rounds of `associate` that follow. */
export function acquaint(a: Scattering, b: Scattering): Acquaintance {
  const columns = b.bodies.count;
  const spanS = b.timeS - a.timeS;
  const standing = new Float64Array(a.bodies.count * columns).fill(Number.NEGATIVE_INFINITY);
  const alike = new Float64Array(a.bodies.count * columns);
  const looksA = looksOf(a);
  const looksB = looksOf(b);
  const spread = (SPEED_SPREAD * spanS) ** 2;
  for (let i = 0; i < a.bodies.count; i++) {
    for (let j = 0; j < columns; j++) {
      const distance = Math.abs(b.places.x[j] - a.places.x[i]) + Math.abs(b.places.y[j] - a.places.y[i]);
      const error = 4 * Math.sqrt(a.places.xx[i] + a.places.yy[i] + b.places.xx[j] + b.places.yy[j]);
      if (!(distance < 1.5 * FASTEST * spanS + error + 1)) continue;
      standing[i * columns + j] = placeOdds(a.places, i, b.places, j, 0, 0, spread);
      alike[i * columns + j] = likeness(looksA[i], looksB[j]);
    }
  }
  return { standing, likeness: alike };
}

/** Log odds [a, b] that two bodies are one person, against a stranger at that place. */
function gains(a: Scattering, b: Scattering, options: AssociateOptions): Float64Array {
  const { acquaintance, speedBefore, speedBehind } = options;
  const columns = b.bodies.count;
  const gain = new Float64Array(acquaintance.standing.length);
  for (let i = 0; i < a.bodies.count; i++) {
    for (let j = 0; j < columns; j++) {
      const standing = acquaintance.standing[i * columns + j];
      if (standing === Number.NEGATIVE_INFINITY) continue;
      const before = speedBefore ? movingOdds(a, i, b, j, speedBefore, i) : undefined;
      const behind = speedBehind ? movingOdds(a, i, b, j, speedBehind, j) : undefined;
      const moving = before === undefined ? behind : behind === undefined ? before : (before + behind) / 2;
      const odds = moving === undefined ? standing : Math.max(moving, standing - STANDING_PENALTY);
      gain[i * columns + j] = PRIOR + odds + acquaintance.likeness[i * columns + j];
    }
  }
  return gain;
}

/** Log odds by place for somebody of the speed k of `speeds`; undefined where that is not known. */
function movingOdds(a: Scattering, i: number, b: Scattering, j: number, speeds: Speeds, k: number): number | undefined {
  const variance = speeds.variance[k];
  if (variance === Number.POSITIVE_INFINITY) return undefined;
  const spanS = b.timeS - a.timeS;
  const drift = (0.5 * ACCELERATION_SPREAD * spanS * spanS) ** 2 + variance * spanS * spanS;
  return placeOdds(a.places, i, b.places, j, speeds.x[k] * spanS, speeds.y[k] * spanS, drift);
}

function looksOf({ bodies, places }: Scattering): readonly Looks[] {
  return Array.from({ length: bodies.count }, (_, i) => ({
    roles: [bodies.roles[i * 3], bodies.roles[i * 3 + 1], bodies.roles[i * 3 + 2]],
    kit: bodies.kits.length > 0 ? [bodies.kits[i * 3], bodies.kits[i * 3 + 1], bodies.kits[i * 3 + 2]] : undefined,
    heightM: places.heightM[i],
  }));
}

/** Log density of the step from place i to place j around an expected step, over the density of strangers. */
function placeOdds(a: Places, i: number, b: Places, j: number, stepX: number, stepY: number, spread: number): number {
  const dx = b.x[j] - a.x[i] - stepX;
  const dy = b.y[j] - a.y[i] - stepY;
  const xx = a.xx[i] + b.xx[j] + spread;
  const xy = a.xy[i] + b.xy[j];
  const yy = a.yy[i] + b.yy[j] + spread;
  const det = xx * yy - xy * xy;
  const square = (yy * dx * dx - 2 * xy * dx * dy + xx * dy * dy) / det;
  const odds = -0.5 * (square + Math.log(det)) - LOG_DENSITY;
  return Number.isNaN(odds) ? Number.NEGATIVE_INFINITY : odds;
}

/** Speeds at one end of linked samples: what each body of `at` did since (or will do until) its partner in `other`. */
export function speedsFrom(at: Scattering, other: Scattering, partner: Int32Array): Speeds {
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
