import { filter, type MonoTypeOperatorFunction } from 'rxjs';
import { requireInteger } from './option.js';

export interface StrideOptions<T> {
  /** Items passed over before the first kept one. Default 0, at least 0. */
  readonly offset?: number;
  /** Receives every item that is passed over, in order. Must not throw. */
  readonly onDiscard?: (item: T) => void;
}

/**
 * Keeps every n-th item, so that a stage that cannot afford them all sees an even sample.
 *
 * ```
 * source    -a-b-c-d-e-|
 *           stride(2)
 * result    -a---c---e-|
 * discarded ---b---d----
 * ```
 *
 * Nearest in rxjs: `filter((_, i) => i % n === 0)`, which forgets the items that it drops; here their owner gets them back.
 *
 * - **Ends** with the source.
 * - **Order of use**: first after the source, before anything that costs per item.
 * - **Pressure**: holds nothing. Skipped items go to `onDiscard` at once, so their credits return at once.
 * - **Errors**: ERR_OPTION when called with `n` < 1 or a negative `offset`; those of the source pass through.
 */
export function stride<T>(n: number, { offset = 0, onDiscard }: StrideOptions<T> = {}): MonoTypeOperatorFunction<T> {
  requireInteger('n', n, 1);
  requireInteger('offset', offset, 0);
  return filter((item, index) => {
    const kept = index >= offset && (index - offset) % n === 0;
    if (!kept) onDiscard?.(item);
    return kept;
  });
}
