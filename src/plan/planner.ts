import { OptionError } from '../../operators/index.js';
import type { SampleIndex, Visit } from '../container/index.js';
import { type CostModel, decodeMs, type Work, wallMs } from './cost-model.js';
import { dueKeys } from './due-keys.js';
import { bisectionOrder, type Gop, longestOf, splitIntoGops } from './gops.js';
import { createLedger, type Spacing, type Stretch } from './ledger.js';
import { CONFIDENCE, chooseSpacing, gapsTo, loadOf, type Means } from './round.js';

export interface PlannerOptions {
  readonly index: SampleIndex;
  readonly cost: CostModel;
  /** `auto`: as fine as time allows; n: only frames whose number is a multiple of n, 1…. */
  readonly stride: number | 'auto';
  /** Ignores the clock: every n-th frame (default 5), in one pass from start to end. */
  readonly fixed?: boolean;
  /** Samples that end behind this offset are out of reach (`PARTIAL_DOWNLOAD`). Default: none. */
  readonly limitBytes?: number;
  /** Bytes of a sample that are not here yet. Default: all of them. */
  readonly missingBytes?: (sample: number) => number;
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
  /** Nothing is wanted any more but a first look at the whole clip: its keyframes, and one round where they are few. Default false. */
  readonly firstLookOnly?: boolean;
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
  /** What a visit costs as things stood at the last call of `next`. */
  workOf(visit: Visit): Work;
  /** Frames, rows and GOPs looked at so far: what planning itself costs, on any machine. */
  readonly steps: number;
}

/** Longest stretch decoded without planning anew, in coded frames. Chosen: about 0.3 s of work at 1080p. */
const CHUNK_SAMPLES = 64;
/** Every n-th frame where a fixed plan is told nothing else. Chosen: docs/measurements.md "Filling". */
export const FIXED_STRIDE = 5;
/** A round that would leave more of the time unused is planned anew, finer. Chosen. */
const SPARE = 0.6;
/** Of fewer keyframes none takes frames of its GOP along: they would be spread unevenly. Nor are they a look at the whole clip. Chosen. */
const FEW_KEYS = 8;
/**
 * The anytime planner (docs/architecture.md "The plan").
 *
 * What drives the order: a frame without any answer costs nearly everything (docs/protocol.md §3: every second frame missing scores
 * 0.001), a filled one little, and the error of filling grows with the square of the gap. So: frame 0 (first touch), then
 * as many keyframes, evenly spread, as time pays for: they cost least (where it pays for more, but for no whole round, the later
 * half of them goes deeper into their GOPs); then rounds over all GOPs, each with the gaps and
 * tails that lose least of what the time left pays for in *every* GOP, decoding no GOP twice where once is enough. Reading
 * on sequentially, leaving B-frames out, keyframes only and sparse ranges all fall out of that. Time that is left after a
 * round goes into a finer one.
 */
