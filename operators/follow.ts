import { type Observable, type Observer, Subscriber } from 'rxjs';

/**
 * What an operator subscribes with: unlike `source.subscribe({…})` it can be unsubscribed while a synchronous source is
 * still emitting, so that a consumer that leaves in the middle of a burst stops the burst. rxjs 7 builds its own operators
 * on the same class; what it deprecates is calling the constructor outside of operators. `takeUntil` does the same in
 * public terms, at six times the cost per subscription (measured: bench/operators.ts boundedMap, 2026-11-21).
 */
export function listener<T>(observer: Observer<T>): Subscriber<T> {
  return new Subscriber(observer);
}

/**
 * Subscribes an operator to its source so that every ending of `subscriber` – completion, error, unsubscription – first
 * leaves the source and only then runs `onEnd`: what `onEnd` hands back may make a synchronous source emit again, and
 * nobody would release that item. Errors pass through.
 */
export function follow<T, R>(
  source: Observable<T>,
  subscriber: Subscriber<R>,
  { next, complete }: Pick<Observer<T>, 'next' | 'complete'>,
  onEnd: () => void,
): void {
  const upstream = listener<T>({ next, complete, error: (error) => subscriber.error(error) });
  subscriber.add(() => {
    upstream.unsubscribe();
    onEnd();
  });
  if (!subscriber.closed) source.subscribe(upstream);
}
