import type { ModelInput } from './contract.js';

/** How a picture lies in memory that models read. */
export type PictureFormat = Pick<ModelInput, 'width' | 'height' | 'fit'>;

/** Where the picture lies in the model input, in whole pixels of the input: the decoder scales into this rectangle. */
export interface PictureRect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Sizes in pixels. */
export interface SourceSize {
  readonly sourceWidth: number;
  readonly sourceHeight: number;
}

/** The grey that fills the bars of a letterbox, as YOLO models are trained with it (Ultralytics LetterBox, 114). */
export const letterboxGrey = 114;

/** The one place that says where a picture lies in the model input; decoders fill it, layouts undo it. */
export function pictureRect(input: PictureFormat, { sourceWidth, sourceHeight }: SourceSize): PictureRect {
  if (input.fit === 'stretch') return { x: 0, y: 0, width: input.width, height: input.height };
  const scale = Math.min(input.width / sourceWidth, input.height / sourceHeight);
  const width = Math.min(input.width, Math.max(1, Math.round(sourceWidth * scale)));
  const height = Math.min(input.height, Math.max(1, Math.round(sourceHeight * scale)));
  return { x: Math.floor((input.width - width) / 2), y: Math.floor((input.height - height) / 2), width, height };
}

/** Maps points of the model input (pixels) to pixels of the original picture. */
export interface ToSource extends SourceSize {
  x(inputPx: number): number;
  y(inputPx: number): number;
}

export function toSource(input: PictureFormat, source: SourceSize): ToSource {
  const rect = pictureRect(input, source);
  const scaleX = source.sourceWidth / rect.width;
  const scaleY = source.sourceHeight / rect.height;
  return { ...source, x: (inputPx) => (inputPx - rect.x) * scaleX, y: (inputPx) => (inputPx - rect.y) * scaleY };
}

/**
 * The pictures from which models of several input sizes can all make their own (see `fitting`): as large as the largest, with
 * bars only where all want the same. Scaled by the filter of the largest.
 */
export function jointInput(inputs: readonly [ModelInput, ...ModelInput[]]): ModelInput {
  const [first, ...others] = inputs;
  const width = Math.max(...inputs.map((input) => input.width));
  const height = Math.max(...inputs.map((input) => input.height));
  const alike = others.every(
    (other) =>
      other.fit === first.fit && (first.fit === 'stretch' || other.width * first.height === first.width * other.height),
  );
  const largest = inputs.reduce((a, b) => (b.width * b.height > a.width * a.height ? b : a));
  return { width, height, fit: alike ? first.fit : 'stretch', filter: largest.filter };
}
