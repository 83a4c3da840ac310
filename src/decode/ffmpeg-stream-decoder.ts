import { TikitakaError } from '../../operators/index.js';
import { checkReach, withDefaults } from '../limits/index.js';
import { createChunkQueue } from './chunk-queue.js';
import type { StreamDecoder, StreamDecoderOptions } from './decoder.js';
import { type FfmpegBinary, startFfmpeg } from './ffmpeg.js';
import { scaleFilters } from './ffmpeg-filters.js';
import type { Frame } from './frame.js';
import type { Slot } from './frame-pool.js';

export interface FfmpegStreamDecoderOptions extends StreamDecoderOptions {
  readonly binary: FfmpegBinary;
}

/** The same port through an ffmpeg child that reads the stream itself; frames that are not wanted are scaled all the same. Errors as `openStreamDecoder`. */
export async function openFfmpegStreamDecoder(options: FfmpegStreamDecoderOptions): Promise<StreamDecoder> {
  const { source, input, pool, keep = () => true, threads = 2, binary } = options;
  const { minStartBytes = 1 << 18, startTimeoutMs = 100 } = options;
  const limits = withDefaults(options.limits);
  const queue = 'chunks' in source ? createChunkQueue(source.chunks) : undefined;
  const problems = { failedSamples: 0, damagedFrames: 0, missingFrames: 0 };
  let firstError: string | undefined;
  let closed = false;

  const stop = () => {
    queue?.stop();
    void run.kill();
  };
  async function* bytes(): AsyncGenerator<Uint8Array> {
    await queue?.fill(minStartBytes, startTimeoutMs);
    for (let part = await queue?.read(1 << 16); part; part = await queue?.read(1 << 16)) yield part;
  }
  const run = startFfmpeg({
    binary,
    source: 'url' in source ? source : { bytes: bytes(), format: source.format },
    threads,
    maxPixels: limits.maxPixels,
    filters: scaleFilters(input),
    onComplaint(message) {
      problems.failedSamples++;
      firstError ??= message;
    },
  });
  options.signal?.addEventListener('abort', stop);

  /** The first picture, which tells the size of the clip. */
  const pending = await (async () => {
    const slot = await pool.acquire(options.signal);
    try {
      const picture = await run.next(slot.pixels);
      if (options.signal?.aborted) throw abortedError(options.signal);
      if (picture && run.source) return { slot, picture, size: run.source };
      throw (
        run.excess ??
        queue?.error ??
        new TikitakaError('ERR_DECODE', 'no frame of the clip can be decoded', {
          details: { ffmpeg: firstError ?? run.failure },
        })
      );
    } catch (error) {
      slot.release();
      throw error;
    }
  })()
    .catch(async (error: unknown) => {
      queue?.stop();
      await run.kill();
      throw error;
    })
    .finally(() => options.signal?.removeEventListener('abort', stop));

  const { size } = pending;
  const firstPts = pending.picture.pts;
  let first: { slot: Slot; picture: { pts: number } } | undefined = pending;
  let frameCount = 0;

  async function* frames(signal?: AbortSignal): AsyncGenerator<Frame> {
    let slot: Slot | undefined;
    const check = () => {
      if (signal?.aborted) throw abortedError(signal);
      if (closed) throw new TikitakaError('ERR_RELEASED', 'the decoder is closed');
    };
    signal?.addEventListener('abort', stop);
    try {
      for (;;) {
        check();
        slot ??= first?.slot ?? (await pool.acquire(signal));
        const picture = first?.picture ?? (await run.next(slot.pixels));
        first = undefined;
        check();
        if (!picture) break;
        const index = frameCount;
        const ptsUs = Math.round((picture.pts - firstPts) * run.tickUs);
        checkReach({ index, ptsUs }, limits);
        frameCount++;
        if (!keep(index)) continue;
        const filled = slot;
        slot = undefined;
        yield filled.frame({
          index,
          ptsUs,
          keyframe: index === 0,
          sourceWidth: size.width,
          sourceHeight: size.height,
        });
      }
      if (run.excess ?? queue?.error) throw run.excess ?? queue?.error;
      firstError ??= run.failure;
    } finally {
      signal?.removeEventListener('abort', stop);
      slot?.release();
    }
  }

  return {
    name: `ffmpeg ${binary.version}`,
    ...size,
    durationUs: undefined,
    framesPerSecond: undefined,
    get problems() {
      return { ...problems, ...(firstError === undefined ? {} : { firstError }) };
    },
    get frameCount() {
      return frameCount;
    },
    frames,
    async close() {
      if (closed) return;
      closed = true;
      queue?.stop();
      await run.kill();
      first?.slot.release();
      first = undefined;
    },
  };
}

const abortedError = (signal: AbortSignal) =>
  new TikitakaError('ERR_ABORTED', 'decoding was cancelled', { cause: signal.reason });
