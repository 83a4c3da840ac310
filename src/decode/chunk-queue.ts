import { TikitakaError } from '../../operators/index.js';

export interface ChunkQueue {
  /** At most `size` bytes in order; null at the end, after `stop`, or where the source failed (see `error`). Never rejects. */
  read(size: number): Promise<Uint8Array | null>;
  /** Resolves when `minBytes` have come, `timeoutMs` have passed since the call, or nothing more comes. */
  fill(minBytes: number, timeoutMs: number): Promise<void>;
  /** What the source failed with: libav would call it "Invalid data". */
  readonly error: unknown;
  /** Settles the pending read with null at once and lets go of the source. Idempotent. */
  stop(): void;
}

/** Turns chunks that arrive as they like into reads of the size that libav wants; reads the source no further than asked. */
export function createChunkQueue(chunks: AsyncIterable<Uint8Array>): ChunkQueue {
  const iterator = chunks[Symbol.asyncIterator]();
  const waiting: Uint8Array[] = [];
  let bytes = 0;
  let ended = false;
  let failure: unknown;
  let pulling: Promise<void> | undefined;
  let wakeStopped: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => {
    wakeStopped = resolve;
  });

  /** One chunk more; concurrent callers share it. */
  const pull = (): Promise<void> => {
    pulling ??= iterator
      .next()
      .then(
        ({ done, value }) => {
          if (done) ended = true;
          else if (value.length > 0) {
            waiting.push(value);
            bytes += value.length;
          }
        },
        (error: unknown) => {
          ended = true;
          failure ??= error;
        },
      )
      .finally(() => {
        pulling = undefined;
      });
    return Promise.race([pulling, stopped]);
  };

  return {
    async read(size) {
      while (bytes === 0 && !ended) await pull();
      const [first] = waiting;
      if (!first) return null;
      const part = first.subarray(0, size);
      if (part.length === first.length) waiting.shift();
      else waiting[0] = first.subarray(size);
      bytes -= part.length;
      return part;
    },
    async fill(minBytes, timeoutMs) {
      let late = false;
      let timer: NodeJS.Timeout | undefined;
      const timeout = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          late = true;
          resolve();
        }, timeoutMs);
      });
      while (bytes < minBytes && !ended && !late) await Promise.race([pull(), timeout]);
      clearTimeout(timer);
    },
    get error() {
      return failure;
    },
    stop() {
      if (!ended) failure ??= new TikitakaError('ERR_ABORTED', 'reading was cancelled');
      ended = true;
      waiting.length = 0;
      bytes = 0;
      wakeStopped();
      void iterator.return?.().catch(() => undefined);
    },
  };
}
