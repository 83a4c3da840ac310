import type { Observable, SchedulerLike } from 'rxjs';
import { requireAtLeast, requireInteger } from './option.js';

export interface RampBatchOptions<T> {
  /** Largest batch, in items. At least 1. */
  readonly maxSize: number;
  /** Size of the first batch, 1 … `maxSize`. Default 2 (or 1 where `maxSize` is 1). With 1 the first item goes on at once. */
  readonly firstSize?: number;
  /** Each batch may be this many times as large as the one before, rounded up. Default 2, at least 1. */
  readonly growth?: number;
  /** How long the first item of a batch waits for company, in ms. At least 0; infinity waits for a full batch. */
  readonly maxWaitMs: number;
  /**
   * Emits when the stage below has run out of work, as it has at the start: the open batch leaves at once, and where there is
   * none, the next item. Default: the stage below is not known, items wait for company.
   */
  readonly idle$?: Observable<unknown>;
  /** Whose clock counts. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Receives the items that were accepted and are never emitted, in order. Must not throw. */
  readonly onDiscard?: (item: T) => void;
}

/** Throws ERR_OPTION unless batches can be made like that. */
export function requireBatch({
  maxSize,
  firstSize = 1,
  growth = 1,
  maxWaitMs,
  deadlineMs,
}: {
  readonly maxSize: number;
  readonly firstSize?: number;
  readonly growth?: number;
  readonly maxWaitMs: number;
  readonly deadlineMs: number | (() => number);
}): void {
  requireInteger('maxSize', maxSize, 1);
  requireInteger('firstSize', firstSize, 1);
  requireAtLeast('maxSize', maxSize, firstSize);
  requireAtLeast('growth', growth, 1);
  requireAtLeast('maxWaitMs', maxWaitMs, 0);
  if (typeof deadlineMs === 'number') requireAtLeast('deadlineMs', deadlineMs, Number.NEGATIVE_INFINITY);
}
