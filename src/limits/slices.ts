import { TikitakaError } from '../../operators/index.js';

/** Long work in slices between which the event loop has its turn: other callers, the clock of the budget, signals. */
export interface Slices {
  /**
   * Takes note of `steps` of work (default 1), and where the running slice has lasted long enough, gives the event loop its
   * turn first. Cheap: call it about every tenth of a millisecond. Rejects with ERR_ABORTED once `signal` has fired.
   */
  pause(steps?: number): Promise<void>;
  /** Does 0 … count − 1 in blocks of some thousands with a pause behind each. */
  blocks(count: number, work: (from: number, end: number) => void): Promise<void>;
  /** Calls `work`, which stops when `isDue` says so, until it returns true: it is done. A turn of the event loop lies between the calls. */
  until(work: (isDue: () => boolean) => boolean): Promise<void>;
}

export interface SlicesOptions {
  /** Length of a slice, ms. Default 8: with the block that overruns it far below the 20 ms that callers of a server may notice. Chosen. */
  readonly sliceMs?: number;
  /** Ends the work at its next pause. */
  readonly signal?: AbortSignal | undefined;
  /** Monotonic clock, ms. Default `performance.now`. */
  readonly now?: () => number;
  /** Told of each pause and its steps: for those who count instead of measuring. */
  readonly onPause?: (steps: number) => void;
}

/** Steps of a block: some tens of microseconds for a few operations on typed arrays. Chosen. */
const BLOCK = 4096;

export function createSlices(options: SlicesOptions = {}): Slices {
  const { sliceMs = 8, signal, now = () => performance.now(), onPause } = options;
  let untilMs = now() + sliceMs;
  const isDue = () => now() >= untilMs;

  async function pause(steps = 1): Promise<void> {
    onPause?.(steps);
    if (isDue()) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      untilMs = now() + sliceMs;
    }
    if (signal?.aborted) throw abortedBy(signal);
  }
  return {
    pause,
    async blocks(count, work) {
      for (let from = 0; from < count; from += BLOCK) {
        const end = Math.min(count, from + BLOCK);
        work(from, end);
        await pause(end - from);
      }
    },
    async until(work) {
      while (!work(isDue)) await pause();
    },
  };
}

const abortedBy = ({ reason }: AbortSignal): TikitakaError =>
  reason instanceof TikitakaError
    ? reason
    : new TikitakaError('ERR_ABORTED', 'the work was cancelled', { cause: reason });
