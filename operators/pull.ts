import { from, Observable, type Observer, of, type Subscription } from 'rxjs';
import { OptionError } from './error.js';
import { follow, listener } from './follow.js';
import { type Producer, producerOf } from './producer.js';

export interface PullOptions<T> {
  /** Called for each subscription: a producer, or anything that `for await` can read. `signal` aborts at every ending. */
  readonly open: (signal: AbortSignal) => Producer<T> | AsyncIterable<T>;
  /** Credits: each value allows so many more items. Its completion says that no more will come. Default: each item when the one before is out. */
  readonly demand$?: Observable<number>;
  /** Receives the item that a call of an async iterator brings after everybody has left. Must not throw. */
  readonly onDiscard?: (item: T) => void;
}

const unlimited$ = of(Number.POSITIVE_INFINITY);

/**
 * A source that makes an item only when somebody has room for it: the bound on memory, and through a reader that is not
 * asked the pace of the sender.
 *
 * `pull({ open, demand$ })`, where each item takes 2 ms and the producer has three
 * ```
 * demand    --2------1----1----
 * next      --^-!
 * next      ----^-!
 * next      ---------^-!
 * next      --------------^-!
 * result    ----a-b----c----|
 * ```
 *
 * An iterator cannot be interrupted in the middle of a `next()`: abort by `signal` what it waits for. What its `return()`
 * rejects with is dropped: the stream is over then, and its consumer has been told why.
 *
 * Nearest in rxjs: `from(iterable)`, which reads on whether or not anybody keeps up.
 *
 * - **Ends** when the producer has no more items, or when `demand$` has completed and its credits are used up.
 * - **Order of use**: the first of a pipeline; whoever ends an item's journey gives the credit back.
 * - **Pressure**: never more items than credits, never more than one `next` pending, nothing held.
 * - **Errors**: those of `open`, of the producer and of `demand$` pass through; a negative or NaN demand is ERR_OPTION down
 *   the stream. The producer is closed and `signal` aborted at every ending.
 */
export function pull<T>({ open, demand$ = unlimited$, onDiscard }: PullOptions<T>): Observable<T> {
  return new Observable((subscriber) => {
    const leaving = new AbortController();
    const opened = open(leaving.signal);
    const producer = Symbol.asyncIterator in opened ? producerOf(opened, onDiscard) : opened;
    let credits = 0;
    let demandEnded = false;
    let asking = false;
    let pending: Subscription | undefined;

    const answer: Observer<T> = {
      next: (item) => {
        pending?.unsubscribe();
        pending = undefined;
        subscriber.next(item);
        ask();
      },
      error: (error) => subscriber.error(error),
      complete: () => subscriber.complete(),
    };
    const request = () => {
      let item$: Observable<T>;
      try {
        item$ = from(producer.next());
      } catch (error) {
        return subscriber.error(error);
      }
      if (subscriber.closed) return;
      const call = listener(answer);
      pending = call;
      item$.subscribe(call);
    };
    // A loop, not a recursion: a synchronous producer with a million credits must not overflow the stack.
    const ask = () => {
      if (asking) return;
      asking = true;
      while (credits > 0 && !pending && !subscriber.closed) {
        credits--;
        request();
      }
      asking = false;
      if (demandEnded && credits === 0 && !pending) subscriber.complete();
    };
    const accept = (count: number) => {
      if (!(count >= 0)) return subscriber.error(new OptionError(`demand must be at least 0, not ${count}`));
      credits += count;
      ask();
    };
    const complete = () => {
      demandEnded = true;
      ask();
    };
    follow(demand$, subscriber, { next: accept, complete }, () => {
      pending?.unsubscribe();
      leaving.abort();
      producer.close();
    });
  });
}
