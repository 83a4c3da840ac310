import type { ModelPicture, PictureFinding } from '../../models/index.js';
import type { Finding } from './answer.js';

/** Cells of the colour grid: fine enough to tell two wide shots apart, coarse enough to survive a moving player. Chosen. */
export const SIGNATURE_COLUMNS = 24;
export const SIGNATURE_ROWS = 14;
/** Samples per cell and axis: 4 × 4 taps of the picture stand for the cell, so that the cost does not grow with the picture. */
const TAPS = 4;

/**
 * Tells two pictures of one camera shot from two pictures across a cut, for about 0.1 ms a picture.
 * `pixels`: uint8 [height, width, 3], RGB, rows contiguous. Returns uint8 [14, 24, 3], RGB, mean colour of each cell of
 * a grid laid over the whole picture, rows first.
 */
export function pictureSignature(pixels: Uint8Array, width: number, height: number): Uint8Array {
  const signature = new Uint8Array(SIGNATURE_COLUMNS * SIGNATURE_ROWS * 3);
  const stepX = width / (SIGNATURE_COLUMNS * TAPS);
  const stepY = height / (SIGNATURE_ROWS * TAPS);
  let at = 0;
  for (let row = 0; row < SIGNATURE_ROWS; row++) {
    for (let column = 0; column < SIGNATURE_COLUMNS; column++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let v = 0; v < TAPS; v++) {
        const line = Math.floor((row * TAPS + v + 0.5) * stepY) * width;
        for (let u = 0; u < TAPS; u++) {
          const p = (line + Math.floor((column * TAPS + u + 0.5) * stepX)) * 3;
          red += pixels[p] ?? 0;
          green += pixels[p + 1] ?? 0;
          blue += pixels[p + 2] ?? 0;
        }
      }
      signature[at++] = red / (TAPS * TAPS);
      signature[at++] = green / (TAPS * TAPS);
      signature[at++] = blue / (TAPS * TAPS);
    }
  }
  return signature;
}

export interface SampledPicture extends ModelPicture {
  /** Frame number. */
  readonly index: number;
  /** Presentation time in µs from the first frame of the clip. */
  readonly ptsUs: number;
  /** Size of the model's input, the size of `pixels`. */
  readonly width: number;
  readonly height: number;
}

/** Joins what the models said with what the picture looks like: the form in which `Scene.add` takes it. Reads the pixels, keeps none. */
export function describeFinding(picture: SampledPicture, found: PictureFinding): Finding {
  return {
    index: picture.index,
    ptsUs: picture.ptsUs,
    detections: found.detections,
    keyPoints: found.keyPoints,
    signature: pictureSignature(picture.pixels, picture.width, picture.height),
  };
}
