import assert from 'node:assert/strict';
import { type AnswerReport, outcomeOf, reportLine, wireFacts } from '../../../src/challenge/report.js';
import { partialWarning } from '../../../src/questions/football/index.js';

const report: AnswerReport = {
  stoppedBy: 'end',
  frames: { total: 750, answered: 750, measured: 30, tracked: 0, interpolated: 700, held: 20 },
  firstTouchMs: 312,
  totalMs: 1234,
  budget: { ms: 2000, from: 'request' },
  bytesRead: 5_000_000,
  sizeBytes: 15_000_000,
  requests: 12,
  httpVersion: '2',
  connectionReused: true,
  decoder: 'libav h264',
  device: 'cpu',
  strategy: 'keyframes, 1 of 25.0',
};
const problem = { code: 'ERR_SOURCE_STALLED', message: 'Nothing came for 900 ms' };

describe('report of an answer', () => {
  it('is one line with all figures', () => {
    assert.equal(
      reportLine(report),
      'HTTP/2 reused · 5.0 of 15.0 MB in 12 requests · first 0.31 s · ' +
        '750/750 frames (30 measured, 700 interpolated, 20 held) · keyframes, 1 of 25.0, libav h264, cpu · total 1.23 of 2.00 s',
    );
  });

  const rows: readonly [why: string, change: Partial<AnswerReport>, said: string, outcome: string][] = [
    ['its time was up', { stoppedBy: 'budget' }, 'of 2.00 s · stopped by budget', 'answered'],
    ['its plan ended long before', { stoppedBy: 'plan' }, 'of 2.00 s · nothing more fitted', 'answered'],
    ['a fault', { stoppedBy: 'error', problem }, 'of 2.00 s · stopped by error ERR_SOURCE_STALLED', 'partial'],
    [
      'the budget is counted from the first frame',
      { stoppedBy: 'budget', budget: { ms: 2000, from: 'first frame' }, totalMs: 4710 },
      'total 4.71 s, 2.00 s from the first frame on · stopped by budget',
      'answered',
    ],
    [
      'it is late',
      { stoppedBy: 'plan', late: { byMs: 400, cost: { what: 'connection set-up', ms: 2400 } } },
      'nothing more fitted · late by 0.40 s: connection set-up 2.40 s',
      'late',
    ],
    [
      'it shows little of its clip',
      { stoppedBy: 'budget', frames: { ...report.frames, held: 400 } },
      'stopped by budget',
      'partial',
    ],
  ];
  for (const [why, change, said, outcome] of rows) {
    it(`ends with what stopped it: ${why}`, () => {
      const changed = { ...report, ...change };
      assert.ok(reportLine(changed).endsWith(said), reportLine(changed));
      assert.equal(outcomeOf(changed), outcome);
      assert.deepEqual([wireFacts(changed).stopped_by, wireFacts(changed).truncated], [change.stoppedBy, true]);
    });
  }

  it('names the decoders that were to be preferred', () => {
    const line = reportLine({ ...report, passedOver: ['no hardware decoding: no card'] });
    assert.ok(line.includes(', libav h264 (no hardware decoding: no card), cpu · '), line);
  });

  it('leaves out what there is not: a file, a stream without a plan, a clock that is ignored', () => {
    const { budget: _, ...unhurried } = report;
    const line = reportLine({ ...unhurried, httpVersion: 'file', sizeBytes: undefined, strategy: '' });
    assert.equal(
      line,
      'file · 5.0 MB in 12 requests · first 0.31 s · 750/750 frames (30 measured, 700 interpolated, 20 held) · libav h264, cpu · total 1.23 s',
    );
  });
});

describe('partialWarning', () => {
  const rows: readonly (readonly [why: string, held: number, problem: boolean, said: RegExp | undefined])[] = [
    ['a whole-clip answer', 0, false, undefined],
    ['a few held frames', 250, false, undefined],
    [
      'half of the frames held',
      375,
      false,
      /^partial: 375 of 750 frames .* score at 0\.78 or less; a longer TIME_BUDGET_S/,
    ],
    ['nearly all of them', 740, false, /^partial: 740 of 750 frames .* score at 0\.57 or less;/],
    ['a clip that breaks off', 600, true, /; the clip could not be read to its end \(ERR_SOURCE_TRUNCATED\)$/],
  ];
  for (const [why, held, isBroken, said] of rows) {
    it(`${why}: ${said ? 'told' : 'nothing to say'}`, () => {
      const frames = { total: 750, answered: 750, measured: 10, tracked: 0, interpolated: 740 - held, held };
      const problem = isBroken ? { problem: { code: 'ERR_SOURCE_TRUNCATED', message: '' } } : {};
      const text = partialWarning({ frames, ...problem });
      if (said) assert.match(text ?? '', said);
      else assert.equal(text, undefined);
    });
  }
});
