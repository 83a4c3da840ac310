import { Camera, type PictureSpace } from './camera.js';
import { motionCovariance } from './homography.js';
import { solve } from './linear.js';
import { exp, log, type Mat3, MOTION_SIZE, type Motion, multiply } from './mat3.js';
import { FIT_UNIT_M, type Sample } from './sample.js';
import { SPLINE_REACH, splineSlope } from './spline.js';

/** Neighbours on each side, and how far away in s they may be, that help to steady one sample's camera. Chosen. */
const NEIGHBOURS = 3;
const WINDOW_S = 1;
/** Samples looked at on each side until so many are found: a second of them at 60 a second. */
const MOST_LOOKED_AT = 60;
/** How fast a broadcast camera changes its motion, in half picture widths / s². Chosen: 0.6 ≈ 12°/s² at 40° of view. */
export const ACCELERATION = 0.6;
/** Faster than this, in half picture widths / s, two fits do not belong to one camera motion. Chosen. */
const FASTEST = 3;
/** Spread of the camera's speed known beforehand, half picture widths / s. */
const SPEED_SPREAD = 0.5;
/** Least error of a key point in half picture widths (0.15 % of the diagonal, docs/measurements.md "The pitch"). */
const LEAST_ERROR = 0.0034;

/** How long a camera keeps its motion beyond the samples, s. Measured on match-a and rendered clips. */
const DRIFT_S = 0.6;

/** Pitch metres → the units of the fit. */
const METRES: Mat3 = Float64Array.of(
  1 / FIT_UNIT_M,
  0,
  -52.5 / FIT_UNIT_M,
  0,
  1 / FIT_UNIT_M,
  -34 / FIT_UNIT_M,
  0,
  0,
  1,
);

/** Sample `at` of a shot and the neighbours that say something about its camera, nearest first. */
export function steadyingSamples(shot: readonly Sample[], at: number): readonly Sample[] {
  const own = shot[at];
  const found: Sample[] = [];
  for (const direction of [-1, 1]) {
    let count = 0;
    for (let step = 1; count < NEIGHBOURS && step <= MOST_LOOKED_AT; step++) {
      const i = at + step * direction;
      if (i < 0 || i >= shot.length || Math.abs(shot[i].timeS - own.timeS) > WINDOW_S) break;
      if (!shot[i].fit) continue;
      found.push(shot[i]);
      count++;
    }
  }
  return [own, ...found.sort((p, q) => Math.abs(p.timeS - own.timeS) - Math.abs(q.timeS - own.timeS))];
}

/**
 * The camera of the first of `samples` (see `steadyingSamples`), from its own key points and those of its neighbours: each
 * says where the camera was, and counts the less the more the camera may have changed its motion since. A sample without
 * a fit of its own gets what the neighbours agree on. Undefined where nobody knows.
 */
export function steadyCamera(samples: readonly Sample[], space: PictureSpace): Camera | undefined {
  const own = samples[0];
  const reference = own.fit ?? samples[1]?.fit;
  if (!reference) return undefined;
  if (own.fit && samples.length === 1) {
    return Camera.of(
      multiply(own.fit.map, METRES),
      true,
      motionCovariance(own.fit.information, pointError(own.fit.rms) ** 2),
    );
  }
  const n = 2 * MOTION_SIZE;
  const a = new Float64Array(n * n);
  const b = new Float64Array(n * (MOTION_SIZE + 1));
  for (let k = 0; k < MOTION_SIZE; k++) {
    a[k * n + k] = 1e-6;
    a[(k + MOTION_SIZE) * n + k + MOTION_SIZE] = 1 / SPEED_SPREAD ** 2;
    b[k * (MOTION_SIZE + 1) + k + 1] = 1;
  }
  let used = 0;
  for (const sample of samples) {
    if (!sample.fit) continue;
    const apartS = sample.timeS - own.timeS;
    const motion =
      sample.fit === reference ? new Float64Array(MOTION_SIZE) : log(multiply(sample.fit.map, reference.inverse));
    if (!motion || (sample !== own && displacement(motion, space) > 0.02 + FASTEST * Math.abs(apartS))) continue;
    const drift = 0.5 * ACCELERATION * apartS * apartS;
    const weight = 1 / (pointError(sample.fit.rms) ** 2 + sample.fit.inliers * drift * drift);
    addEvidence({ a, b, information: sample.fit.information, motion, weight, apartS });
    used++;
  }
  if (used === 0 || !solve(a, b, n)) return undefined;
  const step = new Float64Array(MOTION_SIZE);
  const covariance = new Float64Array(MOTION_SIZE * MOTION_SIZE);
  for (let k = 0; k < MOTION_SIZE; k++) {
    step[k] = b[k * (MOTION_SIZE + 1)];
    for (let j = 0; j < MOTION_SIZE; j++) covariance[k * MOTION_SIZE + j] = b[k * (MOTION_SIZE + 1) + j + 1];
  }
  return Camera.of(multiply(exp(step), multiply(reference.map, METRES)), true, covariance);
}

function pointError(rms: number): number {
  return Math.max(LEAST_ERROR, rms);
}

interface Evidence {
  /** The normal equations that it is added to. */
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly information: Float64Array;
  readonly motion: Motion;
  readonly weight: number;
  readonly apartS: number;
}

