/** The coded frames of one video track, in decode order, as the container's own tables give them. All arrays have `sampleCount` entries. */
export interface SampleIndex {
  /** libav codec name: h264, hevc, vp9, av1, mpeg4. */
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly sampleCount: number;
  /** Frames that a player shows (samples less those that an edit list hides). */
  readonly frameCount: number;
  readonly durationUs: number;
  /** Decoder configuration record (avcC, hvcC, av1C, …) as stored. */
  readonly extradata: Uint8Array;
  readonly offset: Float64Array;
  readonly sizeBytes: Uint32Array;
  readonly dtsUs: Float64Array;
  readonly ptsUs: Float64Array;
  /** 1 = keyframe: decoding may start here. */
  readonly sync: Uint8Array;
  /** 1 = nothing refers to it (a disposable B-frame), as sdtp or the NAL headers of the order tell; 0 where unknown. */
  readonly disposable: Uint8Array;
  /** Place of the sample in presentation order = `frame_number` of the answer (what cv2 and ffmpeg count); −1 = not shown. */
  readonly frameNumber: Int32Array;
  /** Presentation time of frame n in µs from the first frame, by frame number; `frameCount` entries. */
  readonly framePtsUs: Float64Array;
  /** Bytes before which everything above was known, and where `moov` lay. */
  readonly moov: { readonly start: number; readonly end: number; readonly atEnd: boolean };
}

/** One coded frame with its bytes. */
export interface CodedSample {
  /** Row of the index. */
  readonly sample: number;
  readonly bytes: Uint8Array;
}

/** A stretch of the clip to decode in one go: it begins at a keyframe, or right behind the previous visit. */
export interface Visit {
  /** Rows of the index, both inclusive, decode order. */
  readonly firstSample: number;
  readonly lastSample: number;
  /** Frame numbers that are wanted out of it. */
  readonly keep: readonly number[];
  /** `bidir`: disposable frames are neither needed nor decoded; `nokey`: only the keyframe is. */
  readonly skip: 'none' | 'bidir' | 'nokey';
}
