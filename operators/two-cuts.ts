import { defer, type Observable, type ObservableInput, type OperatorFunction, tap } from 'rxjs';
import { hardCut } from './hard-cut.js';
import { softCut } from './soft-cut.js';

/** What ended the stream: the source itself, the end of the intake (all that was taken in is done), or the end of everything. */
export type EndedByCut = 'source' | 'soft' | 'hard';

export interface TwoCutsOptions<T, R, L> {
  /** Its first value ends the intake. */
  readonly soft$: Observable<unknown>;
  /** Its first value ends everything. */
  readonly hard$: Observable<unknown>;
  /** What lies between the cuts. */
  readonly stages: OperatorFunction<T, R>;
  /** Has the last word; `complete` = nothing was cut. */
  readonly last: (ending: { readonly complete: boolean; readonly endedBy: EndedByCut }) => ObservableInput<L>;
}

/**
 * A time budget round some stages: takes nothing more in at the soft cut, ends everything at the hard cut, and tells the two
 * from a source that was answered whole.
 *
 * `twoCuts({ soft$, hard$, stages: delay(2), last: ({ endedBy }) => of(endedBy[0]) })`
 * ```
 * source    -abcdefghi-|
 * soft      ----s-------
 * hard      -------h----
 * result    ---ab(cs|)
 * ```
 *
 * Nearest in rxjs: `takeUntil` twice, which cannot tell a cut stream from a whole one.
 *
 * - **Ends** with what `last` returns.
 * - **Order of use**: the last of all; whatever holds items belongs into `stages`.
 * - **Pressure**: holds nothing. Everything above is unsubscribed, and so has handed back, before `last` is called.
 * - **Errors**: those of the source, the stages and the cuts pass through, without a last word; so do those of `last`.
 */
export function twoCuts<T, R, L = never>({
  soft$,
  hard$,
  stages,
  last,
}: TwoCutsOptions<T, R, L>): OperatorFunction<T, R | L> {
  return (source) =>
    defer(() => {
      let intake: EndedByCut = 'source';
      const marked$ = soft$.pipe(
        tap(() => {
          intake = 'soft';
        }),
      );
      return source.pipe(
        softCut(marked$),
        stages,
        hardCut(hard$, (by) => {
          const endedBy = by === 'cut' ? 'hard' : intake;
          return last({ complete: endedBy === 'source', endedBy });
        }),
      );
    });
}
