import { OptionError } from '../../operators/index.js';
import type { SampleIndex, Visit } from '../container/index.js';
import { type CostModel, decodeMs, type Speeds, type Work, wallMs } from './cost-model.js';
import { bisectionOrder, type Gop, splitIntoGops } from './gops.js';

export interface PlannerOptions {
  readonly index: SampleIndex;
  readonly cost: CostModel;
  /** `auto`: as fine as time allows; n: only frames whose number is a multiple of n, 1…. */
  readonly stride: number | 'auto';
  /** Ignores the clock: every n-th frame (default 5), in one pass from start to end. */
  readonly fixed?: boolean;
  /** Samples that end behind this offset are out of reach (`PARTIAL_DOWNLOAD`). Default: none. */
  readonly limitBytes?: number;
  /** Whether a sample's bytes are here already, so that fetching costs nothing. Default: never. */
  readonly has?: (sample: number) => boolean;
}

export interface PlannedVisit extends Visit {
  /** The next visit goes on right behind this one, without a jump. */
  readonly continues: boolean;
}

/** The moment at which the planner is asked. */
export interface Moment {
  readonly nowMs: number;
  /** No frame can be taken in after it; same clock. */
  readonly softCutMs: number;
  /** Frames decoded or being decoded that no model has seen yet. Default 0. */
  readonly backlogFrames?: number;
}

/** Orders the visits of one clip, coarse to fine. Pure: no clock, no I/O; re-plans at every call from the cost model. */
export interface Planner {
  /** The best next visit that can still be answered in time; null where none can, or nothing is left. It counts as visited. */
  next(moment: Moment): PlannedVisit | null;
  /** What would come next as things stand, for reading ahead; changes nothing. */
  upcoming(count: number): readonly Visit[];
  /** Every frame that is wanted has been visited. */
  readonly done: boolean;
  /** Largest number of frames between two visited ones (or an end of the clip). */
  readonly largestGap: number;
  /** In a few words, for the log. */
  readonly strategy: string;
  /** What a visit costs as things stand. */
  workOf(visit: Visit): Work;
}

/** Longest stretch decoded without planning anew, in coded frames. Chosen: about 0.3 s of work at 1080p. */
const CHUNK_SAMPLES = 64;
/** Every n-th frame where a fixed plan is told nothing else. Chosen: LAB.md, "Answers on an unseen clip". */
export const FIXED_STRIDE = 5;
/** Share of the time left that a round may be planned to fill: predictions err. Chosen. */
const CONFIDENCE = 0.9;

/**
 * The anytime planner (DESIGN decision 4).
 *
 * What drives the order: a frame without any answer costs nearly everything (PROTOCOL §3: every second frame missing scores
 * 0.001), a filled one little, and the error of filling grows with the square of the gap. So: frame 0 (first touch), then
 * the keyframes, which cost least, always in the middle of what is widest open; then whole rounds over all GOPs, each at
 * the finest spacing that the time left pays for *every* GOP, decoding no GOP twice where once is enough. Time that is left
 * after a round goes into a finer one.
 */
