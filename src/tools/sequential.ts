import { lastValueFrom } from 'rxjs';
import type { ModelSet } from '../../models/index.js';
import { clipLimits } from '../app/clip-limits.js';
import type { Config } from '../app/config.js';
import { decoderChoice } from '../app/decoder-choice.js';
import { type ClipFrames, clipFramesOf } from '../challenge/index.js';
import { openClip } from '../container/index.js';
import { choosePacketDecoder, chooseStreamDecoder, createFramePool, type Frame } from '../decode/index.js';
import { openByteSource, type Pool } from '../net/index.js';
import { createAnswerEncoder, createScene, describeFinding } from '../questions/football/index.js';

export interface SequentialOptions {
  readonly config: Config;
  readonly pool: Pool;
  readonly runner: ModelSet;
  /** http(s) URL or path of a file. */
  readonly target: string;
  /** No frame is begun later than this after the start, ms. Default: all are. */
  readonly limitMs?: number;
}

export interface SequentialRun {
  /** Frames that the models saw, and frames of the clip (expected, where it has no index and was left early). */
  readonly measured: number;
  readonly frameCount: number;
  /** Until the last byte was here, and until the answer was; ms from the start. */
  readonly downloadMs: number;
  readonly totalMs: number;
  /** Whether `limitMs` left frames out. */
  readonly isCut: boolean;
  /** The answer as UTF-8 JSON. */
  readonly body: Uint8Array;
}

interface SequentialClip {
  readonly width: number;
  readonly height: number;
  frameCount(): number;
  scene(): ClipFrames;
  frames(): AsyncIterable<Frame>;
  close(): Promise<void>;
}

/**
 * The program that Tikitaka replaces, with our own parts: download all, then decode and infer frame by frame, one after
 * another, then make the answer. Errors: ERR_SOURCE_*, ERR_NOT_VIDEO, ERR_DECODE, ERR_INFERENCE.
 */
export async function answerSequentially(options: SequentialOptions): Promise<SequentialRun> {
  const { config, pool, runner, target, limitMs = Number.POSITIVE_INFINITY } = options;
  const startMs = performance.now();
  const elapsedMs = () => performance.now() - startMs;
  const source = await openByteSource(target, {
    pool,
    strategy: 'download',
    allowFiles: true,
    retries: config.RETRIES,
    maxBytes: config.MAX_VIDEO_MB * 1e6,
  });
  try {
    const downloadMs = elapsedMs();
    const clip = await openSequentialClip(source, options);
    try {
      const { width, height, fit } = runner.input;
      const scene = createScene({
        ...clip.scene(),
        width: clip.width,
        height: clip.height,
        tracking: !config.DISABLE_TRACKING,
        skipPitch: config.SKIP_PITCH,
        thresholds: runner.thresholds,
      });
      let measured = 0;
      let isCut = false;
      for await (const frame of clip.frames()) {
        try {
          isCut = elapsedMs() > limitMs;
          if (isCut) break;
          const [found] = await lastValueFrom(runner.run([frame], () => undefined));
          if (found) scene.add([describeFinding({ ...frame, width, height, fit }, found)]);
          measured++;
        } finally {
          frame.release();
        }
      }
      scene.setClip(clip.scene());
      const { maxAnswerBytes } = clipLimits(config);
      const encoder = createAnswerEncoder({ dropUnscored: config.DROP_UNSCORED, maxBytes: maxAnswerBytes });
      encoder.update(scene.snapshot());
      const body = encoder.json({});
      return { measured, frameCount: clip.frameCount(), downloadMs, totalMs: elapsedMs(), isCut, body };
    } finally {
      await clip.close();
    }
  } finally {
    source.close();
  }
}

type Source = Awaited<ReturnType<typeof openByteSource>>;

async function openSequentialClip(source: Source, { config, runner }: SequentialOptions): Promise<SequentialClip> {
  const limits = clipLimits(config);
  const clip = await openClip(source, { limits });
  const { input } = runner;
  const pool = createFramePool({ slots: 1, bytesPerSlot: input.width * input.height * 3 });
  const common = { input, pool, threads: config.DECODE_THREADS, limits };
  const choice = decoderChoice(config);
  if (clip.kind === 'indexed') {
    const { index, reader } = clip;
    const scene = clipFramesOf(index);
    const { decoder } = await choosePacketDecoder(choice, { ...common, index });
    const keep = Array.from({ length: index.frameCount }, (_, i) => i);
    const visit = { firstSample: 0, lastSample: index.sampleCount - 1, keep, skip: 'none' } as const;
    return {
      width: index.width,
      height: index.height,
      frameCount: () => index.frameCount,
      scene: () => scene,
      frames: () => decoder.run(visit, reader.samples(visit)),
      async close() {
        await decoder.close();
        clip.close();
      },
    };
  }
  const { decoder } = await chooseStreamDecoder(choice, {
    ...common,
    source: { chunks: clip.chunks(), format: clip.format },
    keep: () => true,
    minStartBytes: config.STREAM_MIN_START_BYTES,
    startTimeoutMs: config.STREAM_BUFFER_TIMEOUT_S * 1000,
  });
  const { width, height, durationUs, framesPerSecond: fps } = decoder;
  const expected = Math.min(limits.maxFrames, Math.round(((durationUs ?? 0) / 1e6) * (fps ?? 0)));
  let ended = false;
  const frameCount = () => (ended ? decoder.frameCount : Math.max(expected, decoder.frameCount));
  return {
    width,
    height,
    frameCount,
    scene: () => ({ frameCount: frameCount(), ...(fps === undefined ? {} : { fps }) }),
    async *frames() {
      yield* decoder.frames();
      ended = true;
    },
    async close() {
      await decoder.close();
      clip.close();
    },
  };
}
