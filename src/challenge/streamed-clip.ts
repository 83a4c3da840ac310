import type { Frame, StreamDecoder } from '../decode/index.js';
import type { ClipLimits } from '../limits/index.js';
import type { ByteSource } from '../net/index.js';
import type { OpenedClip } from './answer.js';
import { fromFrames } from './planned-clip.js';

/** A clip without an index: read once from its start to its end. What its container claims beyond the limit is not believed. */
export function streamedClip(
  decoder: StreamDecoder,
  stride: Stride,
  { maxFrames }: Pick<ClipLimits, 'maxFrames'>,
): OpenedClip {
  let ended = false;
  /** At a fault or a limit: what came until then is there to be answered. */
  let brokeOff = false;
  const { durationUs, framesPerSecond: fps } = decoder;
  const expected = durationUs && fps ? Math.min(maxFrames, Math.round((durationUs / 1e6) * fps)) : undefined;
  async function* frames(signal: AbortSignal): AsyncGenerator<Frame> {
    try {
      yield* decoder.frames(signal);
      ended = true;
    } catch (error) {
      brokeOff = true;
      throw error;
    }
  }
  return {
    width: decoder.width,
    height: decoder.height,
    get frameCount() {
      if (ended) return decoder.frameCount;
      return brokeOff || expected ? Math.max(expected ?? 0, decoder.frameCount) : undefined;
    },
    get frames() {
      return { frameCount: this.frameCount, fps };
    },
    get cutShort() {
      return !ended;
    },
    read: ({ softAtMs }) => {
      stride.begin(softAtMs);
      return fromFrames(frames);
    },
  };
}

export interface Stride {
  begin(softCutMs: () => number): void;
  keeps(frame: number): boolean;
}

/** Frames after which the stride of a stream is judged anew. Chosen. */
const JUDGE_EVERY = 16;
const LARGEST_STRIDE = 32;

export interface StrideOptions {
  readonly source: Pick<ByteSource, 'sizeBytes' | 'bytesRead'>;
  /** Every n-th frame whatever the time; undefined = adapt. */
  readonly fixed: number | undefined;
  /** The clock that `softCutMs` speaks of, ms. */
  readonly now: () => number;
}

/**
 * How many frames of a stream are left out, so that its end is reached before the soft cut: doubled while the rest of the
 * bytes would take longer than there is time, halved while it would take less than half of it.
 */
export function createStride({ source, fixed, now }: StrideOptions): Stride {
  let stride = fixed ?? 2;
  let startMs = 0;
  let softCutMs = () => Number.POSITIVE_INFINITY;
  return {
    begin(cut) {
      startMs = now();
      softCutMs = cut;
    },
    keeps(frame) {
      const cutMs = softCutMs();
      if (fixed === undefined && frame > 0 && frame % JUDGE_EVERY === 0 && source.sizeBytes && Number.isFinite(cutMs)) {
        const done = Math.min(1, source.bytesRead / source.sizeBytes);
        const restMs = ((now() - startMs) * (1 - done)) / Math.max(0.01, done);
        const leftMs = cutMs - now();
        if (restMs > leftMs) stride = Math.min(LARGEST_STRIDE, stride * 2);
        else if (restMs < leftMs / 2) stride = Math.max(1, stride / 2);
      }
      return frame % stride === 0;
    },
  };
}
