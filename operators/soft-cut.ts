import { type MonoTypeOperatorFunction, type Observable, takeUntil } from 'rxjs';

/** The first of the two cuts of a time budget: takes no more items in, and lets the stages below finish what they hold. */
export function softCut<T>(cut$: Observable<unknown>): MonoTypeOperatorFunction<T> {
  return takeUntil(cut$);
}
