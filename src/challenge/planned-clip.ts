import type { Observable } from 'rxjs';
import { pull } from '../../operators/index.js';
import type { Clip } from '../container/index.js';
import type { Frame, FramePool, PacketDecoder } from '../decode/index.js';
import type { ByteSource } from '../net/index.js';
import type { CostModel, Planner } from '../plan/index.js';
import type { OpenedClip } from './answer.js';
import type { Budget } from './budget.js';
import { clipFramesOf } from './clip-frames.js';
import type { Eye } from './question.js';
import type { Timeline } from './timeline.js';

/** Visits whose byte ranges are asked for while one is decoded (docs/measurements.md "Ranges"). */
const VISITS_AHEAD = 4;

export interface PlannedClipOptions {
  readonly clip: Extract<Clip, { kind: 'indexed' }>;
  readonly source: Pick<ByteSource, 'bytesRead'>;
  readonly decoder: PacketDecoder;
  readonly planner: Planner;
  readonly cost: CostModel;
  readonly pool: WatchedPool;
  readonly eye: Pick<Eye<unknown>, 'predictMs' | 'maxBatch'>;
  readonly timeline: Timeline;
  readonly now: () => number;
}

/** A clip with an index: the planner's visits one after another, through the reader and the decoder. */
export function plannedClip(options: PlannedClipOptions): OpenedClip {
  const { index } = options.clip;
  return {
    width: index.width,
    height: index.height,
    frameCount: index.frameCount,
    frames: clipFramesOf(index),
    get cutShort() {
      return !options.planner.done;
    },
    read: (budget) => fromFrames((signal) => visitFrames(options, budget, signal)),
  };
}

async function* visitFrames(
  { clip, source, decoder, planner, cost, pool, eye, timeline, now }: PlannedClipOptions,
  budget: Pick<Budget, 'softAtMs' | 'isOverdue'>,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  for (;;) {
    cost.observeInfer(eye.predictMs(eye.maxBatch) / eye.maxBatch);
    const visit = planner.next({
      nowMs: now(),
      softCutMs: budget.softAtMs(),
      firstLookOnly: budget.isOverdue(),
      backlogFrames: Math.max(0, pool.inUse - HALF_DONE),
    });
    if (!visit || signal.aborted) return;
    clip.reader.pace(cost.speeds.bytesPerMs * cost.speeds.rttMs);
    clip.reader.prefetch([visit, ...planner.upcoming(VISITS_AHEAD)]);
    const work = planner.workOf(visit);
    const end = timeline.begin('decode', { from: visit.firstSample, to: visit.lastSample, keep: visit.keep.length });
    const startMs = now();
    const slotWaitMs = pool.waitedMs;
    const readBefore = source.bytesRead;
    const bytes = watch(clip.reader.samples(visit, signal), now);
    try {
      yield* decoder.run(visit, bytes.items, { signal, continues: visit.continues });
    } finally {
      end({ bytes: work.bytes, waitedForBytesMs: Math.round(bytes.waitedMs) });
    }
    const tookMs = now() - startMs;
    cost.observeDecode(work, tookMs - (pool.waitedMs - slotWaitMs) - bytes.waitedMs);
    if (bytes.waitedMs > LINK_BOUND * tookMs) cost.observeLink(source.bytesRead - readBefore, tookMs);
  }
}

/** The frame at work in the models is on average half done. */
const HALF_DONE = 0.5;

/** Share of a visit spent waiting for bytes from which on the link was the bottleneck. Chosen. */
const LINK_BOUND = 0.5;

export interface WatchedPool extends FramePool {
  /** How long the decoder has waited for slots so far, ms. */
  readonly waitedMs: number;
}

/** Counts the time for which the models hold the decoder up: it is none of the decoder's own. */
export function watchPool(pool: FramePool, now: () => number): WatchedPool {
  let waitedMs = 0;
  return Object.defineProperties(Object.create(pool), {
    waitedMs: { get: () => waitedMs },
    acquire: {
      async value(signal?: AbortSignal) {
        const startMs = now();
        const slot = await pool.acquire(signal);
        waitedMs += now() - startMs;
        return slot;
      },
    },
  });
}

/** Passes items on and counts how long each had to be waited for. */
function watch<T>(
  source: AsyncIterable<T>,
  now: () => number,
): { readonly items: AsyncIterable<T>; readonly waitedMs: number } {
  let waitedMs = 0;
  async function* items(): AsyncGenerator<T> {
    let askedMs = now();
    for await (const item of source) {
      waitedMs += now() - askedMs;
      yield item;
      askedMs = now();
    }
  }
  return {
    items: items(),
    get waitedMs() {
      return waitedMs;
    },
  };
}

/** Frames of a generator as they are pulled; leaving aborts `signal`, and a frame that comes too late is released. */
export const fromFrames = (open: (signal: AbortSignal) => AsyncIterable<Frame>): Observable<Frame> =>
  pull({ open, onDiscard: (frame) => frame.release() });