export function createPlanner(options: PlannerOptions): Planner {
  const { index, cost, fixed = false, limitBytes = Number.POSITIVE_INFINITY, has = () => false } = options;
  const step = options.stride === 'auto' ? (fixed ? FIXED_STRIDE : 1) : options.stride;
  if (!Number.isInteger(step) || step < 1)
    throw new OptionError('stride must be auto or an integer of at least 1', { step });
  const { gops, sampleOf, isLate } = splitIntoGops(index);
  const visited = new Uint8Array(index.frameCount);
  const wanted = countWanted();
  let visitedCount = 0;
  /** GOPs whose keyframe is still to be seen, then those of the running round, next one last. */
  const keyQueue = fixed ? [] : bisectionOrder(gops.length).reverse();
  let round: number[] = [];
  let rounds = 0;
  /** The rest of a long GOP under way. */
  let rest: { readonly firstSample: number; readonly gop: Gop } | undefined;

  function countWanted(): number {
    let count = 0;
    for (let frame = 0; frame < index.frameCount; frame += step) if (reachable(frame)) count++;
    return count;
  }

  function reachable(frame: number): boolean {
    const sample = sampleOf[frame] ?? -1;
    return sample >= 0 && (index.offset[sample] ?? 0) + (index.sizeBytes[sample] ?? 0) <= limitBytes;
  }

  /** Wanted frames of a GOP, not yet visited, at most `gap` apart; reference frames are preferred where the gap allows. */
  function framesAt(gop: Gop, gap: number): number[] {
    const frames: number[] = [];
    const slack = Math.floor(gap / 4 / step) * step;
    const from = Math.ceil(gop.firstFrame / step) * step;
    let last = Number.NEGATIVE_INFINITY;
    for (let target = from; target < gop.endFrame; target += gap) {
      const frame = target === from ? target : nearestReference(target, slack, gop);
      if (frame <= last) continue;
      last = frame;
      if (!visited[frame] && reachable(frame)) frames.push(frame);
    }
    return frames;
  }

  function nearestReference(target: number, slack: number, gop: Gop): number {
    for (let away = 0; away <= slack; away += step) {
      if (!isLate[sampleOf[target - away] ?? 0]) return target - away;
      if (target + away < gop.endFrame && !isLate[sampleOf[target + away] ?? 0]) return target + away;
    }
    return target;
  }

  /** Decoding starts at the keyframe and ends with the last wanted frame in decode order. */
  function visitOf(firstSample: number, keep: readonly number[]): Visit {
    let lastSample = firstSample;
    for (const frame of keep) lastSample = Math.max(lastSample, sampleOf[frame] ?? 0);
    return { firstSample, lastSample, keep, skip: lastSample === firstSample ? 'nokey' : 'bidir' };
  }

  function workOf({ firstSample, lastSample, keep }: Visit): Work {
    const kept = new Set(keep);
    const work = { bytes: 0, keys: 0, references: 0, late: 0, kept: keep.length };
    for (let sample = firstSample; sample <= lastSample; sample++) {
      if (!has(sample)) work.bytes += index.sizeBytes[sample] ?? 0;
      if (index.sync[sample]) work.keys++;
      else if (!isLate[sample]) work.references++;
      else if (kept.has(index.frameNumber[sample] ?? -1) || !index.disposable[sample]) work.late++;
    }
    return work;
  }

  const gopVisit = (gop: Gop, gap: number) => visitOf(gop.firstSample, framesAt(gop, gap));
  const keyVisit = (gop: Gop) => visitOf(gop.firstSample, framesAt(gop, gop.endFrame - gop.firstFrame));

  /** Spacings from a GOP's half down to every wanted frame. */
  function spacings(): number[] {
    const longest = Math.max(...gops.map(({ firstFrame, endFrame }) => endFrame - firstFrame));
    const gaps: number[] = [];
    for (let gap = step * Math.max(1, Math.floor(longest / 2 / step)); gap >= step; ) {
      gaps.push(gap);
      gap = gap > 4 * step ? Math.floor(gap / 2 / step) * step : gap - step;
    }
    return gaps;
  }
  const allSpacings = spacings();

  /** The finest spacing at which all GOPs of the round fit into the time left; undefined where not even the widest does. */
  function affordable(queue: readonly number[], leftMs: number, speeds: Speeds): number | undefined {
    let best: number | undefined;
    for (const gap of allSpacings) {
      const total = { bytes: 0, keys: 0, references: 0, late: 0, kept: 0 };
      const visits = queue.map((place) => gopVisit(at(place), gap));
      for (const visit of rest ? [restVisit(rest, gap), ...visits] : visits) {
        if (visit.keep.length === 0) continue;
        const work = workOf(visit);
        for (const key of Object.keys(total) as (keyof Work)[]) total[key] += work[key];
      }
      if (wallMs(speeds, total) > leftMs * CONFIDENCE) break;
      best = gap;
    }
    return best;
  }

  const at = (place: number): Gop => gops[place] ?? { firstSample: 0, firstFrame: 0, endFrame: 0 };

  /** Whether the visit can be decoded, and its last frame answered, before the cut. */
  function fits(visit: Visit, leftMs: number, speeds: Speeds): boolean {
    const work = workOf(visit);
    const fetchMs = work.bytes === 0 ? 0 : speeds.rttMs / 2 + work.bytes / speeds.bytesPerMs;
    return Math.max(fetchMs, decodeMs(speeds, work), (work.kept - 1) * speeds.inferMs) + speeds.inferMs <= leftMs;
  }

  function firstChunk(visit: Visit): Visit {
    if (visit.lastSample - visit.firstSample < CHUNK_SAMPLES * 1.5) return visit;
    const lastSample = visit.firstSample + CHUNK_SAMPLES - 1;
    return { ...visit, lastSample, keep: visit.keep.filter((frame) => (sampleOf[frame] ?? 0) <= lastSample) };
  }

  /** Hands a visit out; a long one in pieces, so that what follows can be planned anew. */
  function take(visit: Visit, gop: Gop): PlannedVisit {
    const chunk = firstChunk(visit);
    rest = chunk === visit ? undefined : { firstSample: chunk.lastSample + 1, gop };
    for (const frame of chunk.keep) {
      if (!visited[frame]) visitedCount++;
      visited[frame] = 1;
    }
    return { ...chunk, continues: rest !== undefined };
  }

  /** What is left of a long GOP, at a spacing. */
  function restVisit({ firstSample, gop }: NonNullable<typeof rest>, gap: number): Visit {
    return visitOf(
      firstSample,
      framesAt(gop, gap).filter((frame) => (sampleOf[frame] ?? 0) >= firstSample),
    );
  }

  function nextFixed(): PlannedVisit | null {
    const place = gops.findIndex((gop) => framesAt(gop, step).length > 0);
    return place < 0 ? null : take(gopVisit(at(place), step), at(place));
  }

  function next({ nowMs, softCutMs, backlogFrames = 0 }: Moment): PlannedVisit | null {
    if (fixed) return rest ? take(restVisit(rest, step), rest.gop) : nextFixed();
    const { speeds } = cost;
    const leftMs = softCutMs - nowMs - backlogFrames * speeds.inferMs;
    if (visitedCount > 0 && leftMs <= 0) return null;
    if (rest) {
      const gap = affordable(round, leftMs, speeds) ?? allSpacings[0] ?? step;
      const visit = restVisit(rest, gap);
      if (visit.keep.length > 0) return fits(firstChunk(visit), leftMs, speeds) ? take(visit, rest.gop) : null;
      rest = undefined;
    }
    while (keyQueue.length > 0) {
      const gop = at(keyQueue.pop() ?? 0);
      const visit = keyVisit(gop);
      if (visit.keep.length === 0) continue;
      // The first touch is tried whatever the predictions say.
      if (visitedCount === 0 || fits(visit, leftMs, speeds)) return take(visit, gop);
    }
    for (let again = 0; again < 2; again++) {
      if (round.length === 0) {
        round = openGops();
        if (round.length === 0) return null;
        rounds++;
      }
      const gap = affordable(round, leftMs, speeds);
      for (let i = round.length - 1; i >= 0; i--) {
        const gop = at(round[i] ?? 0);
        for (const spacing of gap === undefined ? allSpacings.slice(0, 1) : [gap]) {
          const visit = gopVisit(gop, spacing);
          if (visit.keep.length === 0 || !fits(firstChunk(visit), leftMs, speeds)) continue;
          round.splice(i, 1);
          return take(visit, gop);
        }
      }
      round = [];
    }
    return null;
  }

  /** GOPs with something left, the one with the widest gap last, neighbours apart. */
  function openGops(): number[] {
    const order = bisectionOrder(gops.length).filter((place) => framesAt(at(place), step).length > 0);
    const widest = new Map(order.map((place) => [place, widestGap(at(place).firstFrame, at(place).endFrame)]));
    return order.reverse().sort((a, b) => (widest.get(a) ?? 0) - (widest.get(b) ?? 0));
  }

  function widestGap(from: number, end: number): number {
    let widest = 0;
    let last = from - 1;
    for (let frame = from; frame < end; frame++) {
      if (!visited[frame]) continue;
      widest = Math.max(widest, frame - last - 1);
      last = frame;
    }
    return Math.max(widest, end - last - 1);
  }

  return {
    next,
    upcoming(count) {
      if (rest) return [restVisit(rest, allSpacings[0] ?? step)];
      if (fixed)
        return gops
          .filter((gop) => framesAt(gop, step).length > 0)
          .slice(0, count)
          .map((gop) => gopVisit(gop, step));
      const keys = keyQueue
        .slice(-count)
        .reverse()
        .map((place) => keyVisit(at(place)));
      const gap = allSpacings[0] ?? step;
      const more = round
        .slice(-count)
        .reverse()
        .map((place) => gopVisit(at(place), gap));
      return [...keys, ...more].filter(({ keep }) => keep.length > 0).slice(0, count);
    },
    get done() {
      return visitedCount >= wanted;
    },
    get largestGap() {
      return widestGap(0, index.frameCount);
    },
    get strategy() {
      const share = visitedCount === 0 ? 0 : index.frameCount / visitedCount;
      if (fixed) return `fixed, every ${step}`;
      if (rounds === 0) return `keyframes, 1 of ${share.toFixed(0)}`;
      return `keyframes, then ${rounds} round${rounds > 1 ? 's' : ''}, 1 of ${share.toFixed(1)}`;
    },
    workOf,
  };
}
