import { type ModelPicture, type PictureFinding, type PictureFormat, pictureRect } from '../../../models/index.js';
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

/** Part of a box that shows the shirt: from below the head to the hips, without the arms. Measured on rendered and labelled clips, as the weights. */
const SHIRT_TOP = 0.15;
const SHIRT_BOTTOM = 0.45;
const SHIRT_HALF_WIDTH = 0.4;
/** Squared colour distance from the ground at which a pixel counts half as shirt. */
const GROUND_SPREAD = 900;

/** More persons than any answer holds (see `SceneOptions.maxPersons`) stay without a colour. */
const MOST_COLOURED = 128;
/** Pixels of a region that are read along each axis, so that the cost does not grow with the box. Chosen above what players on wide shots have. */
const MOST_TAPS = 32;

/**
 * The colour of each person's shirt: mean of the pixels in the upper half of the box, those that look like the ground beside
 * the box counting little. `pixels`: uint8 [height, width, 3], RGB; boxes in pixels of the original picture. Returns
 * uint8 [detections, 3], RGB; zeros for balls and behind the first 128 persons. About 2 µs a person.
 */
export function kitColours(picture: SampledPicture, detections: PictureFinding['detections']): Uint8Array {
  const colours = new Uint8Array(detections.length * 3);
  const rect = pictureRect(picture, picture);
  const scaleX = rect.width / picture.sourceWidth;
  const scaleY = rect.height / picture.sourceHeight;
  let persons = 0;
  detections.forEach(({ classId, boxXyxyPx: [x1, y1, x2, y2] }, i) => {
    if (classId === 0 || persons++ >= MOST_COLOURED) return;
    const width = (x2 - x1) * scaleX;
    const height = (y2 - y1) * scaleY;
    const middle = rect.x + ((x1 + x2) / 2) * scaleX;
    const top = rect.y + y1 * scaleY;
    const beside = [top + 0.3 * height, top + 0.9 * height] as const;
    const left = meanColour(picture, [middle - width / 2 - 3, middle - width / 2 - 1], beside);
    const right = meanColour(picture, [middle + width / 2 + 1, middle + width / 2 + 3], beside);
    const weightOf = (at: number, x: number): number => {
      const fromGround = Math.min(apart(picture.pixels, at, left), apart(picture.pixels, at, right));
      const share = fromGround / (fromGround + GROUND_SPREAD);
      const aside = (x + 0.5 - middle) / (width / 2);
      return share * share * Math.max(0.05, 1 - aside * aside);
    };
    const across = [middle - width * SHIRT_HALF_WIDTH, middle + width * SHIRT_HALF_WIDTH] as const;
    colours.set(meanColour(picture, across, [top + SHIRT_TOP * height, top + SHIRT_BOTTOM * height], weightOf), i * 3);
  });
  return colours;
}

function apart(pixels: Uint8Array, at: number, [red, green, blue]: readonly [number, number, number]): number {
  return (pixels[at] - red) ** 2 + (pixels[at + 1] - green) ** 2 + (pixels[at + 2] - blue) ** 2;
}

/** Weighted mean colour of the pixels between two columns and two rows (at least one of each), of large regions of every few. */
function meanColour(
  { pixels, width, height }: SampledPicture,
  [fromX, toX]: readonly [number, number],
  [fromY, toY]: readonly [number, number],
  weightOf: (at: number, x: number) => number = () => 1,
): readonly [number, number, number] {
  const startX = Math.floor(fromX);
  const startY = Math.floor(fromY);
  const endX = Math.min(width, Math.max(Math.ceil(toX), startX + 1));
  const endY = Math.min(height, Math.max(Math.ceil(toY), startY + 1));
  const stepX = Math.ceil((endX - startX) / MOST_TAPS);
  const stepY = Math.ceil((endY - startY) / MOST_TAPS);
  let red = 0;
  let green = 0;
  let blue = 0;
  let sum = 1e-3;
  for (let y = Math.max(0, startY); y < endY; y += stepY) {
    for (let x = Math.max(0, startX); x < endX; x += stepX) {
      const at = (y * width + x) * 3;
      const weight = weightOf(at, x);
      red += weight * pixels[at];
      green += weight * pixels[at + 1];
      blue += weight * pixels[at + 2];
      sum += weight;
    }
  }
  return [red / sum, green / sum, blue / sum];
}

export interface SampledPicture extends ModelPicture, PictureFormat {
  /** Frame number. */
  readonly index: number;
  /** Presentation time in µs from the first frame of the clip. */
  readonly ptsUs: number;
}

/** Joins what the models said with what the picture looks like: the form in which `Scene.add` takes it. Reads the pixels, keeps none. */
export function describeFinding(picture: SampledPicture, found: PictureFinding): Finding {
  return {
    index: picture.index,
    ptsUs: picture.ptsUs,
    detections: found.detections,
    keyPoints: found.keyPoints,
    signature: pictureSignature(picture.pixels, picture.width, picture.height),
    kitColours: kitColours(picture, found.detections),
  };
}
