import { pictureRect } from '../../models/index.js';
import { OptionError, TikitakaError } from '../../operators/index.js';
import type { SampleIndex, Visit } from '../container/index.js';
import { createSlices, withDefaults } from '../limits/index.js';
import type { PacketDecoder, PacketDecoderOptions } from './decoder.js';
import type { Frame } from './frame.js';
import type { Slot } from './frame-pool.js';
import { loadLibav, openCodec } from './libav.js';
import { createVideoDecoder } from './video-decoder.js';

/**
 * Opens the in-process decoder for a clip whose sample index is known. Errors: ERR_DECODER_UNAVAILABLE where node-av does
 * not load; ERR_DECODE where it has no decoder for the codec; ERR_LIMIT where the index says that pictures are too large;
 * ERR_OPTION.
 */
export async function openPacketDecoder(options: PacketDecoderOptions): Promise<PacketDecoder> {
  const { index, input, pool, threads = 2, nvdec } = options;
  const { maxPixels } = withDefaults(options.limits);
  if (pool.bytesPerSlot !== input.width * input.height * 3)
    throw new OptionError('the pool was made for another picture size', { bytesPerSlot: pool.bytesPerSlot, ...input });
  const problems = { failedSamples: 0, damagedFrames: 0, missingFrames: 0 };
  let firstError: string | undefined;
  const lib = await loadLibav();
  const resize = nvdec?.fixedScale
    ? { resize: pictureRect(input, { sourceWidth: index.width, sourceHeight: index.height }) }
    : {};
  const codec = await openCodec(
    lib,
    { ...index, reorder: await reorderDepth(index) },
    { threads, maxPixels, ...(nvdec ? { nvdec: resize } : {}) },
  );
  const decoder = createVideoDecoder({
    lib,
    codec,
    ...(nvdec?.fixedScale ? { sourceSize: index } : {}),
    onComplaint(message) {
      problems.failedSamples++;
      firstError ??= message;
    },
  });

  /** Frame numbers that are wanted and have not come out. */
  const awaited = new Set<number>();
  /** The row that continues what the decoder holds. */
  let continuesAt = -1;
  let running = false;
  let closed = false;
  let calling: Promise<unknown> = Promise.resolve();
  /** Remembers the call into libav, so that `close` frees nothing under it. */
  const call = <T>(result: Promise<T>): Promise<T> => {
    calling = result.catch(() => undefined);
    return result;
  };

  async function* run(
    visit: Visit,
    samples: Parameters<PacketDecoder['run']>[1],
    { signal, continues = false }: Parameters<PacketDecoder['run']>[2] = {},
  ): AsyncGenerator<Frame> {
    if (running) throw new OptionError('the decoder is busy with another visit');
    running = true;
    let slot: Slot | undefined;

    const check = () => {
      if (closed) throw new TikitakaError('ERR_RELEASED', 'the decoder is closed');
      if (signal?.aborted) throw new TikitakaError('ERR_ABORTED', 'decoding was cancelled', { cause: signal.reason });
    };
    /** Takes a slot before anything is decoded, so that the decoder rests while the consumer holds them all. */
    const secureSlot = async () => {
      if (awaited.size > 0) slot ??= await pool.acquire(signal);
      check();
    };
    async function* ready(): AsyncGenerator<Frame> {
      for (let picture = await call(decoder.receive()); picture; picture = await call(decoder.receive())) {
        check();
        const frame = index.frameNumber[picture.pts] ?? -1;
        if (!awaited.delete(frame)) continue;
        slot ??= await pool.acquire(signal);
        check();
        await call(decoder.scale(input, slot.memory));
        check();
        if (picture.damaged) problems.damagedFrames++;
        const filled = slot;
        slot = undefined;
        yield filled.frame({
          index: frame,
          ptsUs: index.framePtsUs[frame] ?? 0,
          keyframe: index.sync[picture.pts] === 1,
          sourceWidth: picture.width,
          sourceHeight: picture.height,
        });
        check();
      }
    }

    /** Brings out what the decoder holds back and forgets the rest: what follows begins at a keyframe. */
    async function* settle(): AsyncGenerator<Frame> {
      if (awaited.size > 0) {
        await secureSlot();
        await call(decoder.drain());
        check();
        yield* ready();
      }
      decoder.flush();
      problems.missingFrames += awaited.size;
      awaited.clear();
    }

    try {
      check();
      if (continuesAt < 0) {
        decoder.flush();
        awaited.clear();
      } else if (visit.firstSample !== continuesAt) {
        yield* settle();
      }
      continuesAt = -1;
      for (const frame of visit.keep) awaited.add(frame);
      let failure: unknown;
      try {
        for await (const { sample, bytes } of samples) {
          if (awaited.size === 0 && !continues) break;
          if (index.disposable[sample] && !awaited.has(index.frameNumber[sample] ?? -1)) continue;
          await secureSlot();
          await call(decoder.send(bytes, sample));
          check();
          yield* ready();
        }
      } catch (error) {
        failure = error;
      }
      check();
      if (continues && !failure) {
        continuesAt = visit.lastSample + 1;
      } else {
        yield* settle();
      }
      if (failure) throw failure;
    } finally {
      slot?.release();
      running = false;
    }
  }

  return {
    name: decoder.name,
    get problems() {
      return { ...problems, ...(firstError === undefined ? {} : { firstError }) };
    },
    run,
    async close() {
      if (closed) return;
      closed = true;
      await calling;
      decoder.close();
    },
  };
}

/** libav holds back at most 16 pictures (H.264 §A.3.1, HEVC §A.4.2: the largest picture buffer). */
const MAX_REORDER = 16;

/** The largest number of samples that are decoded before one that is shown earlier. */
async function reorderDepth({ ptsUs }: SampleIndex): Promise<number> {
  let depth = 0;
  await createSlices().blocks(ptsUs.length, (from, end) => {
    for (let sample = from; sample < end && depth < MAX_REORDER; sample++) {
      let later = 0;
      for (let back = Math.max(0, sample - MAX_REORDER); back < sample; back++)
        if (ptsUs[back] > ptsUs[sample]) later++;
      depth = Math.max(depth, later);
    }
  });
  return depth;
}
