import assert from 'node:assert/strict';
import { FULL_AXES, fullGrid, QUICK_AXES, quickGrid, sameBatch } from '../../../../src/tools/bench/grid.js';
import { differences, keyOf, type Setting, shortName, variablesOf } from '../../../../src/tools/bench/setting.js';
import { reference } from './cells.js';

const sizes = [768, 576, 960].map((widthPx) => ({ model: widthPx > 800 ? 'accurate' : 'fast', widthPx }));
const keys = (settings: readonly Setting[]) => settings.map(keyOf);

describe('the grid of a bench', () => {
  const full = fullGrid({ ...FULL_AXES, sizes }, reference, { all: false });
  const quick = quickGrid({ ...QUICK_AXES, sizes }, reference);

  for (const [name, grid] of [
    ['full', full],
    ['quick', quick],
    ['of all combinations', fullGrid({ ...FULL_AXES, sizes }, reference, { all: true })],
  ] as const) {
    it(`${name}: begins with the reference, has each setting once, the nearest first`, () => {
      assert.deepEqual(grid[0], reference);
      assert.equal(new Set(keys(grid)).size, grid.length);
      const distances = grid.map((setting) => differences(setting, reference).length);
      assert.deepEqual(
        distances,
        [...distances].sort((a, b) => a - b),
      );
    });
  }

  it('full: every batch × stride × size at the present budget with pitch', () => {
    const present = new Set(keys(full));
    for (const size of sizes)
      for (const batch of [1, 2, 4, 8, 16, 32, 64])
        for (const stride of [1, 2, 3, 4, 5, 6, 'auto'] as const)
          assert.ok(present.has(keyOf({ ...reference, ...size, batch, stride })));
  });

  it('full: every size at every budget, and without pitch', () => {
    const present = new Set(keys(full));
    for (const size of sizes) {
      for (const budgetS of FULL_AXES.budgetsS) assert.ok(present.has(keyOf({ ...reference, ...size, budgetS })));
      assert.ok(present.has(keyOf({ ...reference, ...size, pitch: false })));
    }
    assert.equal(full.length, 7 * 7 * 3 + 3 * (FULL_AXES.budgetsS.length - 1) + 3);
  });

  it('all: the product of all axes', () => {
    const { batches, strides, budgetsS, pitch } = FULL_AXES;
    const all = fullGrid({ ...FULL_AXES, sizes }, reference, { all: true });
    assert.equal(all.length, sizes.length * batches.length * strides.length * budgetsS.length * pitch.length);
  });

  it('quick: sizes at budgets, and one cell for each other variable', () => {
    assert.equal(quick.length, 3 * 4 + 3);
    const others = new Set(quick.flatMap((setting) => differences(setting, reference)));
    assert.deepEqual([...others].sort(), ['batch', 'budget', 'pitch', 'size', 'stride']);
  });

  it('a reference outside the axes is measured all the same', () => {
    const own: Setting = { ...reference, batch: 12, budgetS: 3 };
    assert.deepEqual(fullGrid({ ...FULL_AXES, sizes }, own, { all: true })[0], own);
  });
});

describe('sameBatch', () => {
  const at = (batch: number, more: Partial<Setting> = {}): Setting => ({ ...reference, ...more, batch });
  for (const [why, setting, measured, largest, expected] of [
    ['a batch that the device takes is another cell', at(2), [at(32)], 4, undefined],
    ['above the largest batch, 64 is 32', at(64), [at(1), at(32)], 4, at(32)],
    ['the largest itself is what the cap makes of 32', at(4), [at(32)], 4, at(32)],
    ['nothing above the cap was measured yet', at(8), [at(1), at(2)], 4, undefined],
    ['another stride is another cell', at(8), [at(32, { stride: 5 })], 4, undefined],
    ['no cap is known', at(64), [at(32)], Number.POSITIVE_INFINITY, undefined],
  ] as const) {
    it(why, () => assert.deepEqual(sameBatch(setting, measured, largest), expected));
  }
});

describe('a setting', () => {
  it('as variables', () => {
    assert.deepEqual(variablesOf({ ...reference, stride: 3, pitch: false }), {
      MODEL: 'fast',
      IMG_SIZE: '768',
      BATCH_SIZE: '32',
      FRAME_STRIDE: '3',
      TIME_BUDGET_S: '2',
      SKIP_PITCH: '1',
    });
  });

  it('by a name that says how it differs', () => {
    assert.equal(shortName(reference, reference), '768 px, 2 s');
    const other = { ...reference, batch: 1, stride: 5, pitch: false } as const;
    assert.equal(shortName(other, reference), '768 px, 2 s, batch 1, stride 5, no pitch');
  });
});
