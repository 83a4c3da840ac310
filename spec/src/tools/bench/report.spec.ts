import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type BenchResult, benchJsonSchema, benchSchema } from '../../../../src/tools/bench/result.js';
import { resultOf } from '../../../../src/tools/bench/result-of.js';
import type { BenchOutcome } from '../../../../src/tools/bench/run.js';
import { benchReport } from '../../../../src/tools/bench/table.js';
import { cellOf, reference, runOf } from './cells.js';

const cells = [
  cellOf({ score: 0.512345 }),
  cellOf({ score: 0.7, timeS: 4, setting: { budgetS: 4, widthPx: 960, model: 'accurate', pitch: false } }),
  ...Array.from({ length: 40 }, (_, i) => cellOf({ score: 0.1 + i / 1000, setting: { stride: i + 1 } })),
];
const outcome: BenchOutcome = {
  interrupted: false,
  device: 'cpu',
  references: [runOf(), runOf({ measured: 44 })],
  cells,
  steadiness: { runs: 2, fps: 21, spread: 0.0381, scoreSpread: 0.002 },
  failed: [{ setting: { ...reference, budgetS: 0.5 }, reason: `ERR_BUDGET_EMPTY: ${'the budget ended '.repeat(9)}` }],
  cut: [2, 3].map((stride) => ({ setting: { ...reference, stride }, reason: 'no time left' })),
  baseline: { measured: 150, frameCount: 750, isCut: true, downloadS: 3, totalS: 63, fps: 12.5 },
  recommendation: cells[1] && { cell: cells[1], reason: '0.188 of estimated score more than the present setting' },
  confirmation: { promised: { fps: 1.2, time: 2 }, again: { fps: 1.1, time: 2 }, off: 0.0833, kept: true },
};
const facts = { version: '0.1.0', target: 'match.mp4', truth: true, mode: 'quick', reference } as const;

describe('the result of a bench', () => {
  it('has the published form', () => {
    const result = resultOf(outcome, facts);
    assert.deepEqual(benchSchema.parse(JSON.parse(JSON.stringify(result))), JSON.parse(JSON.stringify(result)));
    assert.equal(result.cells[0]?.quality?.score, 0.7);
    assert.deepEqual(result.recommended?.speedUp, { time: 63 / 4, fps: 20 / 12.5 });
  });

  it('has it without truth, baseline and confirmation too', () => {
    const { baseline: _, confirmation: __, ...rest } = outcome;
    const plain = { ...rest, baseline: undefined, confirmation: undefined, cells: [cellOf({})] };
    benchSchema.parse(JSON.parse(JSON.stringify(resultOf(plain, { ...facts, truth: false }))));
  });

  it('schemas/bench.schema.json is the one of the code (UPDATE_SCHEMAS=1 writes it)', () => {
    const file = new URL('../../../../schemas/bench.schema.json', import.meta.url);
    const text = `${JSON.stringify(benchJsonSchema(), null, 2)}\n`;
    if (process.env.UPDATE_SCHEMAS === '1') writeFileSync(file, text);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(text));
  });
});

describe('benchReport', () => {
  const report = (more: Partial<BenchResult> = {}) => benchReport({ ...resultOf(outcome, facts), ...more });

  it('fits 100 columns, with and without truth', () => {
    const { recommended: _, ...plain } = resultOf({ ...outcome, cells: [cellOf({})] }, { ...facts, truth: false });
    for (const text of [report(), report({ interrupted: true }), benchReport(plain)])
      for (const line of text.split('\n')) assert.ok(line.length <= 100, `${line.length}: ${line}`);
  });

  it('ranks the cells, the best first, and shows the reference however far behind', () => {
    const rows = report()
      .split('\n')
      .filter((line) => /^ *\d+ {2}/.test(line));
    assert.match(rows[0] ?? '', /^ *1 {2}0\.700.* 960 .*4 .*best/);
    assert.ok(rows.some((row) => /\bref\b/.test(row)));
    assert.match(report(), /… 12 more cells/);
  });

  for (const [what, pattern] of [
    ['the rule of the ranking', /^ranked by: highest estimated caller score/m],
    ['the spread of the reference', /ran 2 times between the cells: 21\.0 FPS, spread \+-3\.8 %/],
    ['a batch that the device cuts', /batch 32>4/],
    [
      'the baseline, and that it was cut',
      /cut at 150 of 750 frames; at this rate the\s+whole clip takes 63\.0 s; 12\.5 FPS/,
    ],
    ['what failed', /^failed: 1 cell, ERR_BUDGET_EMPTY/m],
    ['what was left out', /^left out: 2 cells, no time left/m],
    [
      'the recommendation as lines of .env',
      /^ {2}MODEL=accurate\n {2}IMG_SIZE=960\n {2}BATCH_SIZE=32\n {2}FRAME_STRIDE=auto$/m,
    ],
    ['that the grid ends there', /longest budget that was measured/],
    ['the speed-up', /15\.8 times sooner \(models saw 40 of its\s+750 frames\), 1\.60 times its FPS/],
    ['whether it was confirmed', /FPS 1\.10 \(promised 1\.20\).*off by\s+8\.3 %: kept within 20 %/s],
  ] as const) {
    it(`says ${what}`, () => assert.match(report(), pattern));
  }
});
