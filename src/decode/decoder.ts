import type { ModelInput } from '../../models/index.js';
import type { CodedSample, SampleIndex, Visit } from '../container/index.js';
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
   * `samples`, after the frames before them; ERR_ABORTED; ERR_RELEASED after `close`.
   */
  run(visit: Visit, samples: AsyncIterable<CodedSample>, options?: RunOptions): AsyncIterable<Frame>;
  /** Frees the decoder, after the running call into it. Idempotent. */
  close(): Promise<void>;
}
