import type { SampleIndex, Visit } from '../container/index.js';
import type { Work } from './cost-model.js';
import { lossBetween, lossHeld } from './fill.js';
import { evenly, type Gop, type GopTable } from './gops.js';
import { createRowSums } from './row-sums.js';

/** How finely frames are taken out of a GOP. */
export interface Spacing {
  /** Frames from one kept frame to the next. */
  readonly gapFrames: number;
  /** At most so many frames at the end of a GOP stay behind its last kept one: what need not be read or decoded. */
  readonly tailFrames: number;
}

/** A GOP, or what is left of one that is being decoded. */
export interface Stretch {
  readonly gop: Gop;
  /** Row where decoding starts or goes on. */
  readonly firstSample: number;
}

export interface LedgerOptions extends GopTable {
  readonly index: SampleIndex;
  /** Only frames whose number is a multiple of it are wanted. */
  readonly step: number;
  readonly limitBytes: number;
  readonly missingBytes: (sample: number) => number;
}

/** Which frames have been visited, and what visits would cost and bring. */
export interface Ledger {
  readonly visitedCount: number;
  /** Wanted frames within reach. */
  readonly wantedCount: number;
  /** Frames, rows and stretches looked at so far. */
  readonly steps: number;
  /** Takes note of bytes that arrived and of frames found disposable since the last call; of a long clip in part, where visits were first. */
  refresh(): void;
  visit(visit: Visit): void;
  /** The visit that takes the unvisited frames of a stretch at a spacing; it may keep none. */
  visitOf(stretch: Stretch, spacing: Spacing): Visit;
  /** The visit that decodes from `firstSample`, or a later keyframe where that is enough, to the last of `keep` (ascending). */
  visitTo(firstSample: number, keep: readonly number[]): Visit;
  workOf(visit: Visit): Work;
  /** Of several visits together, but for those that keep nothing. */
  workOfVisits(visits: readonly Visit[]): Work;
  /** Of all stretches together, each at the spacing. */
  workOfAll(stretches: readonly Stretch[], spacing: Spacing): Work;
  isVisited(frame: number): boolean;
  /** Whether a wanted frame of it was not visited. */
  isOpen(stretch: Stretch): boolean;
  /** What filling the GOP's unvisited frames costs, if `keep` were visited too; see `lossBetween`. */
  lossOf(gop: Gop, keep: readonly number[]): number;
  /** Unvisited frames `[from, end)` of the widest gap within a range of frames. */
  widestGap(range: Pick<Gop, 'firstFrame' | 'endFrame'>): { readonly from: number; readonly end: number };
  isReachable(frame: number): boolean;
}

/** Of more visited frames in a GOP, an even choice stands for all where losses are compared. Chosen. */
const MOST_MARKS = 512;

