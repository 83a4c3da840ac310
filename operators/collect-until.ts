import { defer, finalize, ignoreElements, type Observable, type OperatorFunction, of, tap } from 'rxjs';
import { hardCut } from './hard-cut.js';

export interface Collected<T> {
  readonly items: readonly T[];
  /** The source ended by itself: nothing is missing. */
  readonly complete: boolean;
}

export interface CollectUntilOptions<T> {
  /** Receives what was collected where nobody gets it: on an error, or when the consumer leaves. Must not throw. */
  readonly onDiscard?: (item: T) => void;
}

/**
 * Gathers what comes before a deadline, and says whether that is everything.
 *
 * `collectUntil(cut$)`
 * ```
 * source    -a-b-c-|
 * cut       ----x---
 * result    ----(i|)      i = { items: [a, b], complete: false }
 * ```
 *
 * Nearest in rxjs: `takeUntil` and `toArray`, which cannot tell a cut list from a whole one.
 *
 * - **Ends** with one value, when the source ends or `cut$` emits.
 * - **Order of use**: the last of all.
 * - **Pressure**: holds every item until then: for results, not for frames.
 * - **Errors**: those of the source and of `cut$` pass through; what was collected goes to `onDiscard`.
 */
export function collectUntil<T>(
  cut$: Observable<unknown>,
  { onDiscard }: CollectUntilOptions<T> = {},
): OperatorFunction<T, Collected<T>> {
  return (source) =>
    defer(() => {
      let items: T[] = [];
      const take = () => {
        const taken = items;
        items = [];
        return taken;
      };
      return source.pipe(
        tap((item) => items.push(item)),
        ignoreElements(),
        hardCut(cut$, (endedBy) => of({ items: take(), complete: endedBy === 'source' })),
        finalize(() => {
          for (const item of take()) onDiscard?.(item);
        }),
      );
    });
}
