import type { Provenance } from '../../challenge/index.js';
import type { AnswerFrame, AnswerObject } from './answer.js';
import type { Camera, PictureSpace, Point } from './camera.js';
import { projectKeyPoints } from './key-points.js';
import { FramePacker, type PackedFrame } from './packed-frame.js';
import { between, beyond, type Curve, type Knot, type Stance } from './track-curve.js';
import type { Station } from './tracklets.js';

/** Less than this share of a box inside the picture, and it is not shown. Chosen as the labels do. */
const LEAST_INSIDE = 0.35;
/** So far from the only sample of a stretch nothing moves any more by what an answer could show: frames are alike from there on. */
const REST_S = 8;
/** The same in frames, for clips of very many a second. */
const REST_FRAMES = 500;

/** Part of a curve that is shown in a stretch between two samples. */
export interface Part {
  readonly curve: Curve;
  /** The knots around the stretch; one of them is missing at the ends of a curve. */
  readonly from: Knot | undefined;
  readonly to: Knot | undefined;
}

/** The camera at any moment of a stretch. */
export interface CameraWay {
  at(timeS: number): Camera;
}

/** Frames between two samples of one shot (or before the first, or behind the last). */
export interface Stretch {
  /** Place of `from` in the shot, −1 before the first sample. */
  readonly place: number;
  readonly from: Station | undefined;
  readonly to: Station | undefined;
  /** Undefined = the nearer sample's camera stands still. */
  readonly way: CameraWay | undefined;
  readonly parts: readonly Part[];
  /** Frame numbers: first, and the one behind the last. `from`, where there is one, is the first. */
  readonly first: number;
  readonly end: number;
  /** How long somebody seen on one side only is shown, s; at most half the way to the other side. */
  readonly holdS: number;
  readonly space: PictureSpace;
  /** Time of a frame in s. */
  readonly timeOf: (frame: number) => number;
}

/**
 * For a shot of `count` samples: which curves are shown in each stretch; entry 0 lies before the first sample, entry k behind
 * sample k − 1. A generator, so that the caller may pause between curves.
 */
export function* partsOf(curves: readonly Curve[], count: number): Generator<undefined, readonly (readonly Part[])[]> {
  const parts: Part[][] = Array.from({ length: count + 1 }, () => []);
  for (const curve of curves) {
    const { knots } = curve;
    parts[knots[0].sample].push({ curve, from: undefined, to: knots[0] });
    for (let n = 0; n < knots.length; n++) {
      const from = knots[n];
      const to: Knot | undefined = knots[n + 1];
      if (to && from.bridged) {
        for (let k = from.sample; k < to.sample; k++) parts[k + 1].push({ curve, from, to });
      } else {
        parts[from.sample + 1].push({ curve, from, to: undefined });
        if (to) parts[to.sample].push({ curve, from: undefined, to });
      }
    }
    yield;
  }
  return parts;
}

/** Answers every frame of a stretch; a generator, so that the caller may pause between frames. */
export function* fillStretch(stretch: Stretch): Generator<undefined, AnswerFrame[]> {
  const { from, to, way, space } = stretch;
  const frames: AnswerFrame[] = [];
  const only = from && to ? undefined : (from ?? to);
  const rests = (index: number, timeS: number) =>
    only && (Math.abs(timeS - only.timeS) > REST_S || Math.abs(index - only.index) > REST_FRAMES);
  let still: PackedFrame | undefined;
  for (let index = stretch.first; index < stretch.end; index++) {
    const timeS = stretch.timeOf(index);
    const resting = rests(index, timeS);
    if (resting && still) {
      frames.push(still.at(index));
      continue;
    }
    const share = from && to ? (timeS - from.timeS) / (to.timeS - from.timeS) : from ? 0 : 1;
    const near = (share < 0.5 ? from : to) ?? from ?? to;
    const measured = from?.index === index;
    const camera = measured ? from.camera : (way?.at(timeS) ?? near?.camera);
    if (!near || !camera) continue;
    const source: Provenance = measured ? 'measured' : way && from && to ? 'interpolated' : 'held';
    const [start, end] = [from ?? near, to ?? near];
    projectKeyPoints({ camera, from: start.keyPoints, to: end.keyPoints, share, space, into: packer });
    for (const part of stretch.parts) {
      const object =
        measured && part.from?.sample === stretch.place
          ? seen(part.curve, part.from)
          : filled({ part, stretch, camera, timeS });
      if (object) packer.addObject(object);
    }
    const frame = packer.take(index, source);
    frames.push(frame);
    still = resting ? frame : undefined;
    yield;
  }
  return frames;
}

/** Used again for every frame. */
const packer = new FramePacker();
const stance: Stance = { x: 0, y: 0, widthM: 0, heightM: 0, score: 0 };
const point: Point = { x: 0, y: 0 };

function seen({ id, classId }: Curve, { boxXyxyPx, source, score }: Knot): AnswerObject {
  return { id, classId, boxXyxyPx, source, score };
}

interface Unseen {
  readonly part: Part;
  readonly stretch: Stretch;
  readonly camera: Camera;
  readonly timeS: number;
}

function filled({ part, stretch, camera, timeS }: Unseen): AnswerObject | undefined {
  const { curve, from, to } = part;
  const { space } = stretch;
  const { id, classId } = curve;
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
function isHeld(knot: Knot, { from, to, holdS }: Stretch, timeS: number): boolean {
  if (!from || !to) return true;
  const apartS = timeS - knot.timeS;
  const halfS = (to.timeS - from.timeS) / 2;
  // The exact middle belongs to the earlier side: both would show one id twice.
  return apartS >= 0 ? apartS <= Math.min(holdS, halfS) : -apartS <= holdS && -apartS < halfS;
}
