import assert from 'node:assert/strict';
import { letterboxGrey, type ModelInput } from '../../../models/index.js';
import { padPicture } from '../../../src/decode/pad-picture.js';

describe('padPicture', () => {
  it('greys what is outside of the picture, and nothing inside', () => {
    const input: ModelInput = { width: 6, height: 5, fit: 'letterbox', filter: 'area' };
    const rect = { x: 2, y: 1, width: 3, height: 2 };
    const pixels = new Uint8Array(6 * 5 * 3);
    padPicture(pixels, input, rect);
    for (let y = 0; y < 5; y++)
      for (let x = 0; x < 6; x++) {
        const inside = x >= 2 && x < 5 && y >= 1 && y < 3;
        assert.equal(pixels[(y * 6 + x) * 3 + 1], inside ? 0 : letterboxGrey, `${x},${y}`);
      }
  });
});
