import type { LoopLag } from './loop-lag.js';
import { createRecent } from './recent.js';

export interface FinishTimeOptions {
  readonly lag: Pick<LoopLag, 'ms'>;
}

/** What happens behind the hard cut, and so what must be kept free before the end of a budget; learnt from answer to answer. */
export interface FinishTime {
  /** For an answer of so many frames; undefined = not known yet. ms */
  expectedMs(frames: number | undefined): number;
  /**
   * The last snapshot of so many frames and its writing took so long, ms. The returned function takes what its compression
   * took, where somebody wanted that.
   */
  observe(frames: number, ms: number): (compressionMs: number) => void;
}

/**
 * Answers that are remembered, and which of them is reckoned with: the third slowest. Chosen: a load counts from the second
 * answer on and is forgotten with the eighth, and one hiccup costs the others no time.
 */
const REMEMBERED = { keep: 8, q: 0.75 };
/** Before anything was seen, ms a frame. Measured: `npm run bench:snapshot`, and the compression of 750 frames (src/server/wire-answer.ts). */
const UNSEEN_MS = (20 + 12) / 750;
/** An answer of few frames takes so long too, ms. Chosen. */
const LEAST_MS = 10;
/** Of fewer frames only the least is learnt: they say little about one more. Chosen. */
const FEW_FRAMES = 250;
/** Where nobody says how many frames there are: the challenges' clips. */
const USUAL_FRAMES = 750;

/** The timer of the cut comes late by the lag of the loop; what follows grows with the frames. */
export function createFinishTime({ lag }: FinishTimeOptions): FinishTime {
  const perFrame = createRecent({ ...REMEMBERED, prior: UNSEEN_MS });
  return {
    expectedMs: (frames = USUAL_FRAMES) => lag.ms + Math.max(LEAST_MS, frames * perFrame.expected),
    observe(frames, ms) {
      const share = 1 / Math.max(FEW_FRAMES, frames);
      const add = perFrame.observe(ms * share);
      return (compressionMs) => add(compressionMs * share);
    },
  };
}
