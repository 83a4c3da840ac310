import assert from 'node:assert/strict';
import { partialBytes } from '../../../src/plan/index.js';

describe('partialBytes', () => {
  const clip = { fps: 25, stride: 5, budgetMs: 2000, bytesPerSecond: 500_000, safety: 1 };
  for (const [reason, options, frames, bytes] of [
    ['a fifth of 25 fps for 2 s', clip, 10, 200_000],
    ['half as many at twice the stride', { ...clip, stride: 10 }, 5, 100_000],
    ['more with a margin', { ...clip, safety: 1.5 }, 15, 300_000],
    ['a margin of 1.5 by default', { fps: 25, stride: 5, budgetMs: 2000, bytesPerSecond: 500_000 }, 15, 300_000],
    ['a frame that is begun counts', { ...clip, fps: 30, stride: 7, budgetMs: 100 }, 1, 16_667],
    ['twice the rate, twice the bytes', { ...clip, bytesPerSecond: 1_000_000 }, 10, 400_000],
  ] as const) {
    it(`counts ${reason}`, () => assert.deepEqual(partialBytes(options), { frames, bytes }));
  }

  for (const name of ['fps', 'stride', 'budgetMs', 'bytesPerSecond', 'safety']) {
    for (const value of [0, -1, Number.NaN]) {
      it(`refuses ${value} for ${name}`, () => {
        assert.throws(() => partialBytes({ ...clip, [name]: value }), { code: 'ERR_OPTION' });
      });
    }
  }
});
