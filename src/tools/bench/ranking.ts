import type { Cell, Steadiness } from './cell.js';
import { differences, isSame, type Setting } from './setting.js';

/** How cells are ranked, in one line for the output. */
export function rankingRule(hasTruth: boolean): string {
  return hasTruth
    ? 'highest estimated caller score (0.65 quality + 0.35 speed against the fastest cell with fair boxes), then time'
    : 'answers of the whole clip first, then most frames per second that models saw, then least time (no --truth: no quality)';
}

/** Best first. Without truth an answer that an error cut short comes last. */
export function rank(cells: readonly Cell[]): Cell[] {
  return [...cells].sort(
    (a, b) =>
      whole(b) - whole(a) ||
      (b.quality?.score ?? 0) - (a.quality?.score ?? 0) ||
      (a.quality ? 0 : b.fps - a.fps) ||
      a.timeS - b.timeS,
  );
}

const whole = ({ stoppedBy }: Cell): number => (stoppedBy === 'error' ? 0 : 1);

export interface Recommendation {
  readonly cell: Cell;
  readonly reason: string;
}

export interface RecommendOptions {
  readonly cells: readonly Cell[];
  readonly reference: Setting;
  readonly steadiness: Steadiness;
}

/** Where truth tells the score, a smaller gain is none: two matches differ by more. Chosen. */
const LEAST_GAIN = 0.002;

/**
 * What to set: the best cell, where it beats the reference by more than the reference's own spread. Without truth nothing
 * tells what a smaller size, a shorter budget or a missing pitch costs, so these stay as they are.
 */
export function recommend({ cells, reference, steadiness }: RecommendOptions): Recommendation | undefined {
  const now = cells.find(({ setting }) => isSame(setting, reference));
  const hasTruth = cells.some(({ quality }) => quality !== undefined);
  const [best] = rank(hasTruth ? cells : cells.filter(({ setting }) => isComparable(setting, reference)));
  if (!best || !now || isSame(best.setting, reference))
    return best && { cell: best, reason: 'the present setting is the best of those measured' };
  const gain = hasTruth ? (best.quality?.score ?? 0) - (now.quality?.score ?? 0) : best.ratio - now.ratio;
  const least = hasTruth ? Math.max(LEAST_GAIN, steadiness.scoreSpread) : steadiness.spread;
  if (gain <= least)
    return {
      cell: now,
      reason: `no other beats the present setting by more than the noise (${show(least, hasTruth)})`,
    };
  const unit = hasTruth ? 'of estimated score' : 'of frames per second';
  return { cell: best, reason: `${show(gain, hasTruth)} ${unit} more than the present setting` };
}

const show = (value: number, isScore: boolean): string =>
  isScore ? value.toFixed(3) : `${(value * 100).toFixed(1)} %`;

const isComparable = (setting: Setting, reference: Setting): boolean =>
  differences(setting, reference).every((axis) => axis === 'batch' || axis === 'stride');

/** What the chart's heights and the Pareto front are made of. */
export const worthOf = (cell: Cell): number => cell.quality?.quality ?? cell.measured;

/** The cells that no other beats in both time and worth, by time. */
export function paretoFront(cells: readonly Cell[]): Cell[] {
  const byTime = [...cells].sort((a, b) => a.timeS - b.timeS || worthOf(b) - worthOf(a));
  let best = Number.NEGATIVE_INFINITY;
  return byTime.filter((cell) => {
    if (worthOf(cell) <= best) return false;
    best = worthOf(cell);
    return true;
  });
}
