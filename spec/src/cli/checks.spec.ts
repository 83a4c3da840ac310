import assert from 'node:assert/strict';
import { TikitakaError } from '../../../operators/index.js';
import { type Check, runChecks, verdictLines } from '../../../src/cli/checks.js';

describe('checks', () => {
  const checks: readonly Check<string>[] = [
    {
      name: 'late',
      look: async (who) => new Promise((resolve) => setImmediate(() => resolve({ status: 'ok', text: who }))),
    },
    {
      name: 'several',
      look: async () => [
        { status: 'ok', text: 'one' },
        { status: 'warn', text: 'two', mend: 'mend two' },
      ],
    },
    { name: 'coded', mend: 'mend it', look: () => Promise.reject(new TikitakaError('ERR_KEYFILE', 'no file')) },
    { name: 'broken', look: () => Promise.reject(new TypeError('x is not a function')) },
    {
      name: 'at once',
      look: () => {
        throw new TikitakaError('ERR_OPTION', 'thrown at call');
      },
    },
  ];

  it('tell what they found in their order; what breaks is a failure', async () => {
    assert.deepEqual(await runChecks(checks, 'me'), [
      { name: 'late', status: 'ok', text: 'me' },
      { name: 'several', status: 'ok', text: 'one' },
      { name: 'several', status: 'warn', text: 'two', mend: 'mend two' },
      { name: 'coded', status: 'fail', text: 'no file', mend: 'mend it' },
      { name: 'broken', status: 'fail', text: 'ERR_INTERNAL: x is not a function' },
      { name: 'at once', status: 'fail', text: 'thrown at call' },
    ]);
  });

  it('print one line each, with the cure below what is not well', () => {
    const lines = verdictLines([
      { name: 'port', status: 'ok', text: 'free', mend: 'unused' },
      { name: 'wallet', status: 'fail', text: 'first\nsecond', mend: 'look' },
    ]);
    assert.deepEqual(lines, [
      'ok   port      free',
      'fail wallet    first\n               second',
      '               -> look',
    ]);
  });
});
