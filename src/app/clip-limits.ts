import type { ClipLimits } from '../limits/index.js';
import type { Config } from './config.js';

/** What the configuration says of clips that are too much. */
export function clipLimits(config: Config): ClipLimits {
  return {
    maxFrames: config.MAX_FRAMES,
    maxSeconds: config.MAX_CLIP_S,
    maxPixels: config.MAX_PIXELS,
    maxIndexBytes: config.MAX_INDEX_MB * 1e6,
    maxIndexBoxes: config.MAX_INDEX_BOXES,
    maxEdits: config.MAX_EDITS,
    maxSampleBytes: config.MAX_SAMPLE_MB * 1e6,
    maxAnswerBytes: config.MAX_ANSWER_MB * 1e6,
  };
}