export function createPlanner(options: PlannerOptions): Planner {
  const { index, cost, fixed = false, limitBytes = Number.POSITIVE_INFINITY } = options;
  const sizeOf = (sample: number): number => index.sizeBytes[sample] ?? 0;
  const { missingBytes = sizeOf } = options;
  const step = options.stride === 'auto' ? (fixed ? FIXED_STRIDE : 1) : options.stride;
  if (!Number.isInteger(step) || step < 1)
    throw new OptionError('stride must be auto or an integer of at least 1', { step });
  const table = splitIntoGops(index);
  const { gops, sampleOf } = table;
  const ledger = createLedger({ ...table, index, step, limitBytes, missingBytes });
  const stretches: readonly Stretch[] = gops.map((gop) => ({ gop, firstSample: gop.firstSample }));
  const longest = Math.max(step, longestOf(gops));
  const gaps = gapsTo(longest, step);
  const everyFrame: Spacing = { gapFrames: step, tailFrames: 0 };
  const keyOnly: Spacing = { gapFrames: longest + step, tailFrames: longest };
  const keyframes = { gops, stretches, ledger, step, keyOnly };
  /** Keyframes that come next. */
  let keys: Stretch[] = [];
  /** More of them may follow. */
  let keysDue = true;
  /** Once so few of them are left, they may take frames of their GOPs along, at `deeper`. */
  let deepKeys = 0;
  let deeper: Spacing | undefined;
  /** What is left of the running round, next one last. */
  let round: Stretch[] = [];
  let rounds = 0;
  /** The rest of a long GOP under way. */
  let rest: Stretch | undefined;
  /** Of the running round. */
  let spacing: Spacing | undefined;
  let lastMeans: Means | undefined;
  let firstLook = false;
  /** The fixed plan has come to this stretch. */
  let fixedTo = 0;

  /** Whether the visit can be decoded, and the models be free for its last frame, before the cut. */
  function fits(visit: Visit, { leftMs, backlogFrames, speeds }: Means): boolean {
    const work = ledger.workOf(visit);
    // What has begun to come needs no round trip any more.
    const isComing = missingBytes(visit.lastSample) < sizeOf(visit.lastSample);
    const fetchMs = work.bytes / speeds.bytesPerMs + (isComing ? 0 : speeds.rttMs / 2);
    const inferMs = (backlogFrames + work.kept - 1) * speeds.inferMs;
    return Math.max(fetchMs, decodeMs(speeds, work), inferMs) <= leftMs;
  }

  /** The longest beginning of a visit that fits; undefined where not even its first frame does. */
  function fitting(visit: Visit, means: Means): Visit | undefined {
    let low = 0;
    let high = visit.keep.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (fits(ledger.visitTo(visit.firstSample, visit.keep.slice(0, middle)), means)) low = middle;
      else high = middle - 1;
    }
    return low === 0
      ? undefined
      : low === visit.keep.length
        ? visit
        : ledger.visitTo(visit.firstSample, visit.keep.slice(0, low));
  }

  /** The first part of a long visit, so that what follows can be planned anew. */
  function firstChunk(visit: Visit): Visit {
    if (visit.lastSample - visit.firstSample < CHUNK_SAMPLES * 1.5) return visit;
    const end = visit.firstSample + CHUNK_SAMPLES;
    const keep = visit.keep.filter((frame) => (sampleOf[frame] ?? 0) < end);
    return ledger.visitTo(visit.firstSample, keep.length > 0 ? keep : visit.keep.slice(0, 1));
  }

  /** Hands out as much of a visit as is due now; undefined where nothing of it fits. */
  function begin(visit: Visit, gop: Gop, means: Means): PlannedVisit | undefined {
    if (visit.keep.length === 0) return undefined;
    const chunk = firstChunk(visit);
    const now = fitting(chunk, means);
    if (!now) return undefined;
    // Goes on only where the next frame will fit too: what the decoder holds back at an end that nothing follows is lost.
    const goesOn =
      now === chunk && fits(ledger.visitTo(visit.firstSample, visit.keep.slice(0, now.keep.length + 1)), means);
    return take(now, gop, goesOn ? visit : now);
  }

  /** `whole` is what the visit was cut from: the rest follows. */
  function take(visit: Visit, gop: Gop, whole: Visit): PlannedVisit {
    rest = visit.lastSample < whole.lastSample ? { gop, firstSample: visit.lastSample + 1 } : undefined;
    ledger.visit(visit);
    return { ...visit, continues: rest !== undefined };
  }

  function nextFixed(): PlannedVisit | null {
    for (let stretch = rest ?? stretches[fixedTo]; stretch; stretch = stretches[++fixedTo]) {
      const visit = ledger.visitOf(stretch, everyFrame);
      if (visit.keep.length > 0) return take(firstChunk(visit), stretch.gop, visit);
    }
    return null;
  }

  /** What is left of the time when all keyframes due have been visited, ms. */
  const spareOf = ({ leftMs, backlogFrames, speeds }: Means): number =>
    CONFIDENCE * leftMs - wallMs(speeds, ledger.workOfAll(keys, keyOnly), backlogFrames);

  /** The spacing of the round that would follow the keyframes due, where only some GOPs can have it. */
  function spacingBehind(means: Means): Spacing | undefined {
    const spare = { ...means, leftMs: spareOf(means), backlogFrames: 0 };
    const at = spare.leftMs > 0 ? chooseSpacing(ledger, stretches, gaps, spare) : undefined;
    // Where all can have it, the keyframes come first: the answer is better meanwhile, and what follows is evenly spread.
    return at && loadOf(ledger.workOfAll(stretches, at), spare) > 1 ? at : undefined;
  }

  /** One of the keyframes due, with frames of its GOP where there is time for them: coming back for those would cost it once more. */
  function visitOfKey(key: Stretch, means: Means): Visit {
    const visit = ledger.visitOf(key, keyOnly);
    if (!deeper) return visit;
    const deep = firstChunk(ledger.visitOf(key, deeper));
    const msOf = (one: Visit) => wallMs(means.speeds, ledger.workOf(one));
    return msOf(deep) - msOf(visit) <= spareOf(means) && fits(deep, means) ? deep : visit;
  }

  function nextKey(means: Means): PlannedVisit | null {
    for (;;) {
      if (deepKeys > 0 && keys.length <= deepKeys && !firstLook) {
        deepKeys = 0;
        deeper = spacingBehind(means);
      }
      for (let [key] = keys; key; [key] = keys) {
        const visit = visitOfKey(key, means);
        keys.shift();
        // The first touch is tried whatever the predictions say.
        if (visit.keep.length > 0 && (ledger.visitedCount === 0 || fits(visit, means)))
          return take(visit, key.gop, visit);
      }
      if (!keysDue) return null;
      keys = dueKeys(keyframes, means);
      keysDue = keys.length > 0;
      deepKeys = keys.length < FEW_KEYS ? 0 : keys.length >> 1;
    }
  }

  /** GOPs with something left, the one with the widest gap last, neighbours apart. */
  function openRound(): Stretch[] {
    const order = bisectionOrder(stretches.length).reverse();
    const left = order.flatMap((place) => stretches[place] ?? []).filter((stretch) => ledger.isOpen(stretch));
    const widest = new Map(left.map((stretch) => [stretch, length(ledger.widestGap(stretch.gop))]));
    return left.sort((a, b) => (widest.get(a) ?? 0) - (widest.get(b) ?? 0));
  }

  /** The running spacing as long as it fits the time left well; measured speeds may call for another. */
  function spacingFor(left: readonly Stretch[], means: Means): Spacing | undefined {
    const load = spacing ? loadOf(ledger.workOfAll(left, spacing), means) : 0;
    return load > SPARE && load <= 1 ? spacing : chooseSpacing(ledger, left, gaps, means);
  }

  /** The whole clip was looked at, and that is all that is wanted. */
  const isLookedAt = () => firstLook && !rest && round.length === 0 && (rounds > 0 || ledger.visitedCount >= FEW_KEYS);

  function nextOfRound(means: Means): PlannedVisit | null {
    if (isLookedAt()) return null;
    const isNew = !rest && round.length === 0;
    if (isNew) round = openRound();
    const left = rest ? [rest, ...round.toReversed()] : round.toReversed();
    const at = spacingFor(left, means);
    spacing = at;
    if (!at) return null;
    let begun: PlannedVisit | undefined;
    for (const stretch of left) {
      // What is passed over has its turn in the next round.
      round = round.filter((other) => other !== stretch);
      begun = begin(ledger.visitOf(stretch, at), stretch.gop, means);
      if (begun) break;
    }
    if (isNew && begun) rounds++;
    return begun ?? null;
  }

  return {
    next({ nowMs, softCutMs, backlogFrames = 0, firstLookOnly = false }) {
      ledger.refresh();
      firstLook = firstLookOnly;
      if (fixed) return nextFixed();
      lastMeans = { leftMs: softCutMs - nowMs, backlogFrames, speeds: cost.speeds };
      return nextKey(lastMeans) ?? nextOfRound(lastMeans) ?? nextOfRound(lastMeans);
    },
    upcoming(count) {
      const visits: Visit[] = [];
      const add = (visit: Visit) => {
        if (visit.keep.length > 0 && visits.length < count) visits.push(visit);
      };
      /** At a spacing, until there are enough. */
      const addAll = (some: readonly Stretch[], at: Spacing) => {
        for (let i = 0; i < some.length && visits.length < count; i++) add(ledger.visitOf(some[i], at));
      };
      const under = rest ? [rest] : [];
      if (fixed) {
        addAll([...under, ...stretches.slice(fixedTo)], everyFrame);
        return visits;
      }
      if (lastMeans) for (const key of keys.slice(0, count)) add(visitOfKey(key, lastMeans));
      // What follows the last of them is worth a look when it has begun, not before each.
      if (visits.length > 0 || !lastMeans) return visits;
      if (keysDue) addAll(dueKeys(keyframes, lastMeans), keyOnly);
      if (isLookedAt()) return visits;
      const coming = rounds > 0 ? round : openRound();
      const at = rounds > 0 ? spacing : chooseSpacing(ledger, coming, gaps, lastMeans);
      if (at) addAll([...under, ...coming.toReversed()], at);
      return visits;
    },
    get done() {
      return ledger.visitedCount >= ledger.wantedCount;
    },
    get largestGap() {
      return length(ledger.widestGap({ firstFrame: 0, endFrame: index.frameCount }));
    },
    get strategy() {
      const share = `1 of ${(index.frameCount / Math.max(1, ledger.visitedCount)).toFixed(1)}`;
      if (fixed) return `fixed, every ${step}`;
      if (rounds === 0) return `keyframes, ${share}`;
      return `keyframes, then ${rounds} round${rounds > 1 ? 's' : ''}, ${share}`;
    },
    workOf: ledger.workOf,
    get steps() {
      return ledger.steps;
    },
  };
}

const length = ({ from, end }: { readonly from: number; readonly end: number }) => end - from;
