import type { KeyPoint } from '../contract.js';
import type { TruthPoint } from './dataset.js';

/** A place on the picture in pixels. */
export type PointPx = readonly [number, number];

/**
 * Fits the pitch to the key points that were seen (undefined = not seen) and says where all 32 lie then; undefined where
 * no plane fits. `tolerancePx`: a point further off does not count.
 */
export type FitPitch = (seen: readonly (PointPx | undefined)[], tolerancePx: number) => readonly PointPx[] | undefined;

/** What one image contributes. Distances are shares of the picture's diagonal. */
export interface KeyPointCounts {
  readonly visible: number;
  /** Visible, seen, and nearer than 1 % / 2 % of the diagonal. */
  readonly within1: number;
  readonly within2: number;
  readonly seen: number;
  /** Seen, but not visible or further off than 2 %. */
  readonly wrong: number;
  /** Median distance between labelled points and the fitted pitch; undefined where no pitch was fitted. */
  readonly pitchError: number | undefined;
}

/** RANSAC tolerance of the reference evaluation: 18 px at 1920×1080, as a share of the diagonal. */
const pitchTolerance = 18 / Math.hypot(1920, 1080);

export interface KeyPointImage {
  readonly found: readonly KeyPoint[];
  readonly truth: readonly TruthPoint[];
  readonly widthPx: number;
  readonly heightPx: number;
}

export function countKeyPoints(
  { found, truth, widthPx, heightPx }: KeyPointImage,
  threshold: number,
  fitPitch: FitPitch,
): KeyPointCounts {
  const diagonal = Math.hypot(widthPx, heightPx);
  const counts = { visible: 0, within1: 0, within2: 0, seen: 0, wrong: 0 };
  const seen = truth.map(({ xNorm, yNorm, visible }, i): PointPx | undefined => {
    const point = found[i];
    const isSeen = point !== undefined && point.score > 0 && point.score >= threshold;
    if (visible) counts.visible++;
    if (!isSeen) return undefined;
    const distance = Math.hypot(point.xPx - xNorm * widthPx, point.yPx - yNorm * heightPx) / diagonal;
    counts.seen++;
    if (visible && distance < 0.01) counts.within1++;
    if (visible && distance < 0.02) counts.within2++;
    else counts.wrong++;
    return [point.xPx, point.yPx];
  });
  const pitch = counts.seen >= 4 ? fitPitch(seen, pitchTolerance * diagonal) : undefined;
  const errors = pitch?.flatMap(([x, y], i) => {
    const label = truth[i];
    return label?.visible ? [Math.hypot(x - label.xNorm * widthPx, y - label.yNorm * heightPx) / diagonal] : [];
  });
  return { ...counts, pitchError: errors && median(errors) };
}

export interface KeyPointFigures {
  readonly threshold: number;
  readonly images: number;
  readonly visible: number;
  readonly pck1: number;
  readonly pck2: number;
  /** Share of the seen points that are wrong. */
  readonly falsePositives: number;
  readonly homographyShare: number;
  /** Share of the diagonal. */
  readonly homographyMedianError: number;
}

export function keyPointFigures(threshold: number, images: readonly KeyPointCounts[]): KeyPointFigures {
  const sum = (of: (counts: KeyPointCounts) => number) => images.reduce((total, counts) => total + of(counts), 0);
  const visible = sum((counts) => counts.visible);
  const errors = images.map(({ pitchError }) => pitchError).filter((error) => error !== undefined);
  return {
    threshold,
    images: images.length,
    visible,
    pck1: sum(({ within1 }) => within1) / Math.max(1, visible),
    pck2: sum(({ within2 }) => within2) / Math.max(1, visible),
    falsePositives:
      sum(({ wrong }) => wrong) /
      Math.max(
        1,
        sum(({ seen }) => seen),
      ),
    homographyShare: errors.length / Math.max(1, images.length),
    homographyMedianError: median(errors),
  };
}

/** NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
