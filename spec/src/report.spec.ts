import assert from 'node:assert/strict';
import { partialWarning } from '../../src/report.js';

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
