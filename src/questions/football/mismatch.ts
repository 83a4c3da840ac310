import { type Comparison, isShown } from './compare.js';
import type { ClipTruth, TruthFrame, WireAnswer } from './wire.js';

/** Of boxes and key points; below it even a poor answer to the right clip does not fall (chosen: poor models reach a quarter). */
const ABSURD_SHARE = 0.05;
/** Fewer boxes and key points tell nothing about a clip. Chosen. */
const LEAST_MARKS = 100;

/**
 * Signs that an answer belongs to another clip than the truth, as sentences for whoever joined the two: other frames, another
 * picture size, next to nothing in common. None of it is an error: an answer may be partial, or that poor.
 */
export function findMismatches(answer: WireAnswer, truth: ClipTruth, comparison: Comparison): readonly string[] {
  return [...frameMismatch(answer, truth), ...sizeMismatch(answer, truth), ...placeMismatch(answer, truth, comparison)];
}

function frameMismatch({ frames }: WireAnswer, truth: ClipTruth): string[] {
  const known = new Set(truth.frames.map(({ frame_number }) => frame_number));
  const foreign = frames.filter(({ frame_number }) => !known.has(frame_number)).length;
  if (foreign > 0)
    return [`${foreign} of the answer's ${frames.length} frames are not in the truth, which has ${known.size}`];
  return frames.length < known.size
    ? [`the answer has ${frames.length} of the truth's ${known.size} frames: partial, or of a shorter clip`]
    : [];
}

function sizeMismatch({ frames }: WireAnswer, truth: ClipTruth): string[] {
  const [found, real] = [extent(frames), extent(truth.frames)];
  const reach = `the answer reaches to ${Math.round(found.x)}×${Math.round(found.y)} px`;
  const { width, height } = truth;
  if (found.x > width + 1 || found.y > height + 1) return [`${reach}, the truth's picture ends at ${width}×${height}`];
  const isSmall = found.x < real.x / 2 && found.y < real.y / 2;
  if (!isSmall || found.marks < LEAST_MARKS) return [];
  return [`${reach} only, the truth to ${Math.round(real.x)}×${Math.round(real.y)}: of a smaller picture?`];
}

function placeMismatch({ frames }: WireAnswer, truth: ClipTruth, { person, keypoints }: Comparison): string[] {
  const enough = extent(frames).marks >= LEAST_MARKS && extent(truth.frames).marks >= LEAST_MARKS;
  if (!enough || person.precision > ABSURD_SHARE || keypoints.extra < 1 - ABSURD_SHARE) return [];
  return ['next to nothing of the answer lies where the truth has it'];
}

/** How far right and down boxes and key points reach, px, and how many there are. */
function extent(frames: readonly TruthFrame[]): { readonly x: number; readonly y: number; readonly marks: number } {
  let [x, y, marks] = [0, 0, 0];
  for (const { objects, keypoints } of frames) {
    const corners = (objects ?? []).map(({ bbox }) => [bbox[2], bbox[3]] as const);
    for (const [right, bottom] of [...corners, ...keypoints.filter(isShown)]) {
      x = Math.max(x, right);
      y = Math.max(y, bottom);
      marks++;
    }
  }
  return { x, y, marks };
}
