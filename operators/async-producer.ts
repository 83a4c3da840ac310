import { Observable, type Subscriber } from 'rxjs';
import type { Producer } from './pull.js';

export interface AsyncProducerOptions<T> {
  /** Receives the item of a request that was abandoned while it was pending. Must not throw. */
  readonly onDiscard?: (item: T) => void;
}

/**
 * Lets `pull` drive anything that `for await` can read: one `next()` of the iterator per item, `return()` when it is closed.
 *
 * An iterator cannot be interrupted in the middle of a `next()`: the item that such a call still brings goes to
 * `onDiscard`. To end the call itself, abort what the iterable waits for. What `return()` rejects with is dropped: the
 * stream is over then, and its consumer has been told why.
 */
export function asyncProducer<T>(iterable: AsyncIterable<T>, { onDiscard }: AsyncProducerOptions<T> = {}): Producer<T> {
  const iterator = iterable[Symbol.asyncIterator]();
  let caller: Subscriber<T> | undefined;
  const accept = (result: IteratorResult<T>) => {
    if (result.done) caller?.complete();
    else if (caller?.closed) onDiscard?.(result.value);
    else caller?.next(result.value);
  };
  const fail = (error: unknown) => caller?.error(error);
  const item$ = new Observable<T>((subscriber) => {
    caller = subscriber;
    iterator.next().then(accept, fail);
  });
  return {
    next: () => item$,
    close: () => {
      iterator.return?.().catch(() => {});
    },
  };
}
