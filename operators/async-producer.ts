import { Observable, type Subscriber } from 'rxjs';
import type { Producer } from './pull.js';

/** Drives an async iterator as `pull` wants it: one `next()` of the iterator per item, `return()` when it is closed. */
export function producerOf<T>(iterable: AsyncIterable<T>, onDiscard?: (item: T) => void): Producer<T> {
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
