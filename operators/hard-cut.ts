import { concat, defer, type Observable, type ObservableInput, type OperatorFunction, takeUntil, tap } from 'rxjs';

/** What ended the stream: its own completion, or the cut. */
export type EndedBy = 'source' | 'cut';

/**
 * The second of the two cuts of a time budget: ends everything above it at once, and then has the last word – an answer made
 * of what exists. It has the last word too when the source ends by itself.
 *
 * `hardCut(cut$, (endedBy) => of(endedBy === 'cut' ? 'C' : 'S'))`
 * ```
 * source    -a-b-c-d-|
 * cut       ----x-----
 * result    -a-b(C|)
 * ```
 *
 * Nearest in rxjs: `concat(source.pipe(takeUntil(cut$)), last$)`, which cannot tell what ended the source.
 *
 * - **Ends** with what `last` returns.
 * - **Order of use**: the last of all, with `softCut` above the first stage that holds items.
 * - **Pressure**: holds nothing. Everything above is unsubscribed, and so has handed back, before `last` is called.
 * - **Errors**: those of the source and of `cut$` pass through, without a last word; so do those of `last`.
 */
export function hardCut<T, L = never>(
  cut$: Observable<unknown>,
  last: (endedBy: EndedBy) => ObservableInput<L>,
): OperatorFunction<T, T | L> {
  return (source) =>
    defer(() => {
      let endedBy: EndedBy = 'source';
      const marked$ = cut$.pipe(
        tap(() => {
          endedBy = 'cut';
        }),
      );
      return concat(
        source.pipe(takeUntil(marked$)),
        defer(() => last(endedBy)),
      );
    });
}
