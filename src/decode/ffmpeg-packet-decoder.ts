import { OptionError, TikitakaError } from '../../operators/index.js';
import { type CodedSample, orderByTime, type Visit } from '../container/index.js';
import { checkPixels, createSlices, withDefaults } from '../limits/index.js';
import type { PacketDecoder, PacketDecoderOptions } from './decoder.js';
import { type FfmpegBinary, type FfmpegRun, startFfmpeg } from './ffmpeg.js';
import { scaleFilters } from './ffmpeg-filters.js';
import type { Frame } from './frame.js';
import type { Slot } from './frame-pool.js';
import { matroskaFrame, matroskaHeader } from './matroska-writer.js';

/**
 * Time stamps are rank × 100 ms, plus 1 where the frame is wanted. Closer together, ffmpeg would take them for a frame
 * rate so high that its output rounds several to one.
 */
const RANK_MS = 100;

export interface FfmpegPacketDecoderOptions extends PacketDecoderOptions {
  readonly binary: FfmpegBinary;
}

/**
 * The same port through an ffmpeg child: one per visit, fed with the visit's samples in a Matroska stream whose time stamps
 * carry each sample's place in presentation order and whether its frame is wanted. So sparse access and a `moov` at the end
 * cost no more than in-process, and frame numbers stay exact whatever the decoder drops. A visit that continues the one
 * before feeds the samples since the last keyframe again. ERR_DECODE for codecs that Matroska has no name for; ERR_LIMIT.
 */
export async function openFfmpegPacketDecoder(options: FfmpegPacketDecoderOptions): Promise<PacketDecoder> {
  const { index, input, pool, threads = 2, binary } = options;
  const { maxPixels } = withDefaults(options.limits);
  checkPixels(index, { maxPixels });
  const header = matroskaHeader(index);
  if (!header) throw new TikitakaError('ERR_DECODE', `ffmpeg cannot be fed with ${index.codec}`);
  if (pool.bytesPerSlot !== input.width * input.height * 3)
    throw new OptionError('the pool was made for another picture size', { bytesPerSlot: pool.bytesPerSlot, ...input });
  const problems = { failedSamples: 0, damagedFrames: 0, missingFrames: 0 };
  let firstError: string | undefined;
  /** Sample rows in presentation order, and its inverse. */
  const byRank = await orderByTime(index.ptsUs, createSlices());
  const rankOf = new Int32Array(byRank.length);
  byRank.forEach((sample, rank) => {
    rankOf[sample] = rank;
  });

  let history: CodedSample[] = [];
  let continuesAt = -1;
  let child: FfmpegRun | undefined;
  let running = false;
  let closed = false;

  async function* run(
    visit: Visit,
    samples: AsyncIterable<CodedSample>,
    { signal, continues = false }: Parameters<PacketDecoder['run']>[2] = {},
  ): AsyncGenerator<Frame> {
    if (running) throw new OptionError('the decoder is busy with another visit');
    const check = () => {
      if (closed) throw new TikitakaError('ERR_RELEASED', 'the decoder is closed');
      if (signal?.aborted) throw new TikitakaError('ERR_ABORTED', 'decoding was cancelled', { cause: signal.reason });
    };
    check();
    running = true;
    const awaited = new Set(visit.keep);
    const before = visit.firstSample === continuesAt ? history : [];
    history = [];
    continuesAt = -1;
    let failure: unknown;
    let allFed: () => void = () => undefined;
    const fed = new Promise<void>((resolve) => {
      allFed = resolve;
    });

    async function* feed(): AsyncGenerator<Uint8Array> {
      if (header) yield header;
      for (const { sample, bytes } of before) yield wrap(sample, bytes, false);
      try {
        for await (const { sample, bytes } of samples) {
          if (continues) {
            if (index.sync[sample]) before.length = history.length = 0;
            history.push({ sample, bytes });
          }
          const wanted = awaited.has(index.frameNumber[sample] ?? -1);
          if (!index.disposable[sample] || wanted) yield wrap(sample, bytes, wanted);
        }
      } catch (error) {
        failure = error;
      } finally {
        allFed();
      }
    }
    const wrap = (sample: number, bytes: Uint8Array, wanted: boolean) =>
      matroskaFrame(bytes, RANK_MS * (rankOf[sample] ?? 0) + (wanted ? 1 : 0), index.sync[sample] === 1);

    const run = startFfmpeg({
      binary,
      source: { bytes: feed(), format: 'matroska' },
      threads,
      maxPixels,
      filters: [`select=eq(mod(pts\\,${RANK_MS})\\,1)`, ...scaleFilters(input)],
      onComplaint(message) {
        problems.failedSamples++;
        firstError ??= message;
      },
    });
    child = run;
    const stop = () => void run.kill();
    signal?.addEventListener('abort', stop);
    let slot: Slot | undefined;
    try {
      while (awaited.size > 0) {
        slot ??= await pool.acquire(signal);
        check();
        const picture = await run.next(slot.pixels);
        check();
        if (!picture) break;
        const sample = byRank[Math.floor(picture.pts / RANK_MS)] ?? -1;
        const frame = index.frameNumber[sample] ?? -1;
        if (!awaited.delete(frame)) continue;
        const filled = slot;
        slot = undefined;
        yield filled.frame({
          index: frame,
          ptsUs: index.framePtsUs[frame] ?? 0,
          keyframe: index.sync[sample] === 1,
          sourceWidth: run.source?.width ?? index.width,
          sourceHeight: run.source?.height ?? index.height,
        });
        check();
      }
      if (awaited.size > 0 && (run.excess || failure)) throw run.excess ?? failure;
      firstError ??= run.failure;
      problems.missingFrames += awaited.size;
      if (continues) {
        await fed;
        check();
        history = [...before, ...history];
        continuesAt = visit.lastSample + 1;
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      slot?.release();
      await run.kill();
      child = undefined;
      running = false;
    }
  }

  return {
    name: `ffmpeg ${binary.version} ${index.codec}`,
    get problems() {
      return { ...problems, ...(firstError === undefined ? {} : { firstError }) };
    },
    run,
    async close() {
      closed = true;
      await child?.kill();
    },
  };
}
