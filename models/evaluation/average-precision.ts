/** Boxes of one class in one image: what was found, best first, whether each hit a labelled object, and how many there were. */
export interface MatchedImage {
  readonly scores: readonly number[];
  readonly hits: readonly boolean[];
  readonly truths: number;
}

export interface BoxXyxy {
  readonly box: readonly [number, number, number, number];
}

export interface ScoredBox extends BoxXyxy {
  readonly score: number;
}

export interface PrecisionFigures {
  /** Area under the precision envelope (all points). */
  readonly ap: number;
  /** Labelled objects. */
  readonly truths: number;
  /** At the threshold with the best F1. */
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly threshold: number;
}

/** The usual PASCAL VOC criterion. */
const hitIou = 0.5;

/** Greedy by score: a box hits when the unclaimed label that it overlaps most has an IoU of at least 0.5. */
export function matchBoxes(found: readonly ScoredBox[], truths: readonly BoxXyxy[]): MatchedImage {
  const ordered = [...found].sort((a, b) => b.score - a.score);
  const claimed = new Set<number>();
  const hits = ordered.map(({ box }) => {
    let best = -1;
    let bestIou = 0;
    truths.forEach((truth, i) => {
      const iou = claimed.has(i) ? 0 : iouOf(box, truth.box);
      if (iou > bestIou) [best, bestIou] = [i, iou];
    });
    if (bestIou < hitIou) return false;
    claimed.add(best);
    return true;
  });
  return { scores: ordered.map(({ score }) => score), hits, truths: truths.length };
}

export function iouOf(a: BoxXyxy['box'], b: BoxXyxy['box']): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared);
}

/** Figures of one class over many images. */
export function averagePrecision(images: readonly MatchedImage[]): PrecisionFigures {
  const truths = images.reduce((sum, image) => sum + image.truths, 0);
  const all = images
    .flatMap(({ scores, hits }) => scores.map((score, i) => ({ score, hit: hits[i] ?? false })))
    .sort((a, b) => b.score - a.score);
  let found = 0;
  let best = { precision: 0, recall: 0, f1: 0, threshold: 0 };
  const precisions = new Float64Array(all.length);
  const gains = new Float64Array(all.length);
  all.forEach(({ score, hit }, i) => {
    if (hit) found++;
    const precision = found / (i + 1);
    const recall = found / Math.max(1, truths);
    precisions[i] = precision;
    gains[i] = hit ? 1 / Math.max(1, truths) : 0;
    const f1 = (2 * precision * recall) / Math.max(precision + recall, 1e-9);
    if (f1 > best.f1) best = { precision, recall, f1, threshold: score };
  });
  let ap = 0;
  let envelope = 0;
  for (let i = all.length - 1; i >= 0; i--) {
    envelope = Math.max(envelope, precisions[i] ?? 0);
    ap += envelope * (gains[i] ?? 0);
  }
  return { ap, truths, ...best };
}
