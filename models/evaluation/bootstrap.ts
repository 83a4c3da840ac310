/** Bounds between which the figure lies in 90 % of the resamplings. */
export type Interval = readonly [number, number];

const resamplings = 200;

/**
 * 90 % percentile bootstrap over images: how far figures would move with other images of the same kind. Always the same
 * draws. `figures` is called with image numbers, repeats included.
 */
export function bootstrap<K extends string>(
  images: number,
  figures: (drawn: readonly number[]) => Readonly<Record<K, number>>,
): Record<K, Interval> {
  const random = createRandom(1);
  const runs = Array.from({ length: resamplings }, () =>
    figures(Array.from({ length: images }, () => Math.floor(random() * images))),
  );
  const [first] = runs;
  const names = first ? keysOf(first) : [];
  const intervals = names.map((name): [K, Interval] => {
    const sorted = runs.map((run) => run[name]).sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
    return [name, [at(0.05), at(0.95)]];
  });
  return recordOf(intervals);
}

function keysOf<K extends string>(record: Readonly<Record<K, unknown>>): K[] {
  const keys: K[] = [];
  for (const key in record) keys.push(key);
  return keys;
}

function recordOf<K extends string, V>(entries: readonly (readonly [K, V])[]): Record<K, V>;
function recordOf(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  return Object.fromEntries(entries);
}

/** Mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
