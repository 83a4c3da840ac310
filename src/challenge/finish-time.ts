import type { LoopLag } from './loop-lag.js';
import { quantile } from './quantile.js';

export interface FinishTimeOptions {
  readonly lag: Pick<LoopLag, 'ms'>;
}

/** What happens behind the hard cut, and so what must be kept free before the end of a budget; learnt from answer to answer. */
export interface FinishTime {
  /** For an answer of so many frames (undefined: not known yet), ms. */
  expectedMs(frames: number | undefined): number;
  /** The returned function takes what compressing that answer took, ms, where somebody wanted it. */
  observe(finish: ObservedFinish): (compressionMs: number) => void;
}

export interface ObservedFinish {
  readonly frames: number;
  /** What the last snapshot and its writing took, ms. */
  readonly writingMs: number;
  /** How long after its time the cut came, ms; undefined where none was needed. */
  readonly cutLateMs: number | undefined;
}

/** Answers that are remembered, and the share of them that would have been in time: all but the slowest. Chosen: one hiccup costs the others no time. */
const REMEMBERED = 12;
const IN_TIME = 0.9;
/** Before anything was seen, ms a frame. Measured: `npm run bench:snapshot`, and the compression of 750 frames (src/server/wire-answer.ts). */
const UNSEEN_MS = (20 + 12) / 750;
/** An answer of few frames takes so long too, ms. Chosen. */
const LEAST_MS = 10;
/** Of fewer frames only the least is learnt: they say little about one more. Chosen. */
const FEW_FRAMES = 250;
/** Where nobody says how many frames there are: the challenges' clips. */
const USUAL_FRAMES = 750;

interface Finish {
  /** How late the cut came. */
  readonly lateMs: number;
  msPerFrame: number;
}

/**
 * The cut comes late by the lag of the loop, and later where that is held up by the last work on the answer; what follows grows
 * with the frames. On a quiet machine all answers are alike. On a busy one they are not: there more is kept free than most need.
 */
export function createFinishTime({ lag }: FinishTimeOptions): FinishTime {
  const seen: Finish[] = [];
  return {
    expectedMs(frames = USUAL_FRAMES) {
      const known = seen.length > 0 ? seen : [{ lateMs: 0, msPerFrame: UNSEEN_MS }];
      const tookMs = known.map(
        ({ lateMs, msPerFrame }) => Math.max(lag.ms, lateMs) + Math.max(LEAST_MS, frames * msPerFrame),
      );
      return quantile(tookMs, IN_TIME);
    },
    observe({ frames, writingMs, cutLateMs = 0 }) {
      const share = 1 / Math.max(FEW_FRAMES, frames);
      const finish: Finish = { lateMs: cutLateMs, msPerFrame: writingMs * share };
      seen.push(finish);
      if (seen.length > REMEMBERED) seen.shift();
      return (compressionMs) => {
        finish.msPerFrame += compressionMs * share;
      };
    },
  };
}
