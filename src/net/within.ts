import { setMaxListeners } from 'node:events';
import { TikitakaError } from '../../operators/index.js';

/** What a fired signal becomes. The signal's own reason is kept when it already is one of ours. */
export function abortError(signal: AbortSignal): TikitakaError {
  const { reason } = signal;
  return reason instanceof TikitakaError ? reason : new TikitakaError('ERR_ABORTED', 'Aborted', { cause: reason });
}

/** A signal of our own that also fires with others. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  abort(reason: TikitakaError): void;
  /** Lets go of the others. */
  unlink(): void;
}

/**
 * A signal that fires with the first of several, until `unlink`. (`AbortSignal.any` keeps every such signal alive as long as
 * its longest-lived source, here the pool's.)
 */
export function linkSignals(...signals: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const sources = signals.filter((signal) => signal !== undefined);
  const forward = () => {
    const fired = sources.find(({ aborted }) => aborted);
    if (fired) controller.abort(abortError(fired));
  };
  // Many reads hang on one signal; Node would take the eleventh for a leak.
  setMaxListeners(0, controller.signal, ...sources);
  for (const source of sources) source.addEventListener('abort', forward, { once: true });
  forward();
  return {
    signal: controller.signal,
    abort: (reason: TikitakaError) => controller.abort(reason),
    unlink: () => {
      for (const source of sources) source.removeEventListener('abort', forward);
    },
  };
}

export interface WithinOptions {
  readonly signal: AbortSignal;
  readonly limit?: {
    readonly timeoutMs: number;
    /** The error when the time is up. */
    readonly late: () => TikitakaError;
  };
}

/** Settles as `work` does, or earlier when the time is up or the signal fires (ERR_ABORTED); `work` itself is not stopped. */
export async function within<T>(work: Promise<T>, { signal, limit }: WithinOptions): Promise<T> {
  let stop = () => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    const timer = limit && setTimeout(() => reject(limit.late()), limit.timeoutMs);
    const onAbort = () => reject(abortError(signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    stop();
  }
}

/** Waits; ERR_ABORTED when the signal fires first. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError(signal));
    const onAbort = () => {
      clearTimeout(timer);
      reject(abortError(signal));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
