import { median } from '../../challenge/quantile.js';
import { type Cell, fpsOf, type Run } from './cell.js';
import type { BenchProcess } from './process.js';
import type { Confirmation } from './result.js';

/** Reference, recommended, reference, … */
export const CONFIRM_ROUNDS = 3;
/** The promise of a recommendation (issue 5). */
const KEPT_WITHIN = 0.2;

export interface ConfirmOptions {
  /** The recommended setting, and the reference, as they were measured. */
  readonly cell: Cell;
  readonly now: Cell;
  /** A process for each. */
  readonly process: BenchProcess;
  readonly reference: BenchProcess;
}

/** Runs the recommended setting again in turn with the reference: does it keep its ratio to it? */
export async function confirm({ cell, now, process, reference }: ConfirmOptions): Promise<Confirmation> {
  const beside: Run[] = [];
  const again: Run[] = [];
  for (let round = 0; round < CONFIRM_ROUNDS; round++) {
    beside.push(await reference.answer());
    again.push(await process.answer());
  }
  const promised = { fps: cell.ratio, time: cell.timeS / now.timeS };
  const ratio = (figure: (run: Run) => number) => median(again.map(figure)) / median(beside.map(figure));
  const got = { fps: ratio(fpsOf), time: ratio(({ timeMs }) => timeMs) };
  const off = Math.max(Math.abs(got.fps / promised.fps - 1), Math.abs(got.time / promised.time - 1));
  return { promised, again: got, off, kept: off <= KEPT_WITHIN };
}
