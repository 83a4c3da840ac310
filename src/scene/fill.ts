import type { AnswerFrame, AnswerObject, Provenance } from './answer.js';
import type { Camera, PictureSpace, Point } from './camera.js';
import { CameraPath } from './camera-track.js';
import { NO_KEY_POINTS, projectKeyPoints } from './key-points.js';
import { between, beyond, type Curve, type Knot, type Stance } from './track-curve.js';
import type { Station } from './tracklets.js';

/** A person missed by samples between is shown through up to this long, s; the ball through less: it is kicked meanwhile. Measured on rendered clips. */
const LONGEST_FILL_S = 1.5;
const LONGEST_BALL_FILL_S = 0.8;
/** How long somebody is shown on behind the last sample that saw him while the next one does not, s, at most half the way to it. */
const LONGEST_HOLD_S = 0.5;
/** Less than this share of a box inside the picture, and it is not shown. Chosen as the labels do. */
const LEAST_INSIDE = 0.35;

/** Part of a curve that is shown in a stretch between two samples. */
export interface Part {
  readonly curve: Curve;
  /** The knots around the stretch; one of them is missing at the ends of a curve. */
  readonly from: Knot | undefined;
  readonly to: Knot | undefined;
}

/** Frames between two samples of one shot (or before the first, or behind the last). */
export interface Stretch {
  readonly before: Station | undefined;
  readonly from: Station | undefined;
  readonly to: Station | undefined;
  readonly after: Station | undefined;
  readonly parts: readonly Part[];
  /** Frame numbers: first, and the one behind the last. `from`, where there is one, is the first. */
  readonly first: number;
  readonly end: number;
}

/** For a shot of `count` samples: which curves are shown in each stretch; entry 0 lies before the first sample, entry k behind sample k − 1. */
export function partsOf(curves: readonly Curve[], count: number): readonly (readonly Part[])[] {
  const parts: Part[][] = Array.from({ length: count + 1 }, () => []);
  for (const curve of curves) {
    const { knots } = curve;
    const longest = curve.classId === 0 ? LONGEST_BALL_FILL_S : LONGEST_FILL_S;
    parts[knots[0].sample].push({ curve, from: undefined, to: knots[0] });
    for (let n = 0; n < knots.length; n++) {
      const from = knots[n];
      const to: Knot | undefined = knots[n + 1];
      if (to && (to.sample === from.sample + 1 || to.timeS - from.timeS <= longest)) {
        for (let k = from.sample; k < to.sample; k++) parts[k + 1].push({ curve, from, to });
      } else {
        parts[from.sample + 1].push({ curve, from, to: undefined });
        if (to) parts[to.sample].push({ curve, from: undefined, to });
      }
    }
  }
  return parts;
}

/** Answers every frame of a stretch. `timeOf` gives the time of a frame in s. */
export function fillStretch(stretch: Stretch, space: PictureSpace, timeOf: (frame: number) => number): AnswerFrame[] {
  const { from, to } = stretch;
  const path = from && to && CameraPath.between(from, to, stretch.before, stretch.after);
  const frames: AnswerFrame[] = [];
  for (let index = stretch.first; index < stretch.end; index++) {
    const timeS = timeOf(index);
    const measured = from?.index === index;
    const camera = measured ? from.camera : path ? path.at(timeS) : (from ?? to)?.camera;
    const near = nearer(from, to, timeS);
    const source: Provenance = measured ? 'measured' : path ? 'interpolated' : 'held';
    const keyPoints = camera && near ? keyPointsOf(camera, near, space) : NO_KEY_POINTS;
    const objects: AnswerObject[] = [];
    for (const part of stretch.parts) {
      const object = camera && objectOf(part, stretch, camera, space, timeS, measured);
      if (object) objects.push(object);
    }
    frames.push({ index, source, keyPoints, objects });
  }
  return frames;
}

function nearer(from: Station | undefined, to: Station | undefined, timeS: number): Station | undefined {
  if (!from || !to) return from ?? to;
  return timeS - from.timeS <= to.timeS - timeS ? from : to;
}

function keyPointsOf(camera: Camera, near: Station, space: PictureSpace): AnswerFrame['keyPoints'] {
  return camera.onPitch ? projectKeyPoints(camera, near.certain, space) : NO_KEY_POINTS;
}

const stance: Stance = { x: 0, y: 0, widthM: 0, heightM: 0, score: 0 };
const point: Point = { x: 0, y: 0 };

function objectOf(
  { curve, from, to }: Part,
  stretch: Stretch,
  camera: Camera,
  space: PictureSpace,
  timeS: number,
  measured: boolean,
): AnswerObject | undefined {
  const { id, classId } = curve;
  if (measured && from && from.sample >= 0 && from.timeS === timeS) {
    return { id, classId, boxXyxyPx: from.boxXyxyPx, source: from.source, score: from.score };
  }
  let source: Provenance = 'interpolated';
  if (from && to) between(from, to, timeS, stance);
  else {
    const knot = from ?? to;
    if (!knot || !isHeld(knot, stretch, timeS)) return undefined;
    beyond(knot, timeS, stance);
    source = 'held';
  }
  if (!camera.toPicture(stance.x, stance.y, point)) return undefined;
  const scale = camera.scaleAt(stance.x, stance.y) * space.unitPx;
  const x = space.xPx(point.x);
  const y = space.yPx(point.y);
  const half = (stance.widthM * scale) / 2;
  const x1 = Math.max(0, x - half);
  const y1 = Math.max(0, y - stance.heightM * scale);
  const x2 = Math.min(space.width, x + half);
  const y2 = Math.min(space.height, y);
  if (!(x2 > x1 && y2 > y1)) return undefined;
  if ((x2 - x1) * (y2 - y1) < LEAST_INSIDE * 2 * half * stance.heightM * scale) return undefined;
  return { id, classId, boxXyxyPx: [x1, y1, x2, y2], source, score: stance.score };
}

/** Whether somebody seen on one side only is still shown: to the end of the shot, or half the way to the sample without him. */
function isHeld(knot: Knot, { from, to }: Stretch, timeS: number): boolean {
  if (!from || !to) return true;
  const apartS = Math.abs(timeS - knot.timeS);
  return apartS <= Math.min(LONGEST_HOLD_S, (to.timeS - from.timeS) / 2);
}
