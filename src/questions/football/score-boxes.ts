import { isUnscoredBox } from './frame-json.js';
import { iou } from './sample.js';
import type { ClipTruth, WireAnswer, WireObject } from './wire.js';

/** A crop that overlaps a person this much shows that person to CLIP. Chosen; below it shows turf. */
const LEAST_SHOWN = 0.3;
/** docs/protocol.md §3. */
const NEAR_BALL = 0.01;
const WRONG_PERSON = 0.5;
const WRONG = -1;
const ANSWERED_SHARE = 0.7;

/**
 * The callers' score of the boxes, 0..1 (docs/protocol.md §3). Where they ask CLIP what a crop shows, the truth says it. They draw 100
 * frames; this is the mean over all of `frames` that the truth has labelled, which is what such a draw gives on average.
 */
export function scoreBoxes(answer: WireAnswer, truth: ClipTruth, frames: readonly number[]): number {
  const byNumber = new Map(answer.frames.map((frame) => [frame.frame_number, frame]));
  let sum = 0;
  let labelled = 0;
  let answered = 0;
  for (const n of frames) {
    const { frame_number, objects } = truth.frames[n];
    if (!objects) continue;
    labelled++;
    const frame = byNumber.get(frame_number);
    if (!frame) continue;
    answered++;
    sum += scoreFrame(frame.objects, objects, truth);
  }
  if (answered === 0) return 0;
  const share = Math.min(1, answered / labelled / ANSWERED_SHARE);
  return Math.min(1, Math.max(0, Math.min(1, sum / answered) * share));
}

function scoreFrame(
  objects: readonly WireObject[],
  expected: readonly WireObject[],
  { width, height }: ClipTruth,
): number {
  const kept = objects.filter(({ bbox, class_id }) => !isUnscoredBox(bbox, class_id));
  if (kept.length === 0) return 0;
  const earlier = new Map<string, number>();
  let balls = 0;
  let sum = 0;
  for (const object of kept) {
    const extra = object.class_id === 0 && balls++ > 0;
    const shown = extra ? undefined : judge(object, expected, Math.hypot(width, height));
    const label = shown ? String(shown.class_id) : 'nothing';
    const count = earlier.get(label) ?? 0;
    earlier.set(label, count + 1);
    sum += points(object, shown) / 2 ** count;
  }
  return (sum / (earlier.size + 1)) * areaFactor(kept, width * height);
}

function points(object: WireObject, shown: WireObject | undefined): number {
  if (!shown) return WRONG;
  if (shown.class_id === object.class_id) return 1;
  return shown.class_id === 0 || object.class_id === 0 ? WRONG : WRONG_PERSON;
}

/** What a crop shows: the true object that it overlaps most. */
function judge(object: WireObject, expected: readonly WireObject[], diagonal: number): WireObject | undefined {
  let best: WireObject | undefined;
  let most = 0;
  for (const real of expected) {
    const overlap = iou(object.bbox, real.bbox);
    const near = object.class_id === 0 && real.class_id === 0 && apart(object, real) <= NEAR_BALL * diagonal;
    const value = near ? Math.max(overlap, LEAST_SHOWN) : overlap;
    if (value < LEAST_SHOWN || value <= most) continue;
    most = value;
    best = real;
  }
  return best;
}

function apart({ bbox: a }: WireObject, { bbox: b }: WireObject): number {
  return Math.hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2;
}

/** Boxes that cover much of the picture are no persons on a pitch (docs/protocol.md §3). */
function areaFactor(objects: readonly WireObject[], pictureArea: number): number {
  const total = objects.reduce((sum, { bbox }) => sum + (bbox[2] - bbox[0]) * (bbox[3] - bbox[1]), 0) / pictureArea;
  const mean = total / objects.length;
  if (mean > 0.015) return Math.exp(-80 * (mean - 0.015));
  return total > 0.15 ? Math.exp(-3 * (total - 0.15)) : 1;
}
