import { OptionError } from './error.js';

/** Throws ERR_OPTION unless `value` is an integer of at least `min`. */
export function requireInteger(name: string, value: number, min: number): void {
  if (!Number.isSafeInteger(value) || value < min) {
    throw new OptionError(`${name} must be an integer of at least ${min}, not ${value}`, { name, value, min });
  }
}

/** Throws ERR_OPTION unless `value` is a number of at least `min`; infinity passes, NaN does not. */
export function requireAtLeast(name: string, value: number, min: number): void {
  if (!(value >= min)) {
    throw new OptionError(`${name} must be a number of at least ${min}, not ${value}`, { name, value, min });
  }
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
