import type { ClassId } from '../../../models/index.js';
import { PITCH_POINTS } from '../../questions/football/index.js';
import { BALL_RADIUS_M } from './ball.js';
import type { Camera } from './camera.js';
import { type Figure, figureOf } from './figure.js';
import type { Person } from './match-cast.js';
import type { Moment } from './match-track.js';
import { type Limb, skeletonOf } from './skeleton.js';

/** What is in one frame, in the shape of docs/protocol.md §2. */
export interface TruthFrame {
  readonly frame_number: number;
  /** 32 × [x, y] in pixels, [0, 0] = not in the picture. */
  readonly keypoints: readonly (readonly [number, number])[];
  readonly objects: readonly TruthObject[];
}

export interface TruthObject {
  readonly id: number;
  /** x1, y1, x2, y2 in pixels, clipped to the picture. */
  readonly bbox: readonly [number, number, number, number];
  readonly class_id: ClassId;
}

/** What is in every frame of a clip. */
export interface Truth {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly frames: readonly TruthFrame[];
}

type Box = readonly [number, number, number, number];

/** A person in front of the lens. */
export interface Actor {
  readonly person: Person;
  /** Place in the cast. */
  readonly index: number;
  readonly limbs: readonly Limb[];
  readonly figure: Figure;
}

export interface BallInPicture {
  readonly xPx: number;
  readonly yPx: number;
  readonly radiusPx: number;
  readonly depthM: number;
}

/** Whether a box, or the shadow beside it, may show in the picture. */
const inView = ([x1, y1, x2, y2]: Box, { width, height }: Camera): boolean => {
  const shadow = 1.5 * (y2 - y1);
  return x2 > -shadow && x1 < width + shadow && y2 > -shadow && y1 < height + shadow;
};

/** Everybody in view, far to near, and the ball: what is drawn and what the truth is read from. */
export function stage(people: readonly Person[], moment: Moment, camera: Camera) {
  const actors: Actor[] = [];
  people.forEach((person, index) => {
    const stance = moment.stances[index];
    if (!stance) return;
    const limbs = skeletonOf(person, stance);
    const figure = figureOf(limbs, camera);
    if (figure && inView(figure.boxXyxyPx, camera)) actors.push({ person, index, limbs, figure });
  });
  actors.sort((a, b) => b.figure.depthM - a.figure.depthM);
  const seen = camera.project(moment.ball.xM, moment.ball.yM, moment.ball.zM);
  const ball: BallInPicture = { ...seen, radiusPx: (BALL_RADIUS_M * camera.focalPx) / Math.max(3, seen.depthM) };
  return { actors, ball };
}

// What annotators do, read off the labelled frames: a body cut off at the border is marked while a good third shows.
const LEAST_INSIDE = 0.35;
const LEAST_UNCOVERED = 0.25;
const CELLS = 8;

/** Share of `box` that no box in `others` covers, on an 8 × 8 grid. */
function uncovered(box: Box, others: readonly Box[]): number {
  let free = 0;
  for (let i = 0; i < CELLS * CELLS; i++) {
    const x = box[0] + ((box[2] - box[0]) * ((i % CELLS) + 0.5)) / CELLS;
    const y = box[1] + ((box[3] - box[1]) * (Math.floor(i / CELLS) + 0.5)) / CELLS;
    if (!others.some((o) => x > o[0] && x < o[2] && y > o[1] && y < o[3])) free++;
  }
  return free / (CELLS * CELLS);
}

const round = (value: number): number => Math.round(value * 100) / 100;

function clipped(box: Box, width: number, height: number): Box | undefined {
  const inside: Box = [Math.max(0, box[0]), Math.max(0, box[1]), Math.min(width, box[2]), Math.min(height, box[3])];
  const area = Math.max(0, inside[2] - inside[0]) * Math.max(0, inside[3] - inside[1]);
  if (area < LEAST_INSIDE * (box[2] - box[0]) * (box[3] - box[1])) return undefined;
  return [round(inside[0]), round(inside[1]), round(inside[2]), round(inside[3])];
}

const ballIsHidden = (ball: BallInPicture, actors: readonly Actor[]): boolean =>
  actors.some(
    ({ figure }) =>
      figure.depthM < ball.depthM &&
      figure.sticks.some((s) => {
        const [dx, dy] = [s.x2 - s.x1, s.y2 - s.y1];
        const share = Math.min(
          1,
          Math.max(0, ((ball.xPx - s.x1) * dx + (ball.yPx - s.y1) * dy) / (dx * dx + dy * dy || 1)),
        );
        return Math.hypot(ball.xPx - s.x1 - dx * share, ball.yPx - s.y1 - dy * share) < s.radius;
      }),
  );

/** Reads the truth of one frame for the picture that `camera` takes. */
export function truthOf(
  frameNumber: number,
  { actors, ball }: { readonly actors: readonly Actor[]; readonly ball: BallInPicture },
  camera: Camera,
): TruthFrame {
  const { width, height } = camera;
  const objects: TruthObject[] = [];
  actors.forEach(({ person, figure }, place) => {
    const bbox = clipped(figure.boxXyxyPx, width, height);
    const before = actors.slice(place + 1).map((other) => other.figure.boxXyxyPx);
    if (bbox && uncovered(figure.boxXyxyPx, before) >= LEAST_UNCOVERED)
      objects.push({ id: person.id, bbox, class_id: person.classId });
  });
  const r = Math.max(1, ball.radiusPx);
  const ballBox = clipped([ball.xPx - r, ball.yPx - r, ball.xPx + r, ball.yPx + r], width, height);
  if (ballBox && !ballIsHidden(ball, actors)) objects.push({ id: 0, bbox: ballBox, class_id: 0 });
  objects.sort((a, b) => a.id - b.id);
  const keypoints = PITCH_POINTS.map(([x, y]): readonly [number, number] => {
    const p = camera.project(x, y);
    const inside = p.depthM > 1 && p.xPx > 0 && p.yPx > 0 && p.xPx < width && p.yPx < height;
    return inside ? [round(p.xPx), round(p.yPx)] : [0, 0];
  });
  return { frame_number: frameNumber, keypoints, objects };
}
