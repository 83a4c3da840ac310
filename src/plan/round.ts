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
const CONFIDENCE = 0.9;
/** GOPs on which spacings are compared; of more, an even choice stands for all. Chosen: some 5 ms of planning at most. */
const MOST_COMPARED = 24;
/** Lengths of a tail that are tried, in parts of the longest GOP. Chosen. */
const TAIL_STEPS = 24;

/** Share of the time left that the work takes; more than 1 where none is left. */
export function loadOf(work: Work, { leftMs, backlogFrames, speeds }: Means): number {
  // The first byte comes late.
  const usableMs = leftMs - (work.bytes > 0 ? speeds.rttMs / 2 : 0);
  return usableMs > 0 ? wallMs(speeds, work, backlogFrames) / usableMs : Number.POSITIVE_INFINITY;
}

function isAffordable(work: Work, means: Means): boolean {
  return loadOf(work, means) <= CONFIDENCE;
}

/** Multiples of `step` up to `longest`, widest first, each at least a fifth narrower than the one before. */
export function gapsTo(longest: number, step: number): number[] {
  const gaps: number[] = [];
  for (let gap = step; gap < longest; gap = Math.max(gap + step, Math.round((gap * 1.25) / step) * step))
    gaps.unshift(gap);
  return gaps.length > 0 ? gaps : [step];
}

/**
 * The spacing at which a round over the stretches loses least to filling, of those that the means pay for: a narrow gap
 * costs inference, a short tail bytes and decoding. Undefined where nothing better than what is there can be paid for.
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
  const isPayable = (spacing: Spacing) => isAffordable(ledger.workOfAll(some, spacing), forSome);
  const lossAt = (spacing: Spacing) =>
    some.reduce((sum, stretch) => sum + ledger.lossOf(stretch.gop, ledger.visitOf(stretch, spacing).keep), 0);

  const everyFrame = { gapFrames: gaps.at(-1) ?? 1, tailFrames: 0 };
  if (isPayable(everyFrame)) return everyFrame;
  let best: Spacing | undefined;
  let least = some.reduce((sum, { gop }) => sum + ledger.lossOf(gop, []), 0);
  for (const gapFrames of gaps) {
    const spacingAt = (step: number) => ({
      gapFrames,
      tailFrames: Math.round(gapFrames - 1 + ((longest - gapFrames) * step) / TAIL_STEPS),
    });
    let low = 0;
    let high = TAIL_STEPS;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isPayable(spacingAt(middle))) high = middle;
      else low = middle + 1;
    }
    const shortest = spacingAt(low);
    if (!isPayable(shortest)) continue;
    const loss = lossAt(shortest);
    if (loss >= least) continue;
    least = loss;
    best = shortest;
  }
  return best;
}
