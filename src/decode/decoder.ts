import type { ModelInput } from '../../models/index.js';
import type { CodedSample, SampleIndex, Visit } from '../container/index.js';
import type { ClipLimits } from '../limits/index.js';
import type { Frame } from './frame.js';
import type { FramePool } from './frame-pool.js';

/** What went wrong while decoding and was survived. */
export interface DecodeProblems {
  /** Coded samples that the decoder refused. */
  readonly failedSamples: number;
  /** Frames that came out damaged (concealed) and were handed on all the same. */
  readonly damagedFrames: number;
  /** Wanted frames that never came out. */
  readonly missingFrames: number;
  /** The decoder's first complaint. */
  readonly firstError?: string;
}

export interface PacketDecoderOptions {
  readonly index: SampleIndex;
  readonly input: ModelInput;
  /** Its slots must be as large as a picture of `input`. */
  readonly pool: FramePool;
  /** Decoder threads, default 2. */
  readonly threads?: number;
  /** Decode on an NVIDIA card, and with `fixedScale` scale there too. ERR_DECODE where there is none. Default: in software. */
  readonly nvdec?: { readonly fixedScale: boolean };
  /** Pictures that turn out larger, whatever the index says, are ERR_LIMIT and take no memory. */
  readonly limits?: Partial<Pick<ClipLimits, 'maxPixels'>>;
}

export interface RunOptions {
  readonly signal?: AbortSignal;
  /**
   * The next visit begins right behind this one's last sample: pictures that the decoder still holds back come out at the
   * start of that run. Default false: they come out at the end of this one, and the next begins at a keyframe.
   */
  readonly continues?: boolean;
}

/** Decodes an indexed clip in any order of visits. One run at a time. */
export interface PacketDecoder {
  /** What decodes, e.g. `libav h264`, `libav h264 cuda`, `ffmpeg 7.0 h264`; for logs. */
  readonly name: string;
  /** So far, over all runs. */
  readonly problems: DecodeProblems;
  /**
   * Decodes one visit; yields the frames of `visit.keep` as they come out, in presentation order within the visit, each in
   * a slot that the consumer releases. Nothing is decoded while no slot is free or nobody pulls. Samples to which nothing
   * refers and that nobody wants are not decoded. Damaged samples are survived and counted in `problems`. Errors: those of
   * `samples`, after the frames before them; ERR_LIMIT; ERR_ABORTED; ERR_RELEASED after `close`.
   */
  run(visit: Visit, samples: AsyncIterable<CodedSample>, options?: RunOptions): AsyncIterable<Frame>;
  /** Frees the decoder, after the running call into it. Idempotent. */
  close(): Promise<void>;
}

export interface StreamDecoderOptions {
  /** The file's bytes in order and libav's name of its demuxer, or where libav opens it itself (`DIRECT_URL_STREAM`). */
  readonly source:
    | { readonly chunks: AsyncIterable<Uint8Array>; readonly format: 'mp4' | 'matroska' | 'mpegts' }
    | { readonly url: string };
  readonly input: ModelInput;
  readonly pool: FramePool;
  /** Whether frame n is wanted; asked once for each, in order, when it comes out. Default: all. */
  readonly keep?: (frame: number) => boolean;
  readonly threads?: number;
  /** The decoder starts when this many bytes are here (default 262144) … */
  readonly minStartBytes?: number;
  /** … or this much time has passed, ms (default 100), whichever is first. */
  readonly startTimeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Opening refuses a clip whose container says that it is longer; what is only found while reading ends `frames`. Both ERR_LIMIT. */
  readonly limits?: Partial<ClipLimits>;
}

/** Decodes a clip that has no sample index, from its start to its end. */
export interface StreamDecoder {
  readonly name: string;
  /** Of the first picture. */
  readonly width: number;
  readonly height: number;
  /** Undefined where the container does not say. */
  readonly durationUs: number | undefined;
  readonly framesPerSecond: number | undefined;
  readonly problems: DecodeProblems;
  /** Frames that came out so far, wanted or not; at the end: how many the clip has. */
  readonly frameCount: number;
  /**
   * Wanted frames, numbered in presentation order; once. Nothing is read or decoded while no slot is free or nobody pulls.
   * Errors: those of the chunks, after all frames before them; ERR_LIMIT, likewise; ERR_ABORTED; ERR_RELEASED after `close`.
   */
  frames(signal?: AbortSignal): AsyncIterable<Frame>;
  /** Ends pending reads and frees everything. Idempotent. */
  close(): Promise<void>;
}
