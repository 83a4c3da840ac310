import { TikitakaError } from '../../operators/index.js';
import type { ByteSource } from '../../src/net/index.js';

export interface MemorySourceOptions {
  /** Default 16384. */
  readonly chunkBytes?: number;
  readonly acceptsRanges?: boolean;
  /** Default the length of the bytes; `undefined` = the server does not say. */
  readonly sizeBytes?: number | undefined;
  /** Awaited before each chunk is handed over. */
  readonly gate?: (read: { start: number; end: number }, position: number) => Promise<void> | void;
}

export interface MemorySource extends ByteSource {
  /** Ranges asked for, in order; `end` = Infinity where open. */
  readonly reads: { start: number; end: number }[];
  /** Reads whose iteration has begun and not ended. */
  readonly open: number;
}

/** A file in memory behind the `ByteSource` port. */
export function memorySource(bytes: Uint8Array, options: MemorySourceOptions = {}): MemorySource {
  const { chunkBytes = 16384, acceptsRanges = true, gate } = options;
  const reads: { start: number; end: number }[] = [];
  let bytesRead = 0;
  let open = 0;
  return {
    url: 'memory:',
    origins: new Set(),
    sizeBytes: 'sizeBytes' in options ? options.sizeBytes : bytes.length,
    acceptsRanges,
    connection: { httpVersion: 'file', reused: false, firstByteMs: 0 },
    reads,
    get open() {
      return open;
    },
    get bytesRead() {
      return bytesRead;
    },
    get requests() {
      return reads.length;
    },
    longestSilenceMs: 0,
    async *read({ start, end = Number.POSITIVE_INFINITY }, signal) {
      reads.push({ start, end });
      open++;
      try {
        for (let at = start; at < Math.min(end, bytes.length); at += chunkBytes) {
          await gate?.({ start, end }, at);
          if (signal?.aborted) throw new TikitakaError('ERR_ABORTED', 'the read was cancelled');
          const chunk = bytes.slice(at, Math.min(at + chunkBytes, end));
          bytesRead += chunk.length;
          yield chunk;
        }
      } finally {
        open--;
      }
    },
    close() {},
  };
}
