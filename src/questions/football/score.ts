import { isShown } from './compare.js';
import { scoreBoxes } from './score-boxes.js';
import { type KeyPointScore, scoreKeyPoints } from './score-key-points.js';
import type { ClipTruth, WireAnswer } from './wire.js';

export interface ScoreOptions {
  /** Time to the answer as the caller measures it, s. Default: the answer's own `processing_time`; without one, speed counts in full. */
  readonly timeS?: number | undefined;
  /** Time of the fastest server with a fair answer, s. Default: this one's own time. */
  readonly fastestS?: number | undefined;
}

/** What an answer would get from a caller, all 0..1 (docs/protocol.md §3). */
export interface ScoreEstimate {
  /** Frames that show the pitch; callers skip a challenge with fewer than 75. */
  readonly validFrames: number;
  readonly skipped: boolean;
  readonly boxes: number;
  readonly keypoints: KeyPointScore;
  readonly quality: number;
  /** As far as it was told. */
  readonly timeS: number | undefined;
  readonly fastestS: number | undefined;
  readonly speed: number;
  readonly total: number;
}

/** docs/protocol.md §3. */
const LEAST_FRAMES = 75;
const LEAST_BOXES = 0.2;
const LATEST_S = 15;
/** A frame shows the pitch when a homography could follow from what the truth sees. */
const LEAST_POINTS = 4;

/** Estimates the callers' score: truth judges where CLIP would, projected true lines stand in for detected ones. */
export function estimateScore(answer: WireAnswer, truth: ClipTruth, options: ScoreOptions = {}): ScoreEstimate {
  const frames = [...truth.frames.keys()].filter(
    (n) => truth.frames[n].keypoints.filter(isShown).length >= LEAST_POINTS,
  );
  const boxes = scoreBoxes(answer, truth, frames);
  const keypoints = scoreKeyPoints(answer, truth, frames);
  const quality = (boxes + keypoints.score) / 2;
  const { fastestS } = options;
  const timeS = options.timeS ?? answer.processing_time ?? undefined;
  return {
    validFrames: frames.length,
    skipped: frames.length < LEAST_FRAMES,
    boxes,
    keypoints,
    quality,
    timeS,
    fastestS,
    ...totalScore({ boxes, quality, timeS: timeS ?? 0, fastestS: fastestS ?? timeS ?? 0 }),
  };
}

export interface TotalScoreOptions {
  /** Score of the boxes and mean of both parts, 0..1. */
  readonly boxes: number;
  readonly quality: number;
  readonly timeS: number;
  /** Of the fastest server with fair boxes. */
  readonly fastestS: number;
}

/** Whether an answer's time counts, for itself and as that of the fastest. */
export const hasFairBoxes = (boxes: number): boolean => boxes > LEAST_BOXES;

/** Speed and total from the parts (docs/protocol.md §3). */
export function totalScore({ boxes, quality, timeS, ...others }: TotalScoreOptions): {
  readonly speed: number;
  readonly total: number;
} {
  const fastestS = Math.min(timeS, others.fastestS);
  const inTime = hasFairBoxes(boxes) && timeS < LATEST_S;
  const speed = inTime ? Math.exp((-5 * (timeS - fastestS)) / (LATEST_S - fastestS)) : 0;
  return { speed, total: 0.65 * quality + 0.35 * speed };
}