/** Normal equations of `motion = position + apartS · speed` for the unknowns [position, speed], and the identity for the covariance. */
function addEvidence({ a, b, information, motion, weight, apartS }: Evidence): void {
  const n = 2 * MOTION_SIZE;
  for (let i = 0; i < MOTION_SIZE; i++) {
    let pull = 0;
    for (let j = 0; j < MOTION_SIZE; j++) {
      const value = information[i * MOTION_SIZE + j] * weight;
      pull += value * motion[j];
      a[i * n + j] += value;
      a[i * n + j + MOTION_SIZE] += value * apartS;
      a[(i + MOTION_SIZE) * n + j] += value * apartS;
      a[(i + MOTION_SIZE) * n + j + MOTION_SIZE] += value * apartS * apartS;
    }
    b[i * (MOTION_SIZE + 1)] += pull;
    b[(i + MOTION_SIZE) * (MOTION_SIZE + 1)] += pull * apartS;
  }
}

/** How far a motion moves the corners of the picture at most, in half picture widths, to first order. */
export function displacement(m: Motion, space: PictureSpace): number {
  let most = 0;
  for (const u of [-1, 1]) {
    for (const v of [-space.bottom, space.bottom]) {
      const x = m[0] + m[2] * u - m[3] * v + m[4] * u + m[5] * v + m[6] * u * u + m[7] * u * v;
      const y = m[1] + m[2] * v + m[3] * u - m[4] * v + m[5] * u + m[6] * u * v + m[7] * v * v;
      most = Math.max(most, Math.hypot(x, y));
    }
  }
  return most;
}

/** A sample's place on the camera path. */
export interface CameraKnot {
  readonly timeS: number;
  readonly camera: Camera;
}

/** Motion that leads from one sample's picture to the next one's; undefined where no plain motion does. */
export function motionBetween(from: CameraKnot, to: CameraKnot): Motion | undefined {
  return log(multiply(to.camera.map, from.camera.inverse));
}

export interface CameraPathOptions {
  readonly from: CameraKnot;
  readonly to: CameraKnot;
  /** `motionBetween` the two. */
  readonly whole: Motion;
  /** Per s; see `cameraSpeed`. */
  readonly startSpeed: Motion;
  readonly endSpeed: Motion;
}

/**
 * The camera between two samples of a shot: along the motion that leads from one picture to the other, entering and leaving with
 * the speeds of the smooth curve through the samples around (`cameraSpeed`), so that the picture neither jerks nor drifts.
 */
export class CameraPath {
  constructor(private readonly options: CameraPathOptions) {}

  /** `timeS` between the two samples. */
  at(timeS: number): Camera {
    const { from, to, whole, startSpeed, endSpeed } = this.options;
    const spanS = to.timeS - from.timeS;
    const t = (timeS - from.timeS) / spanS;
    const h10 = t * (1 - t) * (1 - t) * spanS;
    const h01 = t * t * (3 - 2 * t);
    const h11 = t * t * (t - 1) * spanS;
    const motion = new Float64Array(MOTION_SIZE);
    for (let k = 0; k < MOTION_SIZE; k++) {
      motion[k] = h10 * startSpeed[k] + h01 * whole[k] + h11 * endSpeed[k];
    }
    const nearer = t < 0.5 ? from.camera : to.camera;
    return new Camera(multiply(exp(motion), from.camera.map), nearer.onPitch, nearer.covariance);
  }
}

/** The camera before the first or behind the last sample of a shot: it goes on for a moment and comes to rest. */
export class CameraDrift {
  constructor(
    private readonly knot: CameraKnot,
    private readonly speed: Motion,
  ) {}

  at(timeS: number): Camera {
    const apartS = timeS - this.knot.timeS;
    const reach = Math.sign(apartS) * DRIFT_S * (1 - Math.exp(-Math.abs(apartS) / DRIFT_S));
    const { map, onPitch, covariance } = this.knot.camera;
    return new Camera(multiply(exp(this.speed.map((value) => value * reach)), map), onPitch, covariance);
  }
}

export interface CameraSpeedOptions {
  /** Samples of the shot, ascending. */
  readonly knots: readonly { readonly timeS: number }[];
  /** Entry k leads from sample k to k + 1, undefined where nothing does: the curve ends there. */
  readonly motions: readonly (Motion | undefined)[];
  /** Place of the sample. */
  readonly at: number;
}

/** Speed of the camera at a sample, per s, from the motions of the gaps around. */
export function cameraSpeed({ knots, motions, at }: CameraSpeedOptions): Motion {
  let first = at;
  let last = at;
  while (first > 0 && at - first < SPLINE_REACH && motions[first - 1]) first--;
  while (last < knots.length - 1 && last - at < SPLINE_REACH && motions[last]) last++;
  const places = new Float64Array((last - first + 1) * MOTION_SIZE);
  for (let k = first; k < last; k++) {
    const step = motions[k];
    for (let c = 0; c < MOTION_SIZE; c++) {
      const place = (k - first) * MOTION_SIZE + c;
      places[place + MOTION_SIZE] = places[place] + (step?.[c] ?? 0);
    }
  }
  const speed = new Float64Array(MOTION_SIZE);
  splineSlope(
    Float64Array.from(knots.slice(first, last + 1), (knot) => knot.timeS),
    places,
    at - first,
    speed,
  );
  return speed;
}
