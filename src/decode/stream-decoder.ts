import { TikitakaError } from '../../operators/index.js';
import { checkReach, withDefaults } from '../limits/index.js';
import { createChunkQueue } from './chunk-queue.js';
import type { StreamDecoder, StreamDecoderOptions } from './decoder.js';
import { openDemuxer } from './demuxer.js';
import type { Frame } from './frame.js';
import type { Slot } from './frame-pool.js';
import { loadLibav } from './libav.js';
import type { Picture } from './video-decoder.js';

/**
 * Opens a clip through libav's demuxer and decodes up to its first picture, which tells its size. Errors: those of the
 * chunks; ERR_NOT_VIDEO; ERR_DECODE; ERR_LIMIT; ERR_ABORTED; ERR_DECODER_UNAVAILABLE where node-av does not load.
 */
export async function openStreamDecoder(options: StreamDecoderOptions): Promise<StreamDecoder> {
  const {
    source,
    input,
    pool,
    keep = () => true,
    threads = 2,
    minStartBytes = 1 << 18,
    startTimeoutMs = 100,
  } = options;
  const limits = withDefaults(options.limits);
  const lib = await loadLibav();
  const problems = { failedSamples: 0, damagedFrames: 0, missingFrames: 0 };
  let firstError: string | undefined;
  let closed = false;
  let drained = false;
  let demuxer: Awaited<ReturnType<typeof openDemuxer>> | undefined;
  const queue = 'chunks' in source ? createChunkQueue(source.chunks) : undefined;

  let calling: Promise<unknown> = Promise.resolve();
  /** Remembers the call into libav, so that `close` frees nothing under it; refuses to come back into a closed decoder. */
  async function call<T>(result: Promise<T>): Promise<T> {
    calling = result.catch(() => undefined);
    const value = await result;
    if (closed) throw new TikitakaError('ERR_RELEASED', 'the decoder is closed');
    return value;
  }
  const interrupt = () => {
    queue?.stop();
    if (!queue) demuxer?.interrupt();
  };
  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    interrupt();
    await calling;
    await demuxer?.close();
  }

  /** The next picture in presentation order, undefined behind the last. */
  async function advance({ decoder, next }: NonNullable<typeof demuxer>): Promise<Picture | undefined> {
    for (;;) {
      const picture = await call(decoder.receive());
      if (picture || drained) return picture;
      if (await call(next())) continue;
      drained = true;
      await call(decoder.drain());
    }
  }

  async function open() {
    await queue?.fill(minStartBytes, startTimeoutMs);
    const opened = await openDemuxer({
      lib,
      input:
        'url' in source
          ? source
          : { read: (size) => queue?.read(size) ?? Promise.resolve(null), format: source.format },
      probeBytes: minStartBytes,
      codec: { threads, maxPixels: limits.maxPixels },
      maxSampleBytes: limits.maxSampleBytes,
      ...(options.signal ? { signal: options.signal } : {}),
      onComplaint(message) {
        problems.failedSamples++;
        firstError ??= message;
      },
    });
    demuxer = opened;
    checkReach({ index: 0, ptsUs: opened.durationUs ?? 0 }, limits);
    const first = await advance(opened);
    if (!first)
      throw new TikitakaError('ERR_DECODE', 'no frame of the clip can be decoded', { details: { firstError } });
    return { opened, first };
  }

  options.signal?.addEventListener('abort', interrupt);
  if (options.signal?.aborted) interrupt();
  const { opened, first } = await open()
    .catch(async (error: unknown) => {
      const cause = queue?.error ?? (options.signal?.aborted ? abortedError(options.signal) : error);
      await close();
      throw cause;
    })
    .finally(() => options.signal?.removeEventListener('abort', interrupt));

  let pending: Picture | undefined = first;
  let frameCount = 0;
  let firstPts: number | undefined;
  let lastPts = 0;
  let stepPts = 0;
  /** Microseconds from the first frame; where the stream gives no time, the step between frames goes on. */
  function timeOf(pts: number): number {
    const time = Number.isNaN(pts) ? lastPts + stepPts : pts;
    firstPts ??= time;
    if (frameCount > 0) stepPts = time - lastPts;
    lastPts = time;
    return Math.round((time - firstPts) * opened.tickUs);
  }

  async function* frames(signal?: AbortSignal): AsyncGenerator<Frame> {
    let slot: Slot | undefined;
    const check = () => {
      if (signal?.aborted) throw abortedError(signal);
      if (closed) throw new TikitakaError('ERR_RELEASED', 'the decoder is closed');
    };
    signal?.addEventListener('abort', interrupt);
    try {
      for (;;) {
        slot ??= await pool.acquire(signal);
        check();
        const picture = pending ?? (await advance(opened));
        pending = undefined;
        check();
        if (!picture) break;
        const index = frameCount;
        const ptsUs = timeOf(picture.pts);
        checkReach({ index, ptsUs }, limits);
        frameCount++;
        if (picture.damaged) problems.damagedFrames++;
        if (!keep(index)) continue;
        await call(opened.decoder.scale(input, slot.memory));
        check();
        const filled = slot;
        slot = undefined;
        const { keyframe, width: sourceWidth, height: sourceHeight } = picture;
        yield filled.frame({ index, ptsUs, keyframe, sourceWidth, sourceHeight });
      }
      if (queue?.error) throw queue.error;
    } finally {
      signal?.removeEventListener('abort', interrupt);
      slot?.release();
    }
  }

  return {
    name: opened.decoder.name,
    width: first.width,
    height: first.height,
    durationUs: opened.durationUs,
    framesPerSecond: opened.framesPerSecond,
    get problems() {
      return { ...problems, ...(firstError === undefined ? {} : { firstError }) };
    },
    get frameCount() {
      return frameCount;
    },
    frames,
    close,
  };
}

const abortedError = (signal: AbortSignal) =>
  new TikitakaError('ERR_ABORTED', 'decoding was cancelled', { cause: signal.reason });
