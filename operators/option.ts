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
