import { runStage } from './run-stage.js';
import type { Measurements, Stage } from './schema.js';

/** What one measurement passes from stage to stage. */
export interface Measuring {
  /** Grows with every stage, so that what was measured before a failure is there. */
  readonly measured: Measurements;
  /** Repetitions of what is warm. */
  readonly runs: number;
  readonly signal: AbortSignal;
  /** The stage that began last. */
  readonly stage: Stage;
  /** Runs one stage; errors: StageError. */
  run<T>(stage: Stage, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

export interface MeasuringOptions {
  readonly measured: Measurements;
  readonly runs: number;
  /** Longest time of one stage, ms. */
  readonly stageLimitMs: number;
  readonly signal: AbortSignal;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

export function createMeasuring({ measured, runs, stageLimitMs, signal, onStage }: MeasuringOptions): Measuring {
  let stage: Stage = 'DNS look-up';
  return {
    measured,
    runs,
    signal,
    get stage() {
      return stage;
    },
    run(next, work) {
      stage = next;
      onStage?.(stage);
      return runStage({ stage, limitMs: stageLimitMs, signal }, work);
    },
  };
}

/** A repetition is left out once its predecessors took so long. Chosen: n runs over a slow link stay bearable. */
const REPEAT_MS = 2000;

/** Does it once, and again up to `runs` times in all while that is quick. */
export async function repeat(runs: number, act: () => Promise<unknown>): Promise<void> {
  const startMs = performance.now();
  for (let run = 0; run === 0 || (run < runs && performance.now() - startMs < REPEAT_MS); run++) await act();
}

/** How long it takes, ms. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await act();
  return performance.now() - startMs;
}
