import type { WireAnswer } from './wire-answer.js';

export interface AnswerCacheOptions {
  /** How long an answer is kept, ms; 0 = nothing is. */
  readonly ttlMs: number;
  /** Bound on all kept answers together, their URLs included; one that is larger is not kept. */
  readonly maxBytes: number;
  /** Monotonic clock, ms. */
  readonly now: () => number;
}

/** Finished answers by URL, the least recently used going first when space is short. */
export interface AnswerCache {
  get(videoUrl: string): WireAnswer | undefined;
  put(videoUrl: string, answer: WireAnswer): void;
  delete(videoUrl: string): void;
}

/** What an entry holds besides body and URL: objects of the run-time, the report. Chosen, generous. */
const ENTRY_BYTES = 2048;

export function createAnswerCache({ ttlMs, maxBytes, now }: AnswerCacheOptions): AnswerCache {
  const kept = new Map<string, { readonly answer: WireAnswer; readonly untilMs: number; readonly sizeBytes: number }>();
  let bytes = 0;
  const drop = (videoUrl: string) => {
    bytes -= kept.get(videoUrl)?.sizeBytes ?? 0;
    kept.delete(videoUrl);
  };
  return {
    get(videoUrl) {
      const entry = kept.get(videoUrl);
      if (!entry) return undefined;
      kept.delete(videoUrl);
      if (entry.untilMs <= now()) {
        bytes -= entry.sizeBytes;
        return undefined;
      }
      // Last in the map's order = used last.
      kept.set(videoUrl, entry);
      return entry.answer;
    },
    put(videoUrl, answer) {
      drop(videoUrl);
      // UTF-16 at worst.
      const sizeBytes = answer.sizeBytes + 2 * videoUrl.length + ENTRY_BYTES;
      if (ttlMs <= 0 || sizeBytes > maxBytes) return;
      kept.set(videoUrl, { answer, untilMs: now() + ttlMs, sizeBytes });
      bytes += sizeBytes;
      for (const oldest of kept.keys()) {
        if (bytes <= maxBytes) break;
        drop(oldest);
      }
    },
    delete: drop,
  };
}
