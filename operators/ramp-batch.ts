import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { deadlineBatch } from './deadline-batch.js';

export interface RampBatchOptions<T> {
  /** Largest batch, in items. At least 1. */
  readonly maxSize: number;
  /** Size of the first batch. Default 2, or `maxSize` where that is smaller; 1 hands the first item on at once. */
  readonly firstSize?: number;
  /** Each batch may be this many times as large as the one before. Default 2, at least 1. */
  readonly growth?: number;
  /** How long the first item of a batch may wait for company, in ms. At least 0; infinity waits for a full batch. */
  readonly maxWaitMs: number;
  /** Whose clock counts. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Receives the items of the open batch when the stream ends before it was handed on. Must not throw. */
  readonly onDiscard?: (item: T) => void;
}

/**
 * Collects items into batches that start small and grow, so that the first answer does not wait for a full batch while
 * the later ones are efficient.
 */
export function rampBatch<T>(options: RampBatchOptions<T>): OperatorFunction<T, T[]> {
  return deadlineBatch({ ...options, deadlineMs: Number.POSITIVE_INFINITY, predictMs: () => 0 });
}
