import type { ModelInput } from '../../models/index.js';

/** Where the scaled picture lies inside the model's input, in pixels. */
export interface FitPx {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Grey around a letterboxed picture, as Ultralytics' `LetterBox` pads (114 of 255). */
export const PADDING_GREY = 114;

/**
 * Places a picture in the model's input: all of it (`stretch`), or scaled evenly and centred (`letterbox`, rounded as
 * Ultralytics' `LetterBox` does, so that their boxes map back the same way).
 */
export function fitPicture(input: ModelInput, sourceWidth: number, sourceHeight: number): FitPx {
  if (input.fit === 'stretch') return { left: 0, top: 0, width: input.width, height: input.height };
  const ratio = Math.min(input.width / sourceWidth, input.height / sourceHeight);
  const width = Math.max(1, Math.min(input.width, Math.round(sourceWidth * ratio)));
  const height = Math.max(1, Math.min(input.height, Math.round(sourceHeight * ratio)));
  return {
    left: Math.max(0, Math.round((input.width - width) / 2 - 0.1)),
    top: Math.max(0, Math.round((input.height - height) / 2 - 0.1)),
    width,
    height,
  };
}

/** Greys everything outside of `fit` in an RGB picture of the input's size. */
export function padPicture(pixels: Uint8Array, input: ModelInput, fit: FitPx): void {
  if (fit.width === input.width && fit.height === input.height) return;
  const row = input.width * 3;
  pixels.fill(PADDING_GREY, 0, fit.top * row);
  for (let y = fit.top; y < fit.top + fit.height; y++) {
    pixels.fill(PADDING_GREY, y * row, y * row + fit.left * 3);
    pixels.fill(PADDING_GREY, y * row + (fit.left + fit.width) * 3, (y + 1) * row);
  }
  pixels.fill(PADDING_GREY, (fit.top + fit.height) * row, input.height * row);
}
