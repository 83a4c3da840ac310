import { iou } from './sample.js';
import type { ClipTruth, TruthFrame, WireAnswer, WireFrame, WireObject } from './wire.js';

/** How well boxes were found; all shares of 1. */
export interface BoxQuality {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Mean overlap of the pairs found. */
  readonly meanIou: number;
}

/** An answer held against the truth, frame by frame. */
export interface Comparison {
  readonly frames: number;
  readonly answered: number;
  readonly coverage: number;
  /** Frames whose boxes were judged: the truth may leave some unlabelled. */
  readonly labelled: number;
  readonly ball: BoxQuality;
  readonly goalkeeper: BoxQuality;
  readonly player: BoxQuality;
  readonly referee: BoxQuality;
  /** Keepers, players and referees as one class. */
  readonly person: BoxQuality;
  /** Share of the persons found that have the right class. */
  readonly classAccuracy: number;
  /** Ristani et al. 2016: one answer id per true id over the whole clip. */
  readonly idf1: number;
  readonly idSwitchesPer100: number;
  readonly duplicateIds: number;
  readonly keypoints: {
    readonly recall: number;
    /** Of those that count as found, % of the diagonal. */
    readonly meanErrorPct: number;
    /** Share of the answered ones that the truth does not have there. The truth may be incomplete. */
    readonly extra: number;
    /** Mean frame-to-frame shift that the true points do not make, px: how much key points tremble. */
    readonly jitterPx: number;
  };
}

const CLASSES = ['ball', 'goalkeeper', 'player', 'referee'] as const;
/** Boxes match at this overlap; balls also with centres, and key points, within this share of the diagonal (spec/fixtures/evaluate.mjs). */
const LEAST_IOU = 0.5;
const NEAR = 0.01;

export type ObjectPair = readonly [found: WireObject, expected: WireObject, overlap: number];

/** Pairs boxes with true ones, best overlap first, each once. `overlap` 0 = no pair. */
export function matchObjects(
  found: readonly WireObject[],
  expected: readonly WireObject[],
  overlap: (found: WireObject, expected: WireObject) => number,
): ObjectPair[] {
  const pairs: ObjectPair[] = [];
  for (const a of found) {
    for (const b of expected) {
      const value = overlap(a, b);
      if (value > 0) pairs.push([a, b, value]);
    }
  }
  pairs.sort((p, q) => q[2] - p[2]);
  const used = new Set<WireObject>();
  return pairs.filter(([a, b]) => {
    if (used.has(a) || used.has(b)) return false;
    used.add(a).add(b);
    return true;
  });
}

/** Measures precision, recall, identity and key points against the truth; the common measures equal those of spec/fixtures/evaluate.mjs. */
export function compareWithTruth(answer: WireAnswer, truth: ClipTruth): Comparison {
  const diagonal = Math.hypot(truth.width, truth.height);
  const byNumber = new Map(answer.frames.map((frame) => [frame.frame_number, frame]));
  const boxes = CLASSES.map(() => new BoxCount());
  const persons = new BoxCount();
  const ids = new IdCount();
  const points = new KeyPointCount(diagonal);
  let answered = 0;
  let labelled = 0;
  for (const expected of truth.frames) {
    const frame = byNumber.get(expected.frame_number);
    if (frame) answered++;
    points.add(frame, expected);
    const { objects } = expected;
    if (!objects) continue;
    labelled++;
    const found = frame?.objects ?? [];
    boxes.forEach((count, classId) => {
      const own = found.filter((o) => o.class_id === classId);
      const real = objects.filter((o) => o.class_id === classId);
      count.add(
        own,
        real,
        matchObjects(own, real, (a, b) => sameObject(a, b, diagonal)),
      );
    });
    const people = found.filter((o) => o.class_id !== 0);
    const real = objects.filter((o) => o.class_id !== 0);
    const pairs = matchObjects(people, real, (a, b) => enough(iou(a.bbox, b.bbox)));
    persons.add(people, real, pairs);
    ids.add(people, real, pairs);
  }
  const [ball, goalkeeper, player, referee] = boxes.map((count) => count.result());
  return {
    frames: truth.frames.length,
    answered,
    coverage: ratio(answered, truth.frames.length),
    labelled,
    ball,
    goalkeeper,
    player,
    referee,
    person: persons.result(),
    ...ids.result(),
    keypoints: points.result(),
  };
}

/** Overlap of two boxes of one class; balls are a few pixels wide and count as half an overlap when their centres are near. */
export function sameObject(a: WireObject, b: WireObject, diagonal: number): number {
  const overlap = enough(iou(a.bbox, b.bbox));
  if (overlap > 0 || a.class_id !== 0) return overlap;
  return Math.hypot(middle(a, 0) - middle(b, 0), middle(a, 1) - middle(b, 1)) <= NEAR * diagonal ? LEAST_IOU : 0;
}

