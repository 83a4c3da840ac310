import type { OperatorFunction } from 'rxjs';
import type { RampBatchOptions } from './batch-options.js';
import { deadlineBatch } from './deadline-batch.js';

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
