import assert from 'node:assert/strict';
import fc from 'fast-check';
import { jointInput, pictureRect, toSource } from '../../models/picture-space.js';

describe('pictureRect', () => {
  const table = [
    { why: 'stretch fills the input', fit: 'stretch', size: [1919, 1079], rect: [0, 0, 640, 640] },
    { why: 'a wide picture gets bars above and below', fit: 'letterbox', size: [1920, 1080], rect: [0, 140, 640, 360] },
    { why: 'a tall picture gets bars left and right', fit: 'letterbox', size: [1080, 1920], rect: [140, 0, 360, 640] },
    { why: 'odd sizes are rounded to whole pixels', fit: 'letterbox', size: [1919, 1079], rect: [0, 140, 640, 360] },
    { why: 'an odd rest puts the larger bar below', fit: 'letterbox', size: [640, 361], rect: [0, 139, 640, 361] },
    { why: 'a picture of one line keeps one line', fit: 'letterbox', size: [5000, 1], rect: [0, 319, 640, 1] },
    { why: 'the same shape fills the input', fit: 'letterbox', size: [320, 320], rect: [0, 0, 640, 640] },
  ] as const;
  for (const { why, fit, size, rect } of table) {
    it(why, () => {
      const [sourceWidth, sourceHeight] = size;
      const [x, y, width, height] = rect;
      assert.deepEqual(pictureRect({ width: 640, height: 640, fit }, { sourceWidth, sourceHeight }), {
        x,
        y,
        width,
        height,
      });
    });
  }
});

describe('toSource', () => {
  it('undoes the placing, whatever the sizes', () => {
    const size = fc.integer({ min: 2, max: 5000 });
    fc.assert(
      fc.property(
        size,
        size,
        fc.constantFrom('stretch', 'letterbox'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (sourceWidth, sourceHeight, fit, share) => {
          const input = { width: 768, height: 448, fit } as const;
          const rect = pictureRect(input, { sourceWidth, sourceHeight });
          const source = toSource(input, { sourceWidth, sourceHeight });
          assert.ok(Math.abs(source.x(rect.x + share * rect.width) - share * sourceWidth) < 1e-6 * sourceWidth);
          assert.ok(Math.abs(source.y(rect.y + share * rect.height) - share * sourceHeight) < 1e-6 * sourceHeight);
        },
      ),
    );
  });
});

describe('jointInput', () => {
  const input = (width: number, height: number, fit: 'stretch' | 'letterbox', filter: 'area' | 'bilinear' = 'area') =>
    ({ width, height, fit, filter }) as const;
  const table = [
    { why: 'one model: its own', of: [input(640, 480, 'letterbox')], joint: input(640, 480, 'letterbox') },
    {
      why: 'letterboxes of one shape: the largest, by its filter',
      of: [input(896, 896, 'letterbox'), input(1024, 1024, 'letterbox', 'bilinear')],
      joint: input(1024, 1024, 'letterbox', 'bilinear'),
    },
    {
      why: 'letterboxes of different shapes: no bars, nobody loses a line or a column',
      of: [input(1024, 576, 'letterbox'), input(640, 640, 'letterbox')],
      joint: input(1024, 640, 'stretch'),
    },
    {
      why: 'stretched: as wide as the widest, as high as the highest',
      of: [input(768, 448, 'stretch'), input(512, 512, 'stretch')],
      joint: input(768, 512, 'stretch'),
    },
    {
      why: 'both kinds: no bars',
      of: [input(768, 448, 'stretch'), input(640, 640, 'letterbox')],
      joint: input(768, 640, 'stretch'),
    },
  ] as const;
  for (const { why, of, joint } of table) {
    it(why, () => {
      const [first, ...others] = of;
      assert.deepEqual(jointInput([first, ...others]), joint);
    });
  }
});
