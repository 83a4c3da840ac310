import assert from 'node:assert/strict';
import fc from 'fast-check';
import { paretoFront, rank, rankingRule, recommend, worthOf } from '../../../../src/tools/bench/ranking.js';
import { type CellFacts, cellOf, reference } from './cells.js';

const steadiness = { runs: 5, fps: 20, spread: 0.05, scoreSpread: 0.01 };
const ranked = (facts: readonly CellFacts[]) => {
  const cells = facts.map(cellOf);
  return rank(cells).map((cell) => cells.indexOf(cell));
};

describe('rank', () => {
  for (const [why, facts, order] of [
    ['with truth the score decides', [{ score: 0.5, fps: 90 }, { score: 0.7 }], [1, 0]],
    [
      'at the same score the time',
      [
        { score: 0.5, timeS: 2 },
        { score: 0.5, timeS: 1 },
      ],
      [1, 0],
    ],
    ['without truth the frames per second', [{ fps: 10 }, { fps: 30 }, { fps: 20 }], [1, 2, 0]],
    ['an answer that an error cut short comes last', [{ fps: 90, stoppedBy: 'error' }, { fps: 5 }], [1, 0]],
    ['nothing to rank', [], []],
  ] as const) {
    it(why, () => assert.deepEqual(ranked(facts), order));
  }

  it('says its rule in one line', () => {
    for (const truth of [true, false]) assert.ok(!rankingRule(truth).includes('\n'));
  });
});

describe('recommend', () => {
  const choose = (facts: readonly CellFacts[]) => {
    const cells = facts.map(cellOf);
    const found = recommend({ cells, reference, steadiness });
    return found && cells.indexOf(found.cell);
  };
  const small = { widthPx: 576 } as const;
  for (const [why, facts, chosen] of [
    ['the highest score', [{ score: 0.5 }, { score: 0.6, setting: small }], 1],
    ['the present setting where it is the best', [{ score: 0.6 }, { score: 0.5, setting: small }], 0],
    ['the present setting where the gain is within its noise', [{ score: 0.5 }, { score: 0.509, setting: small }], 0],
    ['without truth another batch that is faster', [{ fps: 20 }, { fps: 25, setting: { batch: 1 } }], 1],
    ['without truth no gain below the noise', [{ fps: 20 }, { fps: 20.8, setting: { batch: 1 } }], 0],
    ['without truth no smaller size: what it costs is not known', [{ fps: 20 }, { fps: 40, setting: small }], 0],
    ['without truth no missing pitch', [{ fps: 20 }, { fps: 40, setting: { pitch: false } }], 0],
    ['nothing of nothing', [], undefined],
  ] as const) {
    it(why, () => assert.equal(choose(facts), chosen));
  }
});

describe('paretoFront', () => {
  const front = (facts: readonly CellFacts[]) => {
    const cells = facts.map(cellOf);
    return paretoFront(cells).map((cell) => cells.indexOf(cell));
  };
  for (const [why, facts, expected] of [
    ['one cell is the front', [{ score: 0.1 }], [0]],
    [
      'slower and worse is beaten',
      [
        { timeS: 1, score: 0.5 },
        { timeS: 2, score: 0.4 },
      ],
      [0],
    ],
    [
      'slower and better is not',
      [
        { timeS: 2, score: 0.6 },
        { timeS: 1, score: 0.5 },
      ],
      [1, 0],
    ],
    [
      'equals: one of them',
      [
        { timeS: 1, score: 0.5 },
        { timeS: 1, score: 0.5 },
      ],
      [0],
    ],
    [
      'without truth the frames that models saw',
      [
        { timeS: 1, measured: 9 },
        { timeS: 2, measured: 8 },
      ],
      [0],
    ],
    ['none', [], []],
  ] as const) {
    it(why, () => assert.deepEqual(front(facts), expected));
  }

  it('holds exactly the cells that no other beats (fast-check)', () => {
    const cell = fc.record({ timeS: fc.integer({ min: 1, max: 9 }), score: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 12 }), (facts) => {
        const cells = facts.map(cellOf);
        const on = paretoFront(cells);
        for (const a of cells) {
          const isBeaten = cells.some(
            (b) => b.timeS <= a.timeS && worthOf(b) >= worthOf(a) && (b.timeS < a.timeS || worthOf(b) > worthOf(a)),
          );
          const isOn = on.some((b) => b.timeS === a.timeS && worthOf(b) === worthOf(a));
          assert.equal(isOn, !isBeaten);
        }
      }),
    );
  });
});
