import { concat, defer, type Observable, type ObservableInput, type OperatorFunction, takeUntil, tap } from 'rxjs';

/** What ended the stream: its own completion, or the cut. */
export type EndedBy = 'source' | 'cut';

/**
 * The second of the two cuts of a time budget: ends everything above it at once, and then has the last word – the answer
 * made of what exists.
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
