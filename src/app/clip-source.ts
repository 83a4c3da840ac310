import { defer, type Observable } from 'rxjs';
import { TikitakaError } from '../../operators/index.js';
import type { OpenedClip } from '../challenge/answer.js';
import { plannedClip, watchPool } from '../challenge/planned-clip.js';
import type { Eye } from '../challenge/question.js';
import { createStride, streamedClip } from '../challenge/streamed-clip.js';
import type { Timeline } from '../challenge/timeline.js';
import { openClip, type SampleIndex } from '../container/index.js';
import {
  type Chosen,
  choosePacketDecoder,
  chooseStreamDecoder,
  createFramePool,
  type PacketDecoder,
  type StreamDecoder,
} from '../decode/index.js';
import { type ByteSource, openByteSource, type Pool, stallIn } from '../net/index.js';
import {
  createCostModel,
  createPlanner,
  FIXED_STRIDE,
  type Planner,
  partialBytes,
  priorSpeeds,
} from '../plan/index.js';
import { clipLimits } from './clip-limits.js';
import type { Config } from './config.js';
import { decoderChoice } from './decoder-choice.js';
import { CONTENTION } from './model-choice.js';

export interface ClipSourceOptions {
  readonly config: Config;
  readonly pool: Pool;
  readonly eye: Eye<unknown>;
  readonly timeline: Timeline;
  /** http(s) URL, or with `allowFiles` the path of a file. */
  readonly target: string;
  readonly allowFiles: boolean;
  /** The clock that `softCutMs` speaks of, ms. */
  readonly now: () => number;
}

/** What became of the clip so far, for the report. */
export interface SourceFacts {
  readonly source: ByteSource | undefined;
  readonly decoder: string;
  /** Why it is not a decoder that was to be preferred. */
  readonly passedOver: readonly string[];
  readonly strategy: string;
}

export interface ClipSource {
  /** Emits the clip once. */
  readonly clip$: Observable<OpenedClip>;
  /** Ends opening, reading and decoding; what the report says stays. Idempotent. */
  close(): void;
  facts(): SourceFacts;
}

/** The opening request brings index and first keyframe of a 1080p clip, or that costs another round trip (demo clip: 275 KiB; docs/measurements.md "Decoding"). */
export const FIRST_BYTES = 3 << 17;
/** Batches whose frames exist at once: one at work, one waiting, one being decoded. More would be decoded and then cut. */
const BATCHES_OF_SLOTS = 3;

