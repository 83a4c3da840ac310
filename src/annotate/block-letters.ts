import type { SKRSContext2D } from '@napi-rs/canvas';

/**
 * A 5 × 7 bitmap alphabet: text that looks the same on every machine, also where no font is installed (there a canvas
 * draws no text at all). One base-32 digit per row, top row first, highest bit left.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  '0': 'ehjlphe',
  '1': '4c4444e',
  '2': 'eh1248v',
  '3': 'v2421he',
  '4': '26aiv22',
  '5': 'vgu11he',
  '6': '68guhhe',
  '7': 'v124888',
  '8': 'ehhehhe',
  '9': 'ehhf12c',
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'sihhhis',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhf',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hhpljhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllla',
  X: 'hha4ahh',
  Y: 'hhha444',
  Z: 'v1248gv',
  ':': '0440440',
  '-': '000v000',
  '.': '00000cc',
  '/': '01248g0',
  '%': 'op248j3',
  '#': 'aavavaa',
};
const ADVANCE = 6;

/** Width of `text` in pixels when its letters are `heightPx` high. */
export const letteringWidth = (text: string, heightPx: number): number =>
  (Math.max(0, text.length * ADVANCE - 1) * heightPx) / 7;

/** Draws `text` in capitals with its upper left corner at [x, y], in the context's fill style. Unknown characters are blanks. */
export function drawLettering(
  ctx: SKRSContext2D,
  text: string,
  { x, y, heightPx }: { readonly x: number; readonly y: number; readonly heightPx: number },
): void {
  const cell = heightPx / 7;
  ctx.beginPath();
  [...text.toUpperCase()].forEach((letter, place) => {
    [...(GLYPHS[letter] ?? '')].forEach((digit, row) => {
      const bits = Number.parseInt(digit, 32);
      for (let column = 0; column < 5; column++) {
        if (bits & (16 >> column))
          ctx.rect(x + (place * ADVANCE + column) * cell, y + row * cell, cell * 1.04, cell * 1.04);
      }
    });
  });
  ctx.fill();
}
