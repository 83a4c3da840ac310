import { TABLE_WIDTH } from '../text-table.js';
import type { Path } from './schema.js';
import { showMs } from './units.js';

const NAME_COLUMNS = 12;
const TIME_COLUMNS = 10;

/** The steps of one way as bars one behind the other, each with its own time; at most `width` columns. */
export function waterfallOf({ steps, totalMs }: Path, width = TABLE_WIDTH): string[] {
  const columns = Math.max(10, width - NAME_COLUMNS - TIME_COLUMNS - 4);
  const at = (ms: number) => Math.round((ms / Math.max(totalMs, 0.01)) * columns);
  let fromMs = 0;
  return steps.map(({ step, ms }) => {
    const from = Math.min(at(fromMs), columns - 1);
    fromMs += ms;
    const length = Math.max(0, at(fromMs) - from);
    // What is too short for a block is still seen.
    const bar = ' '.repeat(from) + (length === 0 ? '▏' : '█'.repeat(length));
    return `  ${step.padEnd(NAME_COLUMNS)}${bar.padEnd(columns)}  ${showMs(ms).padStart(TIME_COLUMNS - 2)}`;
  });
}
