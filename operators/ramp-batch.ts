import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs';
import { deadlineBatch } from './deadline-batch.js';

export interface RampBatchOptions<T> {
  /** Largest batch, in items. At least 1. */
  readonly maxSize: number;
  /** Size of the first batch, 1 … `maxSize`. Default 2 (or 1 where `maxSize` is 1). With 1 the first item goes on at once. */
  readonly firstSize?: number;
  /** Each batch may be this many times as large as the one before, rounded up. Default 2, at least 1. */
  readonly growth?: number;
  /** How long the first item of a batch waits for company, in ms. At least 0; infinity waits for a full batch. */
  readonly maxWaitMs: number;
  /**
   * Emits when the stage below has run out of work, as it has at the start: the open batch leaves at once, and where there is
   * none, the next item. Default: the stage below is not known, items wait for company.
   */
  readonly idle$?: Observable<unknown>;
  /** Whose clock counts. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Receives the items that were accepted and are never emitted, in order. Must not throw. */
  readonly onDiscard?: (item: T) => void;
}

/**
 * Collects items into batches that start small and grow, so that the first answer does not wait for a full batch and the
 * later ones cost no more than full batches do.
 *
 * `rampBatch({ maxSize: 4, maxWaitMs: 6 })`
 * ```
 * source    -ab-cdef-g-----------h-|
 * result    --x----y-------z-------(w|)     x = [a,b], y = [c,d,e,f], z = [g], w = [h]
 * ```
 * With `idle$` nothing waits while the stage below has nothing to do (it takes 4 for a batch here):
 * ```
 * source    abc------defg-h--|
 * idle      ----i---i----i---i
 * result    v---w----x---y---(z|)     v = [a], w = [b,c], x = [d], y = [e,f,g], z = [h]
 * ```
 *
 * Nearest in rxjs: `bufferTime(span, null, maxSize)`, whose timer runs on when nothing is there and then emits empty
 * lists, and which forgets the open batch on an error. Here the wait is counted from the first item of each batch.
 *
 * - **Ends** with the source, after the open batch.
 * - **Order of use**: below the cut that stops the intake (`softCut`): a `takeUntil` below a batcher loses the open batch.
 * - **Pressure**: holds at most one open batch; on an error or when the consumer leaves it goes to `onDiscard`.
 * - **Errors**: ERR_OPTION when called with a value outside its range; those of the source and of `idle$` pass through.
 */
export function rampBatch<T>(options: RampBatchOptions<T>): OperatorFunction<T, T[]> {
  return deadlineBatch({ ...options, deadlineMs: Number.POSITIVE_INFINITY, predictMs: () => 0 });
}
