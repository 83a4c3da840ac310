import assert from 'node:assert/strict';
import { cellsOf, type Measured, type Run, steadinessOf } from '../../../../src/tools/bench/cell.js';
import { qualityOf, reference, runOf } from './cells.js';

const near = (actual: number | undefined, expected: number) =>
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-9, `${actual} and not ${expected}`);

function one(measured: Partial<Measured>, references: readonly Run[] = [runOf()], fastestS?: number) {
  const whole = { setting: reference, batch: 4, runs: [runOf()], neighbours: [], ...measured };
  const [cell] = cellsOf({ measured: [whole], references, fastestS });
  assert.ok(cell);
  return cell;
}

describe('a cell', () => {
  it('is the median of its runs', () => {
    const cell = one({ runs: [runOf({ measured: 40 }), runOf({ measured: 44 }), runOf({ measured: 400 })] });
    assert.equal(cell.measured, 44);
    near(cell.fps, 22);
    assert.equal(cell.runs, 3);
  });

  it('is as fast as it would be on the usual machine: the reference beside it tells how slow the machine was', () => {
    const cell = one({ runs: [runOf({ measured: 30 })], neighbours: [runOf({ measured: 20 })] });
    near(cell.load, 2);
    near(cell.fps, 30);
    near(cell.ratio, 1.5);
  });

  it('takes less time on the usual machine where it came to its end, and the same where its budget ended it', () => {
    const neighbours = [runOf({ measured: 20 })];
    near(one({ neighbours, runs: [runOf({ stoppedBy: 'end' })] }).timeS, 1);
    near(one({ neighbours, runs: [runOf({ stoppedBy: 'budget' })] }).timeS, 2);
  });

  it('says when a run did not come to its end', () => {
    assert.equal(one({ runs: [runOf({ stoppedBy: 'end' })] }).stoppedBy, 'end');
    assert.equal(one({ runs: [runOf({ stoppedBy: 'end' }), runOf({ stoppedBy: 'error' })] }).stoppedBy, 'error');
  });

  it('has no quality without truth', () => assert.equal(one({}).quality, undefined));
});

describe('the score of cells (docs/protocol.md §3)', () => {
  const cells = (fastestS?: number) => {
    const at = (timeMs: number, quality: number, boxes = quality): Measured => ({
      setting: { ...reference, budgetS: timeMs / 1000 },
      batch: 4,
      runs: [runOf({ timeMs, quality: qualityOf(quality, boxes) })],
      neighbours: [],
    });
    return cellsOf({ measured: [at(500, 0.3, 0.1), at(1000, 0.5), at(2000, 0.6)], references: [runOf()], fastestS });
  };

  it('measures speed against the fastest cell with fair boxes', () => {
    const [tooFast, fastest, slower] = cells();
    near(tooFast?.quality?.speed, 0);
    near(fastest?.quality?.speed, 1);
    near(fastest?.quality?.score, 0.65 * 0.5 + 0.35);
    near(slower?.quality?.speed, Math.exp(-5 / 14));
  });

  it('or against the time that is given', () => {
    near(cells(0.5)[1]?.quality?.speed, Math.exp((-5 * 0.5) / 14.5));
  });
});

describe('steadinessOf', () => {
  it('gives median and half the way between the outer tenths, as a share', () => {
    const references = [36, 38, 40, 42, 44].map((measured) => runOf({ measured }));
    const { runs, fps, spread, scoreSpread } = steadinessOf(references);
    assert.deepEqual([runs, fps, scoreSpread], [5, 20, 0]);
    near(spread, (21.6 - 18.4) / 2 / 20);
  });

  for (const [why, boxes, expected] of [
    ['of the quality', [0.5, 0.6], 0.65 * 0.04],
    ['and of a speed that counts only with fair boxes', [0.1, 0.3], 0.65 * 0.08 + 0.35 * 0.4],
  ] as const) {
    it(`gives the spread of the score: that ${why}`, () => {
      const references = boxes.map((quality) => runOf({ quality: qualityOf(quality) }));
      near(steadinessOf(references).scoreSpread, expected);
    });
  }
});
