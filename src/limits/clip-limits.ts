import { TikitakaError } from '../../operators/index.js';

/** How much a clip may make us do: whoever sends it chooses all of these sizes, mostly by a few bytes that claim them. */
export interface ClipLimits {
  /** Coded frames of the video track, shown or not. Default 20,000: 11 minutes at 30 frames/s. */
  readonly maxFrames: number;
  /** Seconds from the first frame to the end of the last one. Default 1,200. */
  readonly maxSeconds: number;
  /** Width × height of a picture, as the container says and as it really is. Default 8192 × 4352: the largest of H.264 level 6.2. */
  readonly maxPixels: number;
  /** Bytes of the index (`moov`) of an MP4. Default 16 MB: 20,000 frames take at most 1. */
  readonly maxIndexBytes: number;
  /** Boxes that are looked at on the way to and in the index. Default 10,000: usual files have less than 200. */
  readonly maxIndexBoxes: number;
  /** Entries of the edit list. Default 1,000: usual files have one or two. */
  readonly maxEdits: number;
  /** Bytes of one coded frame. Default 32 MB: a keyframe of the largest picture at 7 bits a pixel. */
  readonly maxSampleBytes: number;
  /** Bytes of the answer's body before compression. Default 64 MB: 3 KB for each of 20,000 frames. */
  readonly maxAnswerBytes: number;
}

export const defaultClipLimits: ClipLimits = {
  maxFrames: 20_000,
  maxSeconds: 1200,
  maxPixels: 8192 * 4352,
  maxIndexBytes: 16e6,
  maxIndexBoxes: 10_000,
  maxEdits: 1000,
  maxSampleBytes: 32e6,
  maxAnswerBytes: 64e6,
};

/** The variable of `.env.example` that sets each limit of the programs built on it; libraries pass `ClipLimits`. */
export const limitSettings = {
  maxFrames: 'MAX_FRAMES',
  maxSeconds: 'MAX_CLIP_S',
  maxPixels: 'MAX_PIXELS',
  maxIndexBytes: 'MAX_INDEX_MB',
  maxIndexBoxes: 'MAX_INDEX_BOXES',
  maxEdits: 'MAX_EDITS',
  maxSampleBytes: 'MAX_SAMPLE_MB',
  maxAnswerBytes: 'MAX_ANSWER_MB',
} as const satisfies Record<keyof ClipLimits, string>;

const whatIsTooLarge: Readonly<Record<keyof ClipLimits, string>> = {
  maxFrames: 'frames in the clip',
  maxSeconds: 'seconds of the clip',
  maxPixels: 'pixels in a picture of the clip',
  maxIndexBytes: 'bytes of the index of the clip',
  maxIndexBoxes: 'boxes in the index of the clip',
  maxEdits: 'edits in the index of the clip',
  maxSampleBytes: 'bytes of a coded frame of the clip',
  maxAnswerBytes: 'bytes of the answer',
};

/** What a limit becomes that was met: ERR_LIMIT; `details` say which one, what sets it, what was found (at least) and what is allowed. */
export function limitError(limit: keyof ClipLimits, found: number, allowed: number): TikitakaError {
  const setting = limitSettings[limit];
  return new TikitakaError('ERR_LIMIT', `${whatIsTooLarge[limit]}: ${found}, allowed are ${allowed} (${setting})`, {
    details: { limit, setting, found, allowed },
  });
}

/** All limits, those that are not given at their defaults. */
export function withDefaults(limits: Partial<ClipLimits> = {}): ClipLimits {
  return { ...defaultClipLimits, ...limits };
}

/** Throws ERR_LIMIT where frame number `frame`, shown `ptsUs` behind the first one, is beyond what a clip may have. */
export function checkReach(
  { index, ptsUs }: { readonly index: number; readonly ptsUs: number },
  { maxFrames, maxSeconds }: Pick<ClipLimits, 'maxFrames' | 'maxSeconds'>,
): void {
  if (index >= maxFrames) throw limitError('maxFrames', index + 1, maxFrames);
  if (ptsUs > maxSeconds * 1e6) throw limitError('maxSeconds', ptsUs / 1e6, maxSeconds);
}

/** Throws ERR_LIMIT where a picture is larger than `maxPixels`. */
export function checkPixels(
  { width, height }: { readonly width: number; readonly height: number },
  { maxPixels }: Pick<ClipLimits, 'maxPixels'>,
): void {
  if (width * height > maxPixels) throw limitError('maxPixels', width * height, maxPixels);
}
