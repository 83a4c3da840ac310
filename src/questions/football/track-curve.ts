import type { ClassId } from '../../../models/index.js';
import type { Provenance } from '../../challenge/index.js';
import type { PictureSpace } from './camera.js';
import type { Places } from './places.js';
import type { Bodies } from './sample.js';
import { splineSlope } from './spline.js';

/** One place of a track in time: a sample where its body was seen. */
export interface Knot {
  /** Place of the sample in the shot. */
  readonly sample: number;
  readonly timeS: number;
  /** Ground metres. */
  readonly x: number;
  readonly y: number;
  readonly widthM: number;
  readonly heightM: number;
  readonly score: number;
  readonly boxXyxyPx: readonly [number, number, number, number];
  readonly source: Provenance;
  /** Unlike any other knot's: station revision · 128 + place in the sample. */
  readonly key: number;
  /** Whether the body is shown between this knot and the next. */
  readonly bridged: boolean;
  /** m/s, from the neighbouring knots. */
  speedX: number;
  speedY: number;
}

/** A person or the ball over a shot, ready to be asked for any moment. */
export interface Curve {
  readonly id: number;
  readonly classId: ClassId;
  readonly knots: readonly Knot[];
}

/** Places of a body on its way: ground metres and size. */
export interface Stance {
  x: number;
  y: number;
  widthM: number;
  heightM: number;
  score: number;
}

/** Nobody on a pitch is faster, m/s; beyond it a speed is an error of the boxes. */
const FASTEST_PERSON = 10;
const FASTEST_BALL = 35;

export interface Sighting {
  readonly sample: number;
  readonly timeS: number;
  readonly revision: number;
  readonly bodies: Bodies;
  readonly places: Places;
  /** Place of the body in the sample. */
  readonly body: number;
  readonly source: Provenance;
  readonly bridged: boolean;
}

export function knotOf(sighting: Sighting, space: PictureSpace): Knot {
  const { sample, timeS, revision, bodies, places, body: i, source, bridged } = sighting;
  const x = space.xPx(bodies.footU[i]);
  const y = space.yPx(bodies.footV[i]);
  const half = (bodies.width[i] * space.unitPx) / 2;
  return {
    sample,
    timeS,
    x: places.x[i],
    y: places.y[i],
    widthM: places.widthM[i],
    heightM: places.heightM[i],
    score: bodies.score[i],
    boxXyxyPx: [x - half, y - bodies.height[i] * space.unitPx, x + half, y],
    source,
    bridged,
    key: revision * 128 + i,
    speedX: 0,
    speedY: 0,
  };
}

/** Gives each knot the speed with which the smooth curve through its track passes; an absence ends one curve and begins another. */
export function setSpeeds(knots: readonly Knot[], classId: ClassId): void {
  let first = 0;
  knots.forEach((knot, n) => {
    if (knot.bridged && n + 1 < knots.length) return;
    setRunSpeeds(knots.slice(first, n + 1), classId === 0 ? FASTEST_BALL : FASTEST_PERSON);
    first = n + 1;
  });
}

function setRunSpeeds(knots: readonly Knot[], fastest: number): void {
  const times = new Float64Array(knots.length);
  const places = new Float64Array(knots.length * 2);
  knots.forEach((knot, n) => {
    times[n] = knot.timeS;
    places[n * 2] = knot.x;
    places[n * 2 + 1] = knot.y;
  });
  const slope = new Float64Array(2);
  knots.forEach((knot, n) => {
    splineSlope(times, places, n, slope);
    const limit = Math.min(1, fastest / (Math.hypot(slope[0], slope[1]) + 1e-9));
    knot.speedX = slope[0] * limit;
    knot.speedY = slope[1] * limit;
  });
}

/** Between two knots: cubic Hermite on the ground, sizes in proportion. */
export function between(from: Knot, to: Knot, timeS: number, out: Stance): void {
  const spanS = to.timeS - from.timeS;
  const t = (timeS - from.timeS) / spanS;
  const h01 = t * t * (3 - 2 * t);
  const h10 = t * (1 - t) * (1 - t) * spanS;
  const h11 = t * t * (t - 1) * spanS;
  out.x = from.x + h01 * (to.x - from.x) + h10 * from.speedX + h11 * to.speedX;
  out.y = from.y + h01 * (to.y - from.y) + h10 * from.speedY + h11 * to.speedY;
  out.widthM = from.widthM + t * (to.widthM - from.widthM);
  out.heightM = from.heightM + t * (to.heightM - from.heightM);
  out.score = Math.min(from.score, to.score);
}

/** How long a body keeps its speed once nobody sees it, s. */
const PERSISTENCE_S = 0.6;

/** Before the first or behind the last knot: the speed dies away. */
export function beyond(knot: Knot, timeS: number, out: Stance): void {
  const apartS = timeS - knot.timeS;
  const reach = Math.sign(apartS) * PERSISTENCE_S * (1 - Math.exp(-Math.abs(apartS) / PERSISTENCE_S));
  out.x = knot.x + knot.speedX * reach;
  out.y = knot.y + knot.speedY * reach;
  out.widthM = knot.widthM;
  out.heightM = knot.heightM;
  out.score = knot.score;
}
