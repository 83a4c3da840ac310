import { from, Observable, type ObservableInput, type OperatorFunction, Subject, takeUntil } from 'rxjs';
import { TikitakaError } from './error.js';
import { follow } from './follow.js';
import { requireInteger } from './option.js';

export interface BoundedMapOptions<T, R> {
  /** Starts the work on one input and owns it from then on; `index` counts inputs from 0. */
  readonly project: (value: T, index: number) => ObservableInput<R>;
  /** How many inputs may be at work, results that wait for an earlier one included. At least 1. */
  readonly concurrency: number;
  /** How many inputs may wait for a free place; one more is an error. At least 0. */
  readonly maxQueued: number;
  /** Receives every input that was accepted and never given to `project`. Must not throw. */
  readonly onDiscard?: (value: T) => void;
}

/**
 * Starts asynchronous work on a few inputs at a time and emits the results in the order of the inputs, so that a slow stage
 * is kept busy without collecting more than a stated number of inputs.
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
 * Nearest in rxjs: `concatMap` (one at a time) and `mergeMap(project, concurrency)` (any order), both with a queue that has
 * no bound and whose inputs are forgotten when the stream is cancelled.
 *
 * - **Ends** when the source has ended and the last result is out.
 * - **Order of use**: above `hardCut`, which makes it let go of everything at once.
 * - **Pressure**: at most `concurrency` inputs at work and `maxQueued` waiting; the source must be held back by credits
 *   (`pull`). Results that wait for an earlier input are dropped on an error or when the consumer leaves.
 * - **Errors**: ERR_OPTION when called; ERR_OVERFLOW down the stream when one input too many comes; those of the source
 *   and of `project` pass through at once, whatever still waits. Work is unsubscribed at every ending, and what `project`
 *   was given is its own to release; an input that made it throw, and those that waited, go to `onDiscard`.
 */
export function boundedMap<T, R>({
  project,
  concurrency,
  maxQueued,
  onDiscard,
}: BoundedMapOptions<T, R>): OperatorFunction<T, R> {
  requireInteger('concurrency', concurrency, 1);
  requireInteger('maxQueued', maxQueued, 0);

  return (source) =>
    new Observable((subscriber) => {
      const leave$ = new Subject<void>();
      const queue: T[] = [];
      /** Inputs at work, oldest first; only the oldest emits, the others keep their results. */
      const places: { results: R[]; done: boolean }[] = [];
      let index = 0;
      let draining = false;
      let sourceEnded = false;

      const start = (value: T) => {
        let inner: Observable<R>;
        try {
          inner = from(project(value, index++));
        } catch (error) {
          subscriber.error(error);
          onDiscard?.(value);
          return;
        }
        const place = { results: [] as R[], done: false };
        places.push(place);
        inner.pipe(takeUntil(leave$)).subscribe({
          next: (result) => {
            if (place === places[0] && place.results.length === 0) subscriber.next(result);
            else place.results.push(result);
          },
          error: (error) => subscriber.error(error),
          complete: () => {
            place.done = true;
            drain();
          },
        });
      };
      const drain = () => {
        if (draining) return;
        draining = true;
        while (!subscriber.closed) {
          const oldest = places[0];
          if (oldest) {
            // They stay in the list until all are out: one that arrives meanwhile must not overtake them.
            for (let i = 0; i < oldest.results.length; i++) subscriber.next(oldest.results[i]);
            oldest.results = [];
          }
          if (oldest?.done) places.shift();
          else if (places.length < concurrency && queue.length > 0) queue.splice(0, 1).forEach(start);
          else break;
        }
        draining = false;
        if (sourceEnded && places.length === 0) subscriber.complete();
      };

      follow(
        source,
        subscriber,
        {
          next: (value) => {
            if (queue.length === 0 && places.length < concurrency) start(value);
            else if (queue.length < maxQueued) queue.push(value);
            else {
              subscriber.error(
                new TikitakaError('ERR_OVERFLOW', `more than ${maxQueued} inputs wait for ${concurrency} at work`, {
                  details: { concurrency, maxQueued },
                }),
              );
              onDiscard?.(value);
            }
          },
          complete: () => {
            sourceEnded = true;
            drain();
          },
        },
        () => {
          leave$.next();
          for (const value of queue.splice(0)) onDiscard?.(value);
        },
      );
    });
}
