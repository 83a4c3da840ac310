import { Observable } from 'rxjs';
import type { Producer } from './pull.js';

export interface AsyncProducerOptions<T> {
  /** Receives the item of a request that was abandoned while it was pending. Must not throw. */
  readonly onDiscard?: (item: T) => void;
}

/** Lets `pull` drive anything that `for await` can: one `next()` of the iterator per item. */
export function asyncProducer<T>(iterable: AsyncIterable<T>, { onDiscard }: AsyncProducerOptions<T> = {}): Producer<T> {
  const iterator = iterable[Symbol.asyncIterator]();
  return {
    next: () =>
      new Observable((subscriber) => {
        iterator.next().then(
          (result) => {
            if (result.done) subscriber.complete();
            else if (subscriber.closed) onDiscard?.(result.value);
            else {
              subscriber.next(result.value);
              subscriber.complete();
            }
          },
          (error) => subscriber.error(error),
        );
      }),
    close: () => {
      iterator.return?.();
    },
  };
}
