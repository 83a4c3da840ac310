import { type Speeds, type Work, wallMs } from './cost-model.js';
import { evenly } from './gops.js';
import type { Ledger, Spacing, Stretch } from './ledger.js';

/** What may still be spent. */
export interface Means {
  /** Until no frame can be taken in any more. */
  readonly leftMs: number;
  /** Frames that the models are still busy with. */
  readonly backlogFrames: number;
  readonly speeds: Speeds;
}

/** Share of the time left that may be planned for a whole round: predictions err. Chosen. */
export const CONFIDENCE = 0.9;
/** GOPs on which spacings are compared; of more, an even choice stands for all. Chosen: some 5 ms of planning at most. */
const MOST_COMPARED = 12;
/** Lengths of a tail that are tried, in parts of the longest GOP. Chosen. */
const TAIL_STEPS = 6;

/** Share of the time left that the work takes; more than 1 where none is left. */
export function loadOf(work: Work, { leftMs, backlogFrames, speeds }: Means): number {
  // The first byte comes late.
  const usableMs = leftMs - (work.bytes > 0 ? speeds.rttMs / 2 : 0);
  return usableMs > 0 ? wallMs(speeds, work, backlogFrames) / usableMs : Number.POSITIVE_INFINITY;
}

/** Multiples of `step` up to `longest`, widest first, each at least a fifth narrower than the one before. */
export function gapsTo(longest: number, step: number): number[] {
  const gaps: number[] = [];
  for (let gap = step; gap < longest; gap = Math.max(gap + step, Math.round((gap * 1.25) / step) * step))
    gaps.unshift(gap);
  return gaps.length > 0 ? gaps : [step];
}

/**
 * The spacing that saves most of what filling loses in the time that is left: a narrow gap costs inference, a short tail bytes
 * and decoding. Where a round at it takes longer than that, it reckons with the share of the stretches that can be had.
 * Undefined where nothing is saved.
 */
export function chooseSpacing(
  ledger: Ledger,
  stretches: readonly Stretch[],
  gaps: readonly number[],
  means: Means,
): Spacing | undefined {
  const longest = Math.max(0, ...stretches.map(({ gop }) => gop.endFrame - gop.firstFrame));
  const some = evenly(stretches, MOST_COMPARED);
  const share = some.length / Math.max(1, stretches.length);
  const forSome = { ...means, leftMs: means.leftMs * share, backlogFrames: means.backlogFrames * share };
  const loadAt = (spacing: Spacing) => loadOf(ledger.workOfAll(some, spacing), forSome);
  const lossNow = some.reduce((sum, { gop }) => sum + ledger.lossOf(gop, []), 0);
  const lossAt = (spacing: Spacing) =>
    some.reduce((sum, stretch) => sum + ledger.lossOf(stretch.gop, ledger.visitOf(stretch, spacing).keep), 0);

  const everyFrame = { gapFrames: gaps.at(-1) ?? 1, tailFrames: 0 };
  if (loadAt(everyFrame) <= CONFIDENCE) return everyFrame;
  let best: Spacing | undefined;
  let most = 0;
  for (const gapFrames of gaps) {
    for (let step = 0; step <= TAIL_STEPS; step++) {
      const tailFrames = Math.round(gapFrames - 1 + ((longest - gapFrames) * step) / TAIL_STEPS);
      const spacing = { gapFrames, tailFrames };
      const saved = (lossNow - lossAt(spacing)) * Math.min(1, CONFIDENCE / loadAt(spacing));
      if (saved > most) [best, most] = [spacing, saved];
    }
  }
  return best;
}
