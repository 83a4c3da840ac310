import { from, Observable, type ObservableInput, type OperatorFunction, type Subscription } from 'rxjs';
import { TikitakaError } from './error.js';
import { follow, listener } from './follow.js';
import { requireInteger } from './option.js';

export interface BoundedMapOptions<T, R> {
  /** Returns the work on one input, which owns it from its subscription on; `index` counts inputs from 0. */
  readonly project: (value: T, index: number) => ObservableInput<R>;
  /** How many inputs may be at work, results that wait for an earlier one included. At least 1. */
  readonly concurrency: number;
  /** How many inputs may wait for a free place; one more is an error. At least 0. */
  readonly maxQueued: number;
  /** Receives every input that was accepted and never given to `project`. Must not throw. */
  readonly onDiscard?: (value: T) => void;
}

/**
 * Keeps a slow stage busy with a few inputs at a time, in order, without ever collecting more than a stated number of them.
 *
 * `boundedMap({ concurrency: 2, maxQueued: 1, project: … })`, where the work takes `----a|`, `-b|` and `-c|`
 * ```
 * source    abc-----|
 * work a    ^----!
 * work b    -^-!
 * work c    -----^-!
 * result    ----abc-|
 * ```
 *
 * Nearest in rxjs: `concatMap` (one at a time) and `mergeMap(project, n)` (any order), whose queues have no bound and whose
 * queued inputs are forgotten on cancellation.
 *
 * - **Ends** when the source has ended and the last result is out.
 * - **Order of use**: above `hardCut`, which makes it let go of everything at once.
 * - **Pressure**: at most `concurrency` inputs at work and `maxQueued` waiting; the source must be held back by credits
 *   (`pull`). Results that wait for an earlier input are dropped on an error or when the consumer leaves.
 * - **Errors**: ERR_OPTION when called; ERR_OVERFLOW down the stream at one input too many; those of the source and of the
 *   work pass through at once. Every ending unsubscribes the work, which releases its input; inputs whose work did not
 *   begin go to `onDiscard`.
 */
export function boundedMap<T, R>({
  project,
  concurrency,
  maxQueued,
  onDiscard,
}: BoundedMapOptions<T, R>): OperatorFunction<T, R> {
  requireInteger('concurrency', concurrency, 1);
  requireInteger('maxQueued', maxQueued, 0);
  const details = { concurrency, maxQueued };
  const overflow = () => new TikitakaError('ERR_OVERFLOW', `more than ${maxQueued} inputs wait`, { details });

  return (source) =>
    new Observable((subscriber) => {
      const queue: T[] = [];
      /** Inputs at work, oldest first; only the oldest emits, the others keep their results. */
      const places: { work: Subscription; results: R[]; done: boolean }[] = [];
      let index = 0;
      let draining = false;
      let sourceEnded = false;
      const refuse = (value: T, error: unknown) => {
        subscriber.error(error);
        onDiscard?.(value);
      };
      const start = (value: T) => {
        let inner: Observable<R>;
        try {
          inner = from(project(value, index++));
        } catch (error) {
          return refuse(value, error);
        }
        if (subscriber.closed) return onDiscard?.(value);
        const work = listener<R>({
          next: (result) => {
            if (place === places[0] && place.results.length === 0) subscriber.next(result);
            else place.results.push(result);
          },
          error: (error) => subscriber.error(error),
          complete: () => {
            // Before the next begins: what this one held, the next may need.
            work.unsubscribe();
            place.done = true;
            drain();
          },
        });
        const place = { work, results: [] as R[], done: false };
        places.push(place);
        inner.subscribe(work);
      };
      const drain = () => {
        if (draining) return;
        draining = true;
        while (!subscriber.closed) {
          const oldest = places[0];
          // They stay in the list until all are out: one that arrives meanwhile must not overtake them.
          if (oldest && oldest.results.length > 0) {
            for (const result of oldest.results) subscriber.next(result);
            oldest.results = [];
          }
          if (oldest?.done) places.shift();
          else if (places.length < concurrency && queue.length > 0) queue.splice(0, 1).forEach(start);
          else break;
        }
        draining = false;
        if (sourceEnded && places.length === 0) subscriber.complete();
      };

      const accept = (value: T) => {
        if (queue.length === 0 && places.length < concurrency) start(value);
        else if (queue.length < maxQueued) queue.push(value);
        else refuse(value, overflow());
      };
      const complete = () => {
        sourceEnded = true;
        drain();
      };
      follow(source, subscriber, { next: accept, complete }, () => {
        for (const { work } of places) work.unsubscribe();
        for (const value of queue.splice(0)) onDiscard?.(value);
      });
    });
}
