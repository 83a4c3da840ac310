import type { SampleIndex, Visit } from '../container/index.js';
import type { Work } from './cost-model.js';
import { lossBetween, lossHeld } from './fill.js';
import type { Gop, GopTable } from './gops.js';

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

export interface LedgerOptions extends Pick<GopTable, 'sampleOf' | 'isLate'> {
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
  /** Takes note of bytes that arrived and of frames found disposable since the last call. */
  refresh(): void;
  visit(keep: readonly number[]): void;
  /** The visit that takes the unvisited frames of a stretch at a spacing; it may keep none. */
  visitOf(stretch: Stretch, spacing: Spacing): Visit;
  /** The visit that decodes from `firstSample` to the last of `keep`. */
  visitTo(firstSample: number, keep: readonly number[]): Visit;
  workOf(visit: Visit): Work;
  /** Of all stretches together, each at the spacing. */
  workOfAll(stretches: readonly Stretch[], spacing: Spacing): Work;
  isVisited(frame: number): boolean;
  /** What filling the GOP's unvisited frames costs, if `keep` were visited too; see `lossBetween`. */
  lossOf(gop: Gop, keep: readonly number[]): number;
  /** Unvisited frames `[from, end)` of the widest gap within a range of frames. */
  widestGap(range: Pick<Gop, 'firstFrame' | 'endFrame'>): { readonly from: number; readonly end: number };
  isReachable(frame: number): boolean;
}

export function createLedger({ index, sampleOf, isLate, step, limitBytes, missingBytes }: LedgerOptions): Ledger {
  const { sampleCount, frameCount } = index;
  const visited = new Uint8Array(frameCount);
  // Sums over the rows before each row, so that any stretch costs one subtraction.
  const bytesBefore = new Float64Array(sampleCount + 1);
  const keysBefore = new Uint32Array(sampleCount + 1);
  const referencesBefore = new Uint32Array(sampleCount + 1);
  const lateBefore = new Uint32Array(sampleCount + 1);
  let visitedCount = 0;
  let wantedCount = 0;
  for (let frame = 0; frame < frameCount; frame += step) if (isReachable(frame)) wantedCount++;

  function isReachable(frame: number): boolean {
    const sample = sampleOf[frame] ?? -1;
    return sample >= 0 && (index.offset[sample] ?? 0) + (index.sizeBytes[sample] ?? 0) <= limitBytes;
  }

  function refresh(): void {
    for (let row = 0; row < sampleCount; row++) {
      const key = index.sync[row] ? 1 : 0;
      const reference = key || isLate[row] ? 0 : 1;
      const late = key || reference || index.disposable[row] ? 0 : 1;
      bytesBefore[row + 1] = (bytesBefore[row] ?? 0) + missingBytes(row);
      keysBefore[row + 1] = (keysBefore[row] ?? 0) + key;
      referencesBefore[row + 1] = (referencesBefore[row] ?? 0) + reference;
      lateBefore[row + 1] = (lateBefore[row] ?? 0) + late;
    }
  }

  /** The frame near `target` that costs least: one that others refer to is decoded anyway. */
  function cheapest(target: number, slack: number, gop: Gop): number {
    for (let away = 0; away <= slack; away += step) {
      if (target - away >= gop.firstFrame && !isLate[sampleOf[target - away] ?? 0]) return target - away;
      if (target + away < gop.endFrame && !isLate[sampleOf[target + away] ?? 0]) return target + away;
    }
    return target;
  }

  function visitTo(firstSample: number, keep: readonly number[]): Visit {
    let lastSample = firstSample;
    for (const frame of keep) lastSample = Math.max(lastSample, sampleOf[frame] ?? 0);
    return { firstSample, lastSample, keep, skip: lastSample === firstSample ? 'nokey' : 'bidir' };
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
      if (target >= gop.endFrame - 1 - tailFrames) break;
    }
    return keep;
  }

  function visitOf(stretch: Stretch, spacing: Spacing): Visit {
    return visitTo(stretch.firstSample, framesAt(stretch, spacing));
  }

  function workOf({ firstSample, lastSample, keep, skip }: Visit): Work {
    const sum = (before: ArrayLike<number>) => (before[lastSample + 1] ?? 0) - (before[firstSample] ?? 0);
    if (skip === 'nokey') return { bytes: sum(bytesBefore), keys: 1, references: 0, late: 0, kept: keep.length };
    let late = sum(lateBefore);
    for (const frame of keep) if (index.disposable[sampleOf[frame] ?? 0]) late++;
    return {
      bytes: sum(bytesBefore),
      keys: sum(keysBefore),
      references: sum(referencesBefore),
      late,
      kept: keep.length,
    };
  }

  function workOfAll(all: readonly Stretch[], spacing: Spacing): Work {
    const total = { bytes: 0, keys: 0, references: 0, late: 0, kept: 0 };
    for (const stretch of all) {
      const visit = visitOf(stretch, spacing);
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

  function lossOf({ firstFrame, endFrame, startsShot, endsShot }: Gop, keep: readonly number[]): number {
    let lost = 0;
    let from = firstFrame;
    let next = 0;
    for (let frame = firstFrame; frame <= endFrame; frame++) {
      if (keep[next] === frame) next++;
      else if (frame < endFrame && !visited[frame]) continue;
      const oneSided = (startsShot && from === firstFrame) || (endsShot && frame === endFrame);
      lost += (oneSided ? lossHeld : lossBetween)(frame - from);
      from = frame + 1;
    }
    return lost;
  }

  return {
    get visitedCount() {
      return visitedCount;
    },
    wantedCount,
    refresh,
    visit(keep) {
      for (const frame of keep) {
        if (!visited[frame]) visitedCount++;
        visited[frame] = 1;
      }
    },
    visitOf,
    visitTo,
    workOf,
    workOfAll,
    isVisited: (frame) => visited[frame] === 1,
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
      return widest;
    },
  };
}
