import { abortError } from './within.js';

/** The first bytes of a source, kept: index and first samples lie there, and are asked for more than once. */
export interface Head {
  /** Bytes that the head can hold; offsets below it are served from here. */
  readonly capacity: number;
  /** Bytes `start` … `end` (both within the capacity) as they arrive; views of the kept memory. Ends early where the source does. */
  read(start: number, end: number, signal: AbortSignal): AsyncGenerator<Uint8Array>;
  /** Resolves when the head is full, or the source ended or failed before: nothing more is asked for by itself. */
  readonly settled: Promise<void>;
  /** What the filling took from the source and does not fit, then the rest of the source. For one caller. */
  rest(): AsyncGenerator<Uint8Array>;
}

/** Starts to fill a head of `capacity` bytes from `chunks` at once; an error of the source reaches the readers of the missing bytes. */
export function createHead(capacity: number, chunks: AsyncGenerator<Uint8Array>): Head {
  const kept = new Uint8Array(capacity);
  let filled = 0;
  let surplus: Uint8Array | undefined;
  let failure: { readonly error: unknown } | undefined;
  let finished = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const resume of [...waiting]) resume();
  };

  async function fill() {
    // One chunk too many is taken on purpose: where nothing follows the head, the source sees its own end.
    while (surplus === undefined) {
      const { done, value } = await chunks.next();
      if (done) return;
      const fitting = value.subarray(0, capacity - filled);
      kept.set(fitting, filled);
      filled += fitting.length;
      if (fitting.length < value.length) surplus = value.subarray(fitting.length);
      wake();
    }
  }
  const settled = fill()
    .catch((error: unknown) => {
      failure = { error };
    })
    .finally(() => {
      finished = true;
      wake();
    });

  function progress(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        waiting.delete(settle);
        signal.removeEventListener('abort', settle);
        if (signal.aborted) reject(abortError(signal));
        else resolve();
      };
      waiting.add(settle);
      signal.addEventListener('abort', settle, { once: true });
    });
  }

  return {
    capacity,
    settled,
    async *read(start, end, signal) {
      let at = start;
      while (at < end) {
        if (signal.aborted) throw abortError(signal);
        if (filled > at) {
          const to = Math.min(filled, end);
          yield kept.subarray(at, to);
          at = to;
        } else if (failure) throw failure.error;
        else if (finished) return;
        else await progress(signal);
      }
    },
    async *rest() {
      await settled;
      if (failure) throw failure.error;
      if (surplus) yield surplus;
      yield* chunks;
    },
  };
}
