import { TikitakaError } from '../../operators/index.js';

/** How long readers of one source have waited with nothing coming, whichever of them it would have come to. */
export interface Silence {
  /** The longest that there was, the present one included, ms. */
  readonly longestMs: number;
  /** Passes chunks on; the time in which one is asked for counts, the reader's own does not. */
  listen<T>(chunks: AsyncGenerator<T>): AsyncGenerator<T>;
}

/** `now`: a monotonic clock, ms. */
export function createSilence(now: () => number = () => performance.now()): Silence {
  let waiting = 0;
  let sinceMs = 0;
  let longestMs = 0;
  const current = () => (waiting > 0 ? now() - sinceMs : 0);
  const note = () => {
    longestMs = Math.max(longestMs, current());
  };
  return {
    get longestMs() {
      return Math.max(longestMs, current());
    },
    async *listen(chunks) {
      try {
        for (;;) {
          if (waiting++ === 0) sinceMs = now();
          const next = await chunks.next().finally(() => {
            note();
            waiting--;
          });
          sinceMs = now();
          if (next.done) return;
          yield next.value;
        }
      } finally {
        await chunks.return(undefined);
      }
    },
  };
}

/** A silence of this share of the reading disturbed it. Chosen: what came in the rest of the time is hardly a worse answer. */
const SHARE = 0.25;
/** So many answers of the origin would have fitted into it. Chosen: far links pause between ranges. */
const FIRST_BYTES = 3;
/** Shorter ones are lost packets that come again (RFC 6298: 200 ms in practice, twice that for the second try). */
const LEAST_MS = 250;

export interface Reading {
  readonly longestSilenceMs: number;
  /** What the origin took to begin its first answer, ms. */
  readonly firstByteMs: number;
  /** Since the source was opened, ms. */
  readonly elapsedMs: number;
}

/** ERR_SOURCE_STALLED where the origin fell silent for so long that what was read is less than it would have been. */
export function stallIn({ longestSilenceMs, firstByteMs, elapsedMs }: Reading): TikitakaError | undefined {
  if (longestSilenceMs < Math.max(LEAST_MS, SHARE * elapsedMs, FIRST_BYTES * firstByteMs)) return undefined;
  const silentMs = Math.round(longestSilenceMs);
  return new TikitakaError('ERR_SOURCE_STALLED', `Nothing came for ${silentMs} ms`, {
    retryable: true,
    details: { silentMs },
  });
}
