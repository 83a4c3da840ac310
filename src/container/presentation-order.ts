import type { Slices } from '../limits/index.js';

/** Values of a digit. Chosen: times of a usual clip have two digits, and the counts of one fit into a core's first cache. */
const RADIX = 2048;

/** 0 … count − 1. */
export async function countUp(count: number, slices: Slices): Promise<Int32Array> {
  const numbers = new Int32Array(count);
  await slices.blocks(count, (from, end) => {
    for (let i = from; i < end; i++) numbers[i] = i;
  });
  return numbers;
}

/**
 * Rows in ascending order of `times` (whole numbers), equal ones in their own order: sorted digit by digit, since other ways
 * take the longer the less sorted a stranger wrote them.
 */
export async function orderByTime(times: Float64Array, slices: Slices): Promise<Int32Array> {
  const count = times.length;
  let order: Int32Array = await countUp(count, slices);
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  let isSorted = true;
  await slices.blocks(count, (from, end) => {
    for (let row = from; row < end; row++) {
      if (times[row] < most) isSorted = false;
      least = Math.min(least, times[row]);
      most = Math.max(most, times[row]);
    }
  });
  if (isSorted) return order;
  let sorted: Int32Array = new Int32Array(count);
  for (let unit = 1; unit <= most - least; unit *= RADIX) {
    const digitOf = (row: number) => Math.floor((times[row] - least) / unit) % RADIX;
    /** Where the next row of each digit belongs. */
    const places = new Int32Array(RADIX + 1);
    await slices.blocks(count, (from, end) => {
      for (let row = from; row < end; row++) places[digitOf(row) + 1]++;
    });
    for (let digit = 0; digit < RADIX; digit++) places[digit + 1] += places[digit];
    const [before, after] = [order, sorted];
    await slices.blocks(count, (from, end) => {
      for (let i = from; i < end; i++) after[places[digitOf(before[i])]++] = before[i];
    });
    [order, sorted] = [after, before];
  }
  return order;
}
