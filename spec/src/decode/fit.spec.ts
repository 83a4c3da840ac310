import assert from 'node:assert/strict';
import type { ModelInput } from '../../../models/index.js';
import { fitPicture, PADDING_GREY, padPicture } from '../../../src/decode/fit.js';

const input = (width: number, height: number, fit: ModelInput['fit']): ModelInput => ({
  width,
  height,
  fit,
  filter: 'area',
});

describe('fitPicture', () => {
  const table: readonly (readonly [why: string, input: ModelInput, source: [number, number], fit: number[]])[] = [
    ['stretch fills the input', input(576, 320, 'stretch'), [1920, 1080], [0, 0, 576, 320]],
    ['letterbox of the same shape fills it too', input(640, 360, 'letterbox'), [1920, 1080], [0, 0, 640, 360]],
    ['a wide picture in a square', input(640, 640, 'letterbox'), [1920, 1080], [0, 140, 640, 360]],
    ['a tall picture in a square', input(640, 640, 'letterbox'), [1080, 1920], [140, 0, 360, 640]],
    ['odd padding: the smaller half above', input(640, 361, 'letterbox'), [1920, 1080], [0, 0, 640, 360]],
    ['a small picture is enlarged', input(640, 384, 'letterbox'), [320, 180], [0, 12, 640, 360]],
    ['a line keeps one pixel', input(640, 384, 'letterbox'), [10000, 2], [0, 191, 640, 1]],
  ];
  for (const [why, to, [width, height], [left, top, w, h]] of table)
    it(why, () => {
      assert.deepEqual(fitPicture(to, width, height), { left, top, width: w, height: h });
    });
});

describe('padPicture', () => {
  it('greys what is outside of the picture, and nothing inside', () => {
    const to = input(6, 5, 'letterbox');
    const fit = { left: 2, top: 1, width: 3, height: 2 };
    const pixels = new Uint8Array(6 * 5 * 3);
    padPicture(pixels, to, fit);
    for (let y = 0; y < 5; y++)
      for (let x = 0; x < 6; x++) {
        const inside = x >= 2 && x < 5 && y >= 1 && y < 3;
        assert.equal(pixels[(y * 6 + x) * 3 + 1], inside ? 0 : PADDING_GREY, `${x},${y}`);
      }
  });
});