export function createLedger(options: LedgerOptions): Ledger {
  const { index, sampleOf, startOf, isLate, step, limitBytes, missingBytes } = options;
  const { frameCount } = index;
  const visited = new Uint8Array(frameCount);
  const firm = nearestFirm(options);
  const isLeftOut = (row: number) => !index.sync[row] && isLate[row] && index.disposable[row];
  const bytes = createRowSums(index.sampleCount, missingBytes);
  const late = createRowSums(index.sampleCount, (row) => (!index.sync[row] && isLate[row] && !isLeftOut(row) ? 1 : 0));
  const keys = createRowSums(index.sampleCount, (row) => (index.sync[row] ? 1 : 0));
  const references = createRowSums(index.sampleCount, (row) => (index.sync[row] || isLate[row] ? 0 : 1));
  /** Visited frames of a GOP, as they were when so many had been visited. */
  const marks = new Map<Gop, { readonly at: number; readonly frames: readonly number[] }>();
  let visitedCount = 0;
  let wantedCount = 0;
  let steps = 0;
  for (let frame = 0; frame < frameCount; frame += step) if (isReachable(frame)) wantedCount++;

  function isReachable(frame: number): boolean {
    const sample = sampleOf[frame] ?? -1;
    return sample >= 0 && index.offset[sample] + index.sizeBytes[sample] <= limitBytes;
  }

  /** The frame near `target` that costs least: one that others refer to is decoded anyway. */
  function cheapest(target: number, slack: number, gop: Gop): number {
    const before = firm.before[target / step];
    const after = firm.after[target / step];
    const apartBefore = before >= gop.firstFrame ? target - before : Number.POSITIVE_INFINITY;
    const apartAfter = after < gop.endFrame ? after - target : Number.POSITIVE_INFINITY;
    if (Math.min(apartBefore, apartAfter) > slack) return target;
    return apartBefore <= apartAfter ? before : after;
  }

  function visitTo(firstSample: number, keep: readonly number[]): Visit {
    const from = Math.max(firstSample, startOf[keep[0] ?? -1] ?? 0);
    let lastSample = from;
    for (const frame of keep) lastSample = Math.max(lastSample, sampleOf[frame] ?? 0);
    steps += keep.length;
    return { firstSample: from, lastSample, keep, skip: lastSample === from ? 'nokey' : 'bidir' };
  }

  function framesAt({ gop, firstSample }: Stretch, { gapFrames, tailFrames }: Spacing): number[] {
    const keep: number[] = [];
    const slack = Math.floor(gapFrames / 4 / step) * step;
    const from = Math.ceil(gop.firstFrame / step) * step;
    let last = -1;
    for (let target = from; target < gop.endFrame; target += gapFrames) {
      const frame = target === from ? target : cheapest(target, slack, gop);
      if (frame > last && !visited[frame] && isReachable(frame) && (sampleOf[frame] ?? 0) >= firstSample)
        keep.push(frame);
      last = Math.max(last, frame);
      steps++;
      if (target >= gop.endFrame - 1 - tailFrames) break;
    }
    return keep;
  }

  function visitOf(stretch: Stretch, spacing: Spacing): Visit {
    return visitTo(stretch.firstSample, framesAt(stretch, spacing));
  }

  function workOf({ firstSample, lastSample, keep, skip }: Visit): Work {
    const missing = bytes.between(firstSample, lastSample + 1);
    if (skip === 'nokey') return { bytes: missing, keys: 1, references: 0, late: 0, kept: keep.length };
    let shownLate = late.between(firstSample, lastSample + 1);
    for (const frame of keep) if (index.disposable[sampleOf[frame] ?? 0]) shownLate++;
    steps += keep.length;
    return {
      bytes: missing,
      keys: keys.between(firstSample, lastSample + 1),
      references: references.between(firstSample, lastSample + 1),
      late: shownLate,
      kept: keep.length,
    };
  }

  function workOfVisits(visits: readonly Visit[]): Work {
    const total = { bytes: 0, keys: 0, references: 0, late: 0, kept: 0 };
    for (const visit of visits) {
      if (visit.keep.length === 0) continue;
      const work = workOf(visit);
      total.bytes += work.bytes;
      total.keys += work.keys;
      total.references += work.references;
      total.late += work.late;
      total.kept += work.kept;
    }
    return total;
  }

  /** Visited frames of a GOP, ascending. */
  function marksIn(gop: Gop): readonly number[] {
    const known = marks.get(gop);
    if (known?.at === visitedCount) return known.frames;
    const all: number[] = [];
    for (let frame = gop.firstFrame; frame < gop.endFrame; frame++) if (visited[frame]) all.push(frame);
    const frames = evenly(all, MOST_MARKS);
    marks.set(gop, { at: visitedCount, frames });
    steps += gop.endFrame - gop.firstFrame;
    return frames;
  }

  function lossOf(gop: Gop, keep: readonly number[]): number {
    const { firstFrame, endFrame, startsShot, endsShot } = gop;
    const seen = marksIn(gop);
    let lost = 0;
    let from = firstFrame;
    for (let i = 0, k = 0; ; steps++) {
      const next = Math.min(seen[i] ?? endFrame, keep[k] ?? endFrame);
      const oneSided = (startsShot && from === firstFrame) || (endsShot && next === endFrame);
      lost += (oneSided ? lossHeld : lossBetween)(next - from);
      if (next === endFrame) return lost;
      if (seen[i] === next) i++;
      if (keep[k] === next) k++;
      from = next + 1;
    }
  }

  return {
    get visitedCount() {
      return visitedCount;
    },
    get steps() {
      return steps;
    },
    wantedCount,
    refresh() {
      steps += bytes.refresh() + late.refresh();
    },
    visit({ firstSample, lastSample, keep }) {
      bytes.touch(firstSample, lastSample);
      late.touch(firstSample, lastSample);
      for (const frame of keep) {
        if (!visited[frame]) visitedCount++;
        visited[frame] = 1;
      }
    },
    visitOf,
    visitTo,
    workOf,
    workOfVisits,
    workOfAll: (all, spacing) => workOfVisits(all.map((stretch) => visitOf(stretch, spacing))),
    isVisited: (frame) => visited[frame] === 1,
    isOpen({ gop, firstSample }) {
      for (let frame = Math.ceil(gop.firstFrame / step) * step; frame < gop.endFrame; frame += step) {
        steps++;
        if (!visited[frame] && isReachable(frame) && (sampleOf[frame] ?? 0) >= firstSample) return true;
      }
      return false;
    },
    lossOf,
    isReachable,
    widestGap({ firstFrame, endFrame }) {
      let widest = { from: firstFrame, end: firstFrame };
      let from = firstFrame;
      for (let frame = firstFrame; frame <= endFrame; frame++) {
        if (frame < endFrame && !visited[frame]) continue;
        if (frame - from > widest.end - widest.from) widest = { from, end: frame };
        from = frame + 1;
      }
      steps += endFrame - firstFrame;
      return widest;
    },
  };
}

/** For each wanted frame the nearest wanted one at or before it, and at or behind it, that is not late; by frame / step. */
function nearestFirm({ index, sampleOf, isLate, step }: LedgerOptions) {
  const count = Math.ceil(index.frameCount / step);
  const isFirm = (place: number) => !isLate[sampleOf[place * step] ?? 0];
  const before = new Float64Array(count);
  const after = new Float64Array(count);
  for (let place = 0, last = Number.NEGATIVE_INFINITY; place < count; place++) {
    if (isFirm(place)) last = place * step;
    before[place] = last;
  }
  for (let place = count - 1, next = Number.POSITIVE_INFINITY; place >= 0; place--) {
    if (isFirm(place)) next = place * step;
    after[place] = next;
  }
  return { before, after };
}
