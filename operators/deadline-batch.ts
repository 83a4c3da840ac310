import { asyncScheduler, Observable, type OperatorFunction, type Subscription } from 'rxjs';
import { follow } from './follow.js';
import { requireAtLeast, requireInteger } from './option.js';
import type { RampBatchOptions } from './ramp-batch.js';

export interface DeadlineBatchOptions<T> extends RampBatchOptions<T> {
  /** When the work on the last batch must be done, ms on the clock of `scheduler`. A function is asked anew each time. */
  readonly deadlineMs: number | (() => number);
  /** Predicted duration of the work on a batch of `size` items in ms; must not fall when `size` grows. */
  readonly predictMs: (size: number) => number;
  /** Predicted time in ms until the work that was handed on before ends; a new batch starts behind it. Default 0. */
  readonly busyMs?: () => number;
}

/**
 * Batches like `rampBatch`, but never hands on work that is predicted to end after the deadline: what would be thrown away
 * then is better not begun, and the time goes to a smaller batch that does finish. A batch closes early when one more item
 * would no longer fit, or at the last moment at which it still fits itself.
 *
 * With `firstSize: 4, maxSize: 4, predictMs: (n) => 3 * n, deadlineMs: 12`:
 * ```
 * source    abcdefgh|
 * result    --x---(y|)       x = [a,b,c], y = [d]
 * ```
 */
export function deadlineBatch<T>({
  maxSize,
  firstSize = Math.min(2, maxSize),
  growth = 2,
  maxWaitMs,
  deadlineMs,
  predictMs,
  busyMs = () => 0,
  scheduler = asyncScheduler,
  onDiscard,
}: DeadlineBatchOptions<T>): OperatorFunction<T, T[]> {
  requireInteger('maxSize', maxSize, 1);
  requireInteger('firstSize', firstSize, 1);
  requireAtLeast('maxSize', maxSize, firstSize);
  requireAtLeast('growth', growth, 1);
  requireAtLeast('maxWaitMs', maxWaitMs, 0);
  const deadline = typeof deadlineMs === 'function' ? deadlineMs : () => deadlineMs;
  const unlimited = deadlineMs === Number.POSITIVE_INFINITY;
  const fits = (count: number) => scheduler.now() + busyMs() + predictMs(count) <= deadline();

  return (source) =>
    new Observable((subscriber) => {
      let open: T[] = [];
      let size = firstSize;
      let closeAtMs = Number.POSITIVE_INFINITY;
      let timer: Subscription | undefined;

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
        // The rest goes back last: that may bring the next item at once, which must not overtake this batch.
        if (count > 0) subscriber.next(batch);
        else subscriber.complete();
        for (const item of rest) onDiscard?.(item);
      };
      const closeBy = (atMs: number) => {
        if (atMs >= closeAtMs) return;
        timer?.unsubscribe();
        closeAtMs = atMs;
        timer = scheduler.schedule(() => attempt(close), Math.max(0, atMs - scheduler.now()));
      };
      const accept = (item: T) => {
        const count = open.push(item);
        if (count >= size) return close();
        if (count === 1) closeBy(scheduler.now() + maxWaitMs);
        if (unlimited) return;
        if (!fits(count + 1)) close();
        else closeBy(deadline() - predictMs(count));
      };

      follow(
        source,
        subscriber,
        {
          next: (item) => attempt(() => accept(item)),
          complete: () => {
            if (open.length > 0) attempt(close);
            subscriber.complete();
          },
        },
        () => {
          timer?.unsubscribe();
          for (const item of open.splice(0)) onDiscard?.(item);
        },
      );
    });
}
