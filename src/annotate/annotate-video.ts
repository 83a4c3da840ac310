import { type FrameRate, openPictureReader, openVideoWriter } from '../decode/index.js';
import type { Answer } from '../questions/football/index.js';
import { drawAnnotations } from './annotations.js';
import { createOverlay } from './overlay.js';

export interface AnnotateVideoOptions {
  /** File or URL of the clip that was answered. */
  readonly clipPath: string;
  readonly answer: Answer;
  /** An MP4 file; replaced if it exists. */
  readonly outPath: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Of the annotated video; drawn lines are harder to code than grass. Chosen: 6 Mbit/s at 1080p25. */
const BITS_PER_PIXEL = 6e6 / (1920 * 1080 * 25);

/**
 * Draws an answer over every frame of its clip and codes it as H.264 at the original size and rate; pictures beyond the
 * answer are left bare. Errors: ERR_DECODE, ERR_NOT_VIDEO, ERR_ENCODE, or the signal's reason.
 */
export async function annotateVideo({
  clipPath,
  answer,
  outPath,
  onProgress,
  signal,
}: AnnotateVideoOptions): Promise<void> {
  const reader = await openPictureReader(clipPath);
  try {
    // 4:2:0 has no odd sides: a last odd row or column is cut off.
    const [width, height] = [reader.width & ~1, reader.height & ~1];
    const { framesPerSecond } = reader;
    const rate = rateOf(framesPerSecond);
    const writer = await openVideoWriter({
      path: outPath,
      container: 'mp4',
      codec: 'h264',
      width,
      height,
      framesPerSecond,
      gop: Math.max(1, Math.round(rate * 2)),
      bFrames: 2,
      moov: 'start',
      bitrateBps: Math.round(BITS_PER_PIXEL * width * height * rate),
    });
    const overlay = createOverlay(width, height);
    let coding: Promise<void> | undefined;
    try {
      signal?.throwIfAborted();
      for (let index = 0; ; index++) {
        // Drawn while libav's threads decode this picture and code the one before.
        const decoding = reader.next();
        // Both are awaited below; a failure of drawing or an abort must not leave their own unheard.
        decoding.catch(() => undefined);
        const frame = answer.frames[index];
        overlay.draw((ctx) => frame && drawAnnotations(ctx, frame, answer));
        const [more] = await Promise.all([decoding, coding]);
        if (!more) break;
        const source = await reader.planar();
        coding = writer.writePlanar((target) => overlay.lay(source, target));
        coding.catch(() => undefined);
        onProgress?.(index + 1, answer.frames.length);
        signal?.throwIfAborted();
      }
      await writer.finish();
    } finally {
      await writer.abort();
    }
  } finally {
    await reader.close();
  }
}

const rateOf = ({ num, den }: FrameRate): number => num / den;
