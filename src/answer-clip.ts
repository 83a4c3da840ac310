import { defer, finalize, type Observable, of } from 'rxjs';
import type { ModelRunner } from '../models/index.js';
import { asyncProducer, pull } from '../operators/index.js';
import type { Config } from './config.js';
import type { SampleIndex, Visit } from './container/index.js';
import { type Clip, openClip } from './container/index.js';
import {
  createFramePool,
  type Frame,
  openPacketDecoder,
  openStreamDecoder,
  type PacketDecoder,
  type StreamDecoder,
} from './decode/index.js';
import { type ByteSource, openByteSource, type Pool } from './net/index.js';
import type { OpenedClip } from './pipeline.js';
import type { SceneClip } from './scene/index.js';
import type { Timeline } from './timeline.js';

export interface AnswerClipOptions {
  readonly config: Config;
  readonly pool: Pool;
  readonly runner: ModelRunner;
  readonly timeline: Timeline;
  /** http(s) URL, or with `allowFiles` the path of a file. */
  readonly target: string;
  readonly allowFiles: boolean;
  /** The clock that `softCutMs` speaks of, ms. */
  readonly now: () => number;
}

/** What became of the clip so far, for the report. */
export interface ClipFacts {
  readonly source: ByteSource | undefined;
  readonly decoder: string;
  readonly strategy: string;
}

/** An opened clip with what the scene wants to know of it. */
export interface AnswerClip extends OpenedClip {
  readonly scene: SceneClip;
}

export interface AnswerClipOpening {
  /** Emits the clip once. */
  readonly clip$: Observable<AnswerClip>;
  /** Ends opening, reading and decoding; what the report says stays. Idempotent. */
  close(): void;
  facts(): ClipFacts;
}

/** Visits whose byte ranges are asked for while one is decoded (LAB.md: 3–4 ranges in flight are best). */
const VISITS_AHEAD = 4;
/** Batches whose frames exist at once: one at work, one waiting, one being decoded. More would be decoded and then cut. */
const BATCHES_OF_SLOTS = 3;

/** Joins net, container, decoder and planner for one clip. */
export function openAnswerClip(options: AnswerClipOptions): AnswerClipOpening {
  const { config, runner, timeline } = options;
  let source: ByteSource | undefined;
  let decoder: PacketDecoder | StreamDecoder | undefined;
  let planner: Planner | undefined;
  const leave = new AbortController();

  async function open(signal: AbortSignal): Promise<AnswerClip> {
    const connected = timeline.begin('connect');
    source = await openByteSource(options.target, {
      pool: options.pool,
      allowFiles: options.allowFiles,
      strategy: config.STREAMING_DOWNLOAD ? 'stream' : 'download',
      retries: config.RETRIES,
      maxBytes: config.MAX_VIDEO_MB * 1e6,
      signal,
      ...(config.PARTIAL_DOWNLOAD && config.PARTIAL_DOWNLOAD_MB
        ? { limitBytes: config.PARTIAL_DOWNLOAD_MB * 1e6 }
        : {}),
    });
    connected({ http: source.connection.httpVersion, reused: source.connection.reused });
    const parsed = timeline.begin('open');
    const clip = await openClip(source, { signal });
    parsed();
    const frames = createFramePool({
      slots: Math.min(config.PREFETCH_FRAMES, BATCHES_OF_SLOTS * runner.maxBatch),
      bytesPerSlot: runner.input.width * runner.input.height * 3,
    });
    const common = { input: runner.input, pool: frames, threads: config.DECODE_THREADS };
    if (clip.kind === 'indexed') {
      const opened = await openPacketDecoder({ ...common, index: clip.index });
      decoder = opened;
      planner = createPlanner({ index: clip.index });
      return plannedClip({ ...options, clip, decoder: opened, planner });
    }
    const stride = adaptiveStride(options, source);
    const opened = await openStreamDecoder({
      ...common,
      source: { chunks: clip.chunks(signal), format: clip.format },
      keep: (frame) => stride.keeps(frame),
      minStartBytes: config.STREAM_MIN_START_BYTES,
      startTimeoutMs: config.STREAM_BUFFER_TIMEOUT_S * 1000,
      signal,
    });
    decoder = opened;
    return streamedClip(opened, stride);
  }

  return {
    clip$: defer(() => open(leave.signal)),
    close() {
      leave.abort();
      source?.close();
      void decoder?.close();
    },
    facts: () => ({ source, decoder: decoder?.name ?? '', strategy: planner?.strategy ?? '' }),
  };
}

