import type { Visit } from '../container/index.js';
import { type Speeds, type Work, wallMs } from './cost-model.js';
import { evenly, longestOf } from './gops.js';
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
/** Frames of all of them together. Chosen: the same. */
const MOST_FRAMES = 4096;
/** Lengths of a tail that are tried, in parts of the longest GOP. Chosen. */
const TAIL_STEPS = 6;

/** Share of the time left that the work takes; more than 1 where none is left. */
export function loadOf(work: Work, { leftMs, backlogFrames, speeds }: Means): number {
  // The first byte comes late.
  const usableMs = leftMs - (work.bytes > 0 ? speeds.rttMs / 2 : 0);
  return usableMs > 0 ? wallMs(speeds, work, backlogFrames) / usableMs : Number.POSITIVE_INFINITY;
}

/** In a longer GOP the narrowest gaps are not compared: all its frames are counted for each. Chosen. */
const MOST_KEPT = 1024;

/** Multiples of `step` up to `longest`, widest first, each at least a fifth narrower than the one before, but for the last. */
export function gapsTo(longest: number, step: number): number[] {
  const gaps: number[] = [];
  const narrowest = Math.max(1, Math.ceil(longest / MOST_KEPT / step)) * step;
  for (let gap = narrowest; gap < longest; gap = Math.max(gap + step, Math.round((gap * 1.25) / step) * step))
    gaps.unshift(gap);
  if (narrowest > step) gaps.push(step);
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
  const longest = longestOf(stretches.map(({ gop }) => gop));
  const some = evenly(stretches, Math.max(1, Math.min(MOST_COMPARED, Math.floor(MOST_FRAMES / longest))));
  const share = some.length / Math.max(1, stretches.length);
  const forSome = { ...means, leftMs: means.leftMs * share, backlogFrames: means.backlogFrames * share };
  const lossWith = (visits: readonly Visit[]) =>
    some.reduce((sum, { gop }, i) => sum + ledger.lossOf(gop, visits[i]?.keep ?? []), 0);
  const lossNow = lossWith([]);
  const narrowest = gaps.at(-1) ?? 1;

  const everyFrame = { gapFrames: narrowest, tailFrames: 0 };
  if (loadOf(ledger.workOfAll(some, everyFrame), forSome) <= CONFIDENCE) return everyFrame;
  let best: Spacing | undefined;
  let most = 0;
  for (const gapFrames of gaps) {
    // Every frame of a long GOP is a choice for the last of the time: not one to weigh tails for.
    const tails = gapFrames === narrowest && longest > gapFrames * MOST_KEPT ? 0 : TAIL_STEPS;
    for (let step = 0; step <= tails; step++) {
      const tailFrames = Math.round(gapFrames - 1 + ((longest - gapFrames) * step) / TAIL_STEPS);
      const spacing = { gapFrames, tailFrames };
      const visits = some.map((stretch) => ledger.visitOf(stretch, spacing));
      const load = loadOf(ledger.workOfVisits(visits), forSome);
      const saved = (lossNow - lossWith(visits)) * Math.min(1, CONFIDENCE / load);
      if (saved > most) [best, most] = [spacing, saved];
    }
  }
  return best;
}
