import { asyncScheduler, defer, finalize, type OperatorFunction, Subject, tap } from 'rxjs';
import { requireBatch } from './batch-options.js';
import { type DeadlineBatchOptions, deadlineBatch } from './deadline-batch.js';
import { type Borrower, lendTo, type Owned } from './lend-to.js';
import { requireInteger } from './option.js';

export interface BatchToOptions<T>
  extends Omit<DeadlineBatchOptions<T>, 'deadlineMs' | 'predictMs' | 'busyMs' | 'idle$' | 'onDiscard'> {
  /** When the last batch must be done, ms on the clock of `scheduler`. Default: no deadline. */
  readonly deadlineMs?: number | (() => number);
  /** Predicted duration of the work on a batch of `size` items, ms; must not fall when `size` grows. Default: learnt from the batches before. */
  readonly predictMs?: (size: number) => number;
  /** Batches that may be lent at once; they are worked on one after the other. Default 1. */
  readonly concurrency?: number;
  /** An open batch leaves when the work has nothing to do. Default true; false: only when it is full or has waited long enough. */
  readonly eager?: boolean;
  /** Gives an item back. Default: its `release()`. Must not throw. */
  readonly release?: (item: T) => void;
}

/**
 * Collects owned items into batches for some work, and knows that work: an open batch leaves when it has nothing to do, and
 * none is handed over that cannot be done before the deadline.
 *
 * `batchTo(work, { maxSize: 4, maxWaitMs: 20 })`, where the work takes 3 for a batch and gives out its size
 * ```
 * source    -abcd----e-|
 * result    ----1--3----(1|)
 * released  ----a--(bcd)e
 * ```
 *
 * Nearest in rxjs: `bufferTime` and `concatMap`, neither of which knows what the other is doing.
 *
 * - **Ends** when the source has ended and the last batch is done, or when an item comes for which no time is left.
 * - **Order of use**: below `softCut`, above the cut that ends everything.
 * - **Pressure**: one open batch, and as `lendTo` as many more as the source makes without getting any back.
 * - **Errors**: as `deadlineBatch` and `lendTo`; every item is released once.
 */
export function batchTo<T extends Owned, R>(
  work: Borrower<T[], R>,
  options: BatchToOptions<T>,
): OperatorFunction<T, R> {
  const { deadlineMs = Number.POSITIVE_INFINITY, eager = true, scheduler = asyncScheduler } = options;
  const { concurrency = 1, release = (item: T) => item.release() } = options;
  requireBatch({ ...options, deadlineMs });
  requireInteger('concurrency', concurrency, 1);

  return (source) =>
    defer(() => {
      const learnt = learnDuration();
      const { predictMs = learnt.predictMs } = options;
      const idle$ = new Subject<void>();
      let handedOver = 0;
      let busyUntilMs = Number.NEGATIVE_INFINITY;
      let freeSinceMs = Number.NEGATIVE_INFINITY;

      const done = (size: number, begunMs: number) => {
        const nowMs = scheduler.now();
        learnt.observe(size, nowMs - Math.max(begunMs, freeSinceMs));
        freeSinceMs = nowMs;
        if (--handedOver > 0) return;
        busyUntilMs = nowMs;
        idle$.next();
      };
      const timed: Borrower<T[], R> = (batch, signal) => {
        const begunMs = scheduler.now();
        return defer(() => work(batch, signal)).pipe(finalize(() => done(batch.length, begunMs)));
      };
      return source.pipe(
        deadlineBatch<T>({
          ...options,
          scheduler,
          deadlineMs,
          predictMs,
          busyMs: () => Math.max(0, busyUntilMs - scheduler.now()),
          ...(eager ? { idle$ } : {}),
          onDiscard: release,
        }),
        tap((batch) => {
          handedOver++;
          busyUntilMs = Math.max(busyUntilMs, scheduler.now()) + predictMs(batch.length);
        }),
        lendTo(timed, { concurrency, release: (batch: T[]) => batch.forEach(release) }),
      );
    });
}

/** How much the newest batch says about the next ones. Chosen: a sudden load shows within three batches. */
const NEWEST = 0.5;

/** Duration of work on batches of one item after another, as a share of each for every item; nothing seen, nothing predicted. */
function learnDuration() {
  let msPerItem: number | undefined;
  return {
    predictMs: (size: number) => size * (msPerItem ?? 0),
    observe(size: number, tookMs: number) {
      msPerItem = msPerItem === undefined ? tookMs / size : msPerItem + NEWEST * (tookMs / size - msPerItem);
    },
  };
}
