import type { SampleIndex } from '../container/index.js';

/** What is known of the clip; parts may be learnt later (`setClip`). */
export interface ClipFrames {
  /** Frames of the clip; undefined = not known yet: the answer then reaches to the last finding. */
  readonly frameCount?: number | undefined;
  /** Presentation time of frame n in µs from the first frame, by frame number. Default: from `fps`. */
  readonly framePtsUs?: ArrayLike<number> | undefined;
  /** Frames per second, used where `framePtsUs` is missing. Default 25. */
  readonly fps?: number | undefined;
  /** Frame numbers of keyframes, ascending: where a cut is likely. */
  readonly keyframes?: readonly number[] | undefined;
  /** Coded size of frame n in bytes, by frame number: a cut shows as a frame that outweighs its neighbours. */
  readonly frameBytes?: ArrayLike<number> | undefined;
}

/** What an index tells. */
export function clipFramesOf(index: SampleIndex): ClipFrames {
  const keyframes: number[] = [];
  const frameBytes = new Float64Array(index.frameCount);
  for (let sample = 0; sample < index.sampleCount; sample++) {
    const frame = index.frameNumber[sample] ?? -1;
    if (frame < 0) continue;
    frameBytes[frame] = index.sizeBytes[sample] ?? 0;
    if (index.sync[sample]) keyframes.push(frame);
  }
  return { frameCount: index.frameCount, framePtsUs: index.framePtsUs, keyframes, frameBytes };
}
