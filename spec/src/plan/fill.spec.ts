import assert from 'node:assert/strict';
import { lossBetween, lossHeld } from '../../../src/plan/index.js';

describe('the loss by filling', () => {
  it('costs nothing where nothing is filled', () => {
    assert.equal(lossBetween(0), 0);
    assert.equal(lossHeld(0), 0);
  });

  for (const [reason, gap, least, most] of [
    ['every second frame: hardly anything (docs/protocol.md §3: 0.862 against 0.863)', 1, 0, 0.01],
    ['every fifth frame: little', 4, 0.005 * 4, 0.03 * 4],
    ['a gap of a second: a third', 25, 0.1 * 25, 0.4 * 25],
    ['a gap of ten seconds: nearly all of it', 250, 0.85 * 250, 250],
  ] as const) {
    it(`takes from interpolation over ${reason}`, () => {
      const loss = lossBetween(gap);
      assert.ok(loss >= least && loss <= most, `${loss} of ${gap}`);
    });
  }

  it('grows with the gap, never by more than all of it, and more where there is one neighbour only', () => {
    for (let gap = 1; gap <= 1000; gap++) {
      const growth = lossBetween(gap) - lossBetween(gap - 1);
      assert.ok(growth > 0 && lossBetween(gap) < gap, `at ${gap}: ${growth}`);
      assert.ok(lossHeld(gap) >= lossBetween(gap));
    }
  });
});