/** Joins net, container, decoder and planner for one clip. */
export function openClipSource(options: ClipSourceOptions): ClipSource {
  const { config, eye, timeline } = options;
  const limits = clipLimits(config);
  let source: ByteSource | undefined;
  let decoder: PacketDecoder | StreamDecoder | undefined;
  let passedOver: readonly string[] = [];
  let planner: Planner | undefined;
  const leave = new AbortController();

  async function open(signal: AbortSignal): Promise<OpenedClip> {
    const connected = timeline.begin('connect');
    source = await openByteSource(options.target, {
      pool: options.pool,
      allowFiles: options.allowFiles,
      strategy: config.STREAMING_DOWNLOAD && config.CHUNKED_STREAMING ? 'stream' : 'download',
      retries: config.RETRIES,
      maxBytes: config.MAX_VIDEO_MB * 1e6,
      headBytes: FIRST_BYTES,
      signal,
    });
    const { connection, sizeBytes = Number.POSITIVE_INFINITY } = source;
    const openedAtMs = options.now();
    /** Only what the network did: the decoder's troubles are its own. */
    const disturbance = () =>
      source &&
      stallIn({
        longestSilenceMs: source.longestSilenceMs,
        firstByteMs: connection.firstByteMs,
        elapsedMs: options.now() - openedAtMs,
      });
    connected({ http: source.connection.httpVersion, reused: source.connection.reused });
    const parsed = timeline.begin('open');
    const clip = await openClip(source, { signal, limits });
    parsed();
    const frames = watchPool(
      createFramePool({
        slots: Math.min(config.PREFETCH_FRAMES, BATCHES_OF_SLOTS * eye.maxBatch),
        bytesPerSlot: eye.input.width * eye.input.height * 3,
      }),
      options.now,
    );
    const choice = decoderChoice(config);
    const noting = async <T>(opening: Promise<Chosen<T>>): Promise<Chosen<T>> => {
      const chosen = await opening;
      passedOver = chosen.fallbacks;
      return chosen;
    };
    const common = { input: eye.input, pool: frames, threads: config.DECODE_THREADS, limits };
    if (clip.kind === 'indexed') {
      const { decoder: opened } = await noting(choosePacketDecoder(choice, { ...common, index: clip.index }));
      decoder = opened;
      const inferMs = (eye.predictMs(eye.maxBatch) / eye.maxBatch) * CONTENTION;
      const cost = createCostModel(priorSpeeds(clip.index.width, clip.index.height, inferMs));
      cost.observeRtt(source.connection.firstByteMs);
      const planned = createPlanner({
        index: clip.index,
        cost,
        stride: config.FRAME_STRIDE,
        fixed: config.PLAN === 'fixed',
        missingBytes: (sample) => clip.reader.missingBytes(sample),
        limitBytes: Math.min(sizeBytes, config.PARTIAL_DOWNLOAD ? partialLimit(config, clip.index) : sizeBytes),
      });
      planner = planned;
      const parts = { ...options, clip, source, decoder: opened, planner: planned, cost, pool: frames };
      const cutOff = samplesBehind(clip.index, sizeBytes);
      return Object.assign(plannedClip(parts), { disturbance: () => cutOff ?? disturbance() });
    }
    const stride = createStride({ source, fixed: strideOf(config), now: options.now });
    const direct = config.DIRECT_URL_STREAM ? { url: options.target } : undefined;
    const { decoder: opened } = await noting(
      chooseStreamDecoder(choice, {
        ...common,
        source: direct ?? { chunks: clip.chunks(signal), format: clip.format },
        keep: (frame) => stride.keeps(frame),
        minStartBytes: config.STREAM_MIN_START_BYTES,
        startTimeoutMs: config.STREAM_BUFFER_TIMEOUT_S * 1000,
        signal,
      }),
    );
    decoder = opened;
    return Object.assign(streamedClip(opened, stride, limits), { disturbance });
  }

  return {
    clip$: defer(() => open(leave.signal)),
    close() {
      leave.abort();
      source?.close();
      void decoder?.close();
    },
    facts: () => ({ source, decoder: decoder?.name ?? '', passedOver, strategy: planner?.strategy ?? '' }),
  };
}

/** ERR_SOURCE_TRUNCATED where samples lie behind the end of the file: their frames are answered from those before. */
function samplesBehind(index: SampleIndex, sizeBytes: number): TikitakaError | undefined {
  const isBehind = (size: number, sample: number) => index.offset[sample] + size > sizeBytes;
  const missing = index.sizeBytes.reduce((count, size, sample) => count + Number(isBehind(size, sample)), 0);
  if (missing === 0) return undefined;
  const details = { samples: index.sampleCount, missing, sizeBytes };
  return new TikitakaError('ERR_SOURCE_TRUNCATED', 'the file ends before its index says', { details });
}

const strideOf = ({ FRAME_STRIDE, PLAN }: Config): number | undefined =>
  FRAME_STRIDE === 'auto' ? (PLAN === 'fixed' ? FIXED_STRIDE : undefined) : FRAME_STRIDE;

/** How far into the file a partial download reaches: as told, else by the published rule with the clip's own bit rate. */
function partialLimit(config: Config, { frameCount, durationUs, sizeBytes }: SampleIndex): number {
  if (config.PARTIAL_DOWNLOAD_MB !== undefined) return config.PARTIAL_DOWNLOAD_MB * 1e6;
  const seconds = Math.max(durationUs, 1) / 1e6;
  return partialBytes({
    fps: frameCount / seconds,
    stride: strideOf(config) ?? FIXED_STRIDE,
    budgetMs: config.TIME_BUDGET_S * 1000,
    bytesPerSecond: sizeBytes.reduce((sum, bytes) => sum + bytes, 0) / seconds,
  }).bytes;
}
