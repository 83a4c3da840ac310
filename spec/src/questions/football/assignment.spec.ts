import assert from 'node:assert/strict';
import fc from 'fast-check';
import { linearSumAssignment } from 'linear-sum-assignment';
import { Matrix } from 'ml-matrix';
import { assign } from '../../../../src/questions/football/assignment.js';
import { finished } from '../../../support/steps.js';

describe('assign', () => {
  for (const [why, rows, columns, gain, expected] of [
    ['nothing to pair', 0, 3, [], []],
    ['one row, best column', 1, 3, [1, 5, 2], [1]],
    ['the sum counts, not the single best', 2, 2, [10, 9, 9, 1], [1, 0]],
    ['gains of 0 and below make no pair', 2, 2, [-1, 0, 3, -2], [-1, 0]],
    ['more rows than columns', 3, 1, [1, 4, 2], [-1, 0, -1]],
    ['out of reach', 1, 1, [Number.NEGATIVE_INFINITY], [-1]],
  ] as const) {
    it(why, () => assert.deepEqual([...finished(assign({ gain: Float64Array.from(gain), rows, columns }))], expected));
  }

  it('gains as much as the library linear-sum-assignment, each column once', () => {
    const table = fc.integer({ min: 1, max: 9 }).chain((rows) =>
      fc.array(fc.array(fc.integer({ min: -20, max: 60 }), { minLength: 6, maxLength: 6 }), {
        minLength: rows,
        maxLength: rows,
      }),
    );
    fc.assert(
      fc.property(table, (rows) => {
        const pairs = finished(assign({ gain: Float64Array.from(rows.flat()), rows: rows.length, columns: 6 }));
        const used = [...pairs].filter((column) => column >= 0);
        assert.equal(new Set(used).size, used.length);
        const sum = [...pairs].reduce((total, column, row) => total + (column < 0 ? 0 : rows[row][column]), 0);
        const bounded = new Matrix(rows.map((row) => row.map((value) => Math.max(0, value))));
        assert.equal(sum, Math.round(linearSumAssignment(bounded, { maximaze: true }).gain));
      }),
    );
  });
});