function middle({ bbox }: WireObject, axis: 0 | 1): number {
  return (bbox[axis] + bbox[axis + 2]) / 2;
}

function enough(overlap: number): number {
  return overlap >= LEAST_IOU ? overlap : 0;
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

class BoxCount {
  private found = 0;
  private expected = 0;
  private paired = 0;
  private overlap = 0;

  add(found: readonly WireObject[], expected: readonly WireObject[], pairs: readonly ObjectPair[]): void {
    this.found += found.length;
    this.expected += expected.length;
    this.paired += pairs.length;
    for (const [, , overlap] of pairs) this.overlap += overlap;
  }

  result(): BoxQuality {
    const precision = ratio(this.paired, this.found);
    const recall = ratio(this.paired, this.expected);
    const f1 = ratio(2 * precision * recall, precision + recall);
    return { precision, recall, f1, meanIou: ratio(this.overlap, this.paired) };
  }
}

class IdCount {
  private persons = 0;
  private right = 0;
  private paired = 0;
  private followed = 0;
  private switches = 0;
  private duplicates = 0;
  private readonly last = new Map<number, number>();
  /** Frames that a true id and an answered id share. */
  private readonly shared = new Map<string, { readonly real: number; readonly found: number; frames: number }>();

  add(found: readonly WireObject[], expected: readonly WireObject[], pairs: readonly ObjectPair[]): void {
    this.persons += found.length + expected.length;
    this.duplicates += found.length - new Set(found.map(({ id }) => id)).size;
    for (const [a, b] of pairs) {
      this.paired++;
      if (a.class_id === b.class_id) this.right++;
      const known = this.last.get(b.id);
      if (known !== undefined) this.followed++;
      if (known !== undefined && known !== a.id) this.switches++;
      this.last.set(b.id, a.id);
      const key = `${b.id}|${a.id}`;
      const entry = this.shared.get(key) ?? { real: b.id, found: a.id, frames: 0 };
      entry.frames++;
      this.shared.set(key, entry);
    }
  }

  result(): Pick<Comparison, 'classAccuracy' | 'idf1' | 'idSwitchesPer100' | 'duplicateIds'> {
    const real = new Set<number>();
    const found = new Set<number>();
    let agreed = 0;
    for (const entry of [...this.shared.values()].sort((a, b) => b.frames - a.frames)) {
      if (real.has(entry.real) || found.has(entry.found)) continue;
      real.add(entry.real);
      found.add(entry.found);
      agreed += entry.frames;
    }
    return {
      classAccuracy: ratio(this.right, this.paired),
      idf1: ratio(2 * agreed, this.persons),
      idSwitchesPer100: 100 * ratio(this.switches, this.followed),
      duplicateIds: this.duplicates,
    };
  }
}

class KeyPointCount {
  private real = 0;
  private found = 0;
  private hit = 0;
  private error = 0;
  private tremble = 0;
  private trembling = 0;
  private before: readonly [WireFrame, TruthFrame] | undefined;

  constructor(private readonly diagonal: number) {}

  add(frame: WireFrame | undefined, expected: TruthFrame): void {
    expected.keypoints.forEach((real, k) => {
      const found = frame?.keypoints[k];
      if (isShown(real)) this.real++;
      if (!isShown(found)) return;
      this.found++;
      const apart = isShown(real) ? Math.hypot(found[0] - real[0], found[1] - real[1]) / this.diagonal : 1;
      if (apart > NEAR) return;
      this.hit++;
      this.error += apart;
    });
    if (frame && this.before) this.compareSteps(this.before, [frame, expected]);
    this.before = frame && [frame, expected];
  }

  private compareSteps(
    [found1, real1]: readonly [WireFrame, TruthFrame],
    [found2, real2]: readonly [WireFrame, TruthFrame],
  ): void {
    for (let k = 0; k < 32; k++) {
      const [a, b, c, d] = [found1, found2, real1, real2].map((frame) => frame.keypoints[k]);
      if (!isShown(a) || !isShown(b) || !isShown(c) || !isShown(d)) continue;
      this.tremble += Math.hypot(b[0] - a[0] - (d[0] - c[0]), b[1] - a[1] - (d[1] - c[1]));
      this.trembling++;
    }
  }

  result(): Comparison['keypoints'] {
    return {
      recall: ratio(this.hit, this.real),
      meanErrorPct: 100 * ratio(this.error, this.hit),
      extra: ratio(this.found - this.hit, this.found),
      jitterPx: ratio(this.tremble, this.trembling),
    };
  }
}

/** [0, 0] = not visible. */
export function isShown(point: readonly [number, number] | undefined): point is readonly [number, number] {
  return point !== undefined && !(point[0] === 0 && point[1] === 0);
}
