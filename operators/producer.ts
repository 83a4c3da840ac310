import { Observable, type ObservableInput, type Subscriber } from 'rxjs';

/** Something that makes one item when asked: a decoder, an iterator, a fake in virtual time. */
export interface Producer<T> {
  /** Makes one item: emits it (anything after it is not read), or completes without one to say that there are no more. Called only while no earlier call is pending. */
  next(): ObservableInput<T>;
  /** Called exactly once, at whatever ending, after a pending `next` was unsubscribed. Must not throw. */
  close(): void;
}

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
