import { type Observable, type Observer, Subject, type Subscriber, takeUntil } from 'rxjs';

/**
 * Subscribes an operator to its source so that every ending of `subscriber` – completion, error, unsubscription – first
 * leaves the source and only then runs `onEnd`: what `onEnd` hands back may make a synchronous source emit again, and
 * nobody would release that item. A consumer that leaves in the middle of a synchronous burst stops the burst, which a
 * plain `subscriber.add(source.subscribe(…))` cannot. Errors pass through.
 */
export function follow<T, R>(
  source: Observable<T>,
  subscriber: Subscriber<R>,
  { next, complete }: Pick<Observer<T>, 'next' | 'complete'>,
  onEnd: () => void,
): void {
  const leave$ = new Subject<void>();
  subscriber.add(() => {
    leave$.next();
    onEnd();
  });
  source.pipe(takeUntil(leave$)).subscribe({
    next,
    error: (error) => subscriber.error(error),
    complete: () => {
      if (!subscriber.closed) complete();
    },
  });
}
