import { TikitakaError } from '../../../operators/index.js';
import { linkSignals, within } from '../../net/index.js';
import type { Stage } from './schema.js';

export interface StageOptions {
  readonly stage: Stage;
  /** The stage ends by then, whatever the other side does, ms. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** An error that knows in which stage it arose. */
export class StageError extends TikitakaError {
  override readonly name = 'StageError';
  constructor(
    readonly stage: Stage,
    code: string,
    message: string,
    cause?: unknown,
  ) {
    super(code, message, { cause, details: { stage } });
  }
}

/**
 * Runs one stage under its limit; `work` must end when its signal fires. Errors: StageError with the code of what went
 * wrong, ERR_STAGE_TIMEOUT where the time was up, ERR_INTERNAL for what is no error of ours.
 */
export async function runStage<T>(
  { stage, limitMs, signal }: StageOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const linked = linkSignals(signal);
  const late = () => new StageError(stage, 'ERR_STAGE_TIMEOUT', `it took longer than ${limitMs / 1000} s`);
  const working = work(linked.signal);
  try {
    return await within(working, { signal, limit: { timeoutMs: limitMs, late } });
  } catch (error) {
    const failure = stageError(stage, error);
    linked.abort(failure);
    working.catch(() => {});
    throw failure;
  } finally {
    linked.unlink();
  }
}

export function stageError(stage: Stage, error: unknown): StageError {
  if (error instanceof StageError) return error;
  if (error instanceof TikitakaError) return new StageError(stage, error.code, error.message, error);
  return new StageError(stage, 'ERR_INTERNAL', error instanceof Error ? error.message : String(error), error);
}
