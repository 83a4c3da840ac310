import { asyncScheduler, Observable, type OperatorFunction, type Subscription } from 'rxjs';
import { type RampBatchOptions, requireBatch } from './batch-options.js';
import { follow } from './follow.js';

/** Timers of JavaScript count 31 bits; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

export interface DeadlineBatchOptions<T> extends RampBatchOptions<T> {
  /** When the work on the last batch must be done, ms on the clock of `scheduler`. A function is asked anew each time. */
  readonly deadlineMs: number | (() => number);
  /** Predicted duration of the work on a batch of `size` items in ms; must not fall when `size` grows. */
  readonly predictMs: (size: number) => number;
  /** Predicted time in ms until the work that was handed on before ends; a new batch starts behind it. Default 0. */
  readonly busyMs?: () => number;
}

/**
 * Batches like `rampBatch`, but hands on no work that is predicted to end after the deadline: its result would come too
 * late, and the time it takes could have gone into a smaller batch that does finish.
 *
 * `deadlineBatch({ maxSize: 4, firstSize: 4, maxWaitMs: 20, deadlineMs: 20, predictMs: (size) => 3 * size })`
 * ```
 * source    -abcdef---------g-h-i-j-|
 * result    ----x-----y-----z-|          x = [a,b,c,d], y = [e,f], z = [g]
 * discarded ------------------h
 * ```
 * `y` has waited for half of the time that was left over (at 6, two items need 6 ms of 14; the other half is for timers
 * that come late), `z` leaves at once because a second item would not fit any more, and `h` finds no room at all. A batch
 * for which it has become too late meanwhile shrinks: its first items go on.
 *
 * Nearest in rxjs: `bufferTime(span, null, maxSize)`, which knows no deadline.
 *
 * - **Ends** with the source, after the open batch, or when an item comes for which no time is left; not by the clock
 *   alone: `softCut` above it ends a source that stalls.
 * - **Order of use**: below `softCut`, right above the stage whose duration `predictMs` predicts.
 * - **Pressure**: holds at most one open batch. Whatever is not handed on goes to `onDiscard`, once.
 * - **Errors**: ERR_OPTION when called; those of the source, and what `predictMs`, `busyMs` or `deadlineMs` throw, go down
 *   the stream, the open batch to `onDiscard`.
 */
export function deadlineBatch<T>({
  maxSize,
  firstSize = Math.min(2, maxSize),
  growth = 2,
  maxWaitMs,
  deadlineMs,
  predictMs,
  busyMs = () => 0,
  idle$,
  scheduler = asyncScheduler,
  onDiscard,
}: DeadlineBatchOptions<T>): OperatorFunction<T, T[]> {
  requireBatch({ maxSize, firstSize, growth, maxWaitMs, deadlineMs });
  const deadline = typeof deadlineMs === 'function' ? deadlineMs : () => deadlineMs;
  const unlimited = deadlineMs === Number.POSITIVE_INFINITY;
  const fits = (count: number) => scheduler.now() + busyMs() + predictMs(count) <= deadline();

  return (source) =>
    new Observable((subscriber) => {
      let open: T[] = [];
      let size = firstSize;
      let closeAtMs = Number.POSITIVE_INFINITY;
      let timer: Subscription | undefined;
      let idle = idle$ !== undefined;

      const attempt = (work: () => void) => {
        try {
          work();
        } catch (error) {
          subscriber.error(error);
        }
      };
      const close = () => {
        let count = open.length;
        if (!unlimited) while (count > 0 && !fits(count)) count--;
        timer?.unsubscribe();
        closeAtMs = Number.POSITIVE_INFINITY;
        const batch = open;
        open = [];
        const rest = batch.splice(count);
        size = Math.min(maxSize, Math.ceil(size * growth));
        idle = false;
        // The rest goes back last: that may bring the next item at once, which must not overtake this batch.
        if (count > 0) subscriber.next(batch);
        else subscriber.complete();
        for (const item of rest) onDiscard?.(item);
      };
      const closeBy = (atMs: number, nowMs: number) => {
        const delayMs = Math.max(0, atMs - nowMs);
        if (atMs >= closeAtMs || delayMs > longestTimerMs) return;
        timer?.unsubscribe();
        closeAtMs = atMs;
        timer = scheduler.schedule(() => attempt(close), delayMs);
      };
      const accept = (item: T) => {
        const count = open.push(item);
        if (count >= size || idle) return close();
        if (unlimited && count > 1) return;
        const nowMs = scheduler.now();
        if (count === 1) closeBy(nowMs + maxWaitMs, nowMs);
        if (unlimited) return;
        const endMs = deadline();
        if (nowMs + busyMs() + predictMs(count + 1) > endMs) close();
        else closeBy((nowMs + endMs - predictMs(count)) / 2, nowMs);
      };
      const flush = () => {
        if (open.length > 0) attempt(close);
      };
      const complete = () => {
        flush();
        subscriber.complete();
      };
      const whenIdle = () => {
        idle = true;
        flush();
      };
      subscriber.add(idle$?.subscribe({ next: whenIdle, error: (error) => subscriber.error(error) }));
      follow(source, subscriber, { next: (item) => attempt(() => accept(item)), complete }, () => {
        timer?.unsubscribe();
        for (const item of open.splice(0)) onDiscard?.(item);
      });
    });
}
