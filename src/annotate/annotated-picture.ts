import { createCanvas, ImageData } from '@napi-rs/canvas';
import type { RgbaPicture } from '../decode/index.js';
import type { AnswerFrame } from '../questions/football/index.js';
import { drawAnnotations } from './annotations.js';

/** One frame of an answer with its picture, which may be smaller than the original. */
export interface AnnotatedFrame {
  readonly picture: RgbaPicture;
  readonly frame: AnswerFrame;
}

export interface ContactSheetOptions {
  /** Size of the original, in whose pixels the answer speaks. */
  readonly width: number;
  readonly height: number;
  /** Pictures beside each other; default 2, or 1 for a single one. */
  readonly columns?: number;
}

/** Draws frames of an answer over their pictures, row by row on one sheet of equal cells; a PNG file. */
export async function drawAnnotatedPictures(
  frames: readonly AnnotatedFrame[],
  options: ContactSheetOptions,
): Promise<Buffer> {
  const { width, height, columns = Math.min(2, frames.length) } = options;
  const [cellWidth, cellHeight] = [frames[0]?.picture.width ?? 1, frames[0]?.picture.height ?? 1];
  const canvas = createCanvas(cellWidth * columns, cellHeight * Math.ceil(frames.length / columns));
  const ctx = canvas.getContext('2d');
  frames.forEach(({ picture, frame }, i) => {
    const [x, y] = [(i % columns) * cellWidth, Math.floor(i / columns) * cellHeight];
    ctx.putImageData(new ImageData(picture.rgba, picture.width, picture.height), x, y);
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, cellWidth, cellHeight);
    ctx.clip();
    ctx.translate(x, y);
    ctx.scale(cellWidth / width, cellHeight / height);
    // Lines as thick as on a picture of the cell's own size, and not thinner than can be seen.
    drawAnnotations(ctx, frame, { width, height, linePx: (Math.max(1.1, cellHeight / 540) * height) / cellHeight });
    ctx.restore();
  });
  return canvas.encode('png');
}
