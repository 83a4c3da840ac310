import { type MonoTypeOperatorFunction, type Observable, takeUntil } from 'rxjs';

/**
 * The first of the two cuts of a time budget: takes no more items in, so that the stages below hand on what they hold.
 *
 * `softCut(cut$)`, and the same followed by `rampBatch({ maxSize: 4, firstSize: 4, maxWaitMs: 20 })`
 * ```
 * source    -ab-c---d-|
 * cut       ------x----
 * result    -ab-c-|
 * batches   ------(w|)     w = [a,b,c]
 * ```
 *
 * Nearest in rxjs: `takeUntil`, which this is; the name says where it belongs. *Below* a batcher it would lose the open
 * batch, and it cannot be the only cut: completion waits for all work that is in flight (see `hardCut`).
 *
 * - **Ends** with the source or at the first value of `cut$`.
 * - **Order of use**: above everything that holds items, below the source; early enough for what is inside to finish.
 * - **Pressure**: holds nothing; the source is unsubscribed at the cut.
 * - **Errors**: those of the source and of `cut$` pass through.
 */
export function softCut<T>(cut$: Observable<unknown>): MonoTypeOperatorFunction<T> {
  return takeUntil(cut$);
}