interface PlannedClipOptions {
  readonly clip: Extract<Clip, { kind: 'indexed' }>;
  readonly decoder: PacketDecoder;
  readonly planner: Planner;
  readonly timeline: Timeline;
  readonly now: () => number;
}

/** A clip with an index: the planner's visits one after another, through the reader and the decoder. */
function plannedClip(options: PlannedClipOptions): AnswerClip {
  const { index } = options.clip;
  const keyframes: number[] = [];
  for (let sample = 0; sample < index.sampleCount; sample++) {
    const frame = index.frameNumber[sample] ?? -1;
    if (index.sync[sample] && frame >= 0) keyframes.push(frame);
  }
  return {
    width: index.width,
    height: index.height,
    frameCount: index.frameCount,
    scene: { frameCount: index.frameCount, framePtsUs: index.framePtsUs, keyframes },
    get cutShort() {
      return !options.planner.done;
    },
    frames: (softCutMs) => fromFrames((signal) => visitFrames(options, softCutMs, signal)),
  };
}

async function* visitFrames(
  { clip, decoder, planner, timeline, now }: PlannedClipOptions,
  softCutMs: () => number,
  signal: AbortSignal,
): AsyncGenerator<Frame> {
  for (;;) {
    const visit = planner.next(now(), softCutMs());
    if (!visit || signal.aborted) return;
    const coming = planner.upcoming(VISITS_AHEAD);
    clip.reader.prefetch([visit, ...coming]);
    const end = timeline.begin('decode', { from: visit.firstSample, to: visit.lastSample, keep: visit.keep.length });
    try {
      const continues = coming[0]?.firstSample === visit.lastSample + 1;
      yield* decoder.run(visit, clip.reader.samples(visit, signal), { signal, continues });
    } finally {
      end();
    }
  }
}

/** A clip without an index: read once from its start to its end. */
function streamedClip(decoder: StreamDecoder, stride: Stride): AnswerClip {
  let ended = false;
  const { durationUs, framesPerSecond: fps } = decoder;
  const expected = durationUs && fps ? Math.round((durationUs / 1e6) * fps) : undefined;
  async function* frames(signal: AbortSignal): AsyncGenerator<Frame> {
    yield* decoder.frames(signal);
    ended = true;
  }
  return {
    width: decoder.width,
    height: decoder.height,
    get frameCount() {
      return ended ? decoder.frameCount : expected && Math.max(expected, decoder.frameCount);
    },
    get scene() {
      return { frameCount: this.frameCount, fps };
    },
    get cutShort() {
      return !ended;
    },
    frames: (softCutMs) => {
      stride.begin(softCutMs);
      return fromFrames(frames);
    },
  };
}

interface Stride {
  begin(softCutMs: () => number): void;
  keeps(frame: number): boolean;
}

/** Frames after which the stride of a stream is judged anew. Chosen. */
const JUDGE_EVERY = 16;
const LARGEST_STRIDE = 32;

/**
 * How many frames of a stream are left out, so that its end is reached before the soft cut: doubled while the rest of the
 * bytes would take longer than there is time, halved while it would take less than half of it.
 */
function adaptiveStride({ config, now }: AnswerClipOptions, source: ByteSource): Stride {
  const fixed = config.FRAME_STRIDE === 'auto' ? undefined : config.FRAME_STRIDE;
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

/** Frames of a generator as they are pulled; leaving aborts `signal`, and a frame that comes too late is released. */
function fromFrames(generate: (signal: AbortSignal) => AsyncIterable<Frame>): Observable<Frame> {
  return defer(() => {
    const leave = new AbortController();
    const frames = asyncProducer(generate(leave.signal), { onDiscard: (frame) => frame.release() });
    return pull({ open: () => frames, demand$: of(Number.POSITIVE_INFINITY) }).pipe(finalize(() => leave.abort()));
  });
}

interface Planner {
  next(nowMs: number, softMs: number): Visit | null;
  upcoming(n: number): Visit[];
  readonly done: boolean;
  readonly strategy: string;
}
function createPlanner({ index }: { index: SampleIndex }): Planner {
  let at = 0;
  return {
    next() {
      if (at >= index.sampleCount) return null;
      at = index.sampleCount;
      return {
        firstSample: 0,
        lastSample: index.sampleCount - 1,
        keep: Array.from({ length: Math.ceil(index.frameCount / 10) }, (_, i) => i * 10),
        skip: 'none',
      };
    },
    upcoming: () => [],
    get done() {
      return at >= index.sampleCount;
    },
    strategy: 'temp',
  };
}
