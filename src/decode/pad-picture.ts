import { letterboxGrey, type ModelInput, type PictureRect } from '../../models/index.js';

/** Greys everything outside of `rect` in an RGB picture of the input's size. */
export function padPicture(pixels: Uint8Array, input: ModelInput, rect: PictureRect): void {
  if (rect.width === input.width && rect.height === input.height) return;
  const row = input.width * 3;
  pixels.fill(letterboxGrey, 0, rect.y * row);
  for (let y = rect.y; y < rect.y + rect.height; y++) {
    pixels.fill(letterboxGrey, y * row, y * row + rect.x * 3);
    pixels.fill(letterboxGrey, y * row + (rect.x + rect.width) * 3, (y + 1) * row);
  }
  pixels.fill(letterboxGrey, (rect.y + rect.height) * row, input.height * row);
}
