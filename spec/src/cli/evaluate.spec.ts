import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tikitaka } from '../../support/command-line.js';
import { playFootball } from '../questions/football/football.js';

describe('tikitaka evaluate', () => {
  const { truth } = playFootball({ frameCount: 80 });
  let folder = '';
  const at = (name: string) => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tikitaka-evaluate-'));
    writeFileSync(at('truth.json'), JSON.stringify(truth));
    writeFileSync(at('answer.json'), JSON.stringify({ processing_time: 1.5, frames: truth.frames }));
    writeFileSync(at('timeless.json'), JSON.stringify({ frames: truth.frames }));
    writeFileSync(
      at('longer.json'),
      JSON.stringify({ frames: [...truth.frames, { ...truth.frames[0], frame_number: 80 }] }),
    );
    const partly = truth.frames.map((frame, n) => (n % 4 === 0 ? { ...frame, objects: null } : frame));
    writeFileSync(at('partly.json'), JSON.stringify({ ...truth, frames: partly }));
    writeFileSync(at('text.json'), 'no JSON');
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (...args: readonly string[]) => tikitaka('evaluate', ...args);

  it('prints JSON with the measures and the score', async () => {
    const { out, err } = await run(at('answer.json'), at('truth.json'), '--json', '--fastest', '0.5');
    const result = JSON.parse(out);
    assert.equal(result.person.f1, 1);
    assert.equal(result.score.timeS, 1.5);
    assert.ok(result.score.speed < 1);
    assert.deepEqual([result.mismatches, err], [[], '']);
  });

  it('prints a table that fits 100 columns', async () => {
    const lines = (await run(at('answer.json'), at('truth.json'))).out.split('\n');
    assert.ok(lines.some((line) => line.startsWith('person')));
    for (const line of lines) assert.ok(line.length <= 100, `${line.length}: ${line}`);
  });

  const told: readonly (readonly [why: string, args: readonly string[], said: RegExp])[] = [
    ['no time is known', ['timeless.json', 'truth.json'], /, speed 1\.000 by default: no time is known \(--time\)$/m],
    [
      'no other server is known',
      ['answer.json', 'truth.json'],
      /, speed 1\.000 at 1\.5 s as if none were faster \(--fastest\)$/m,
    ],
    [
      'both are known',
      ['answer.json', 'truth.json', '--fastest', '0.5'],
      /, speed 0\.7\d\d at 1\.5 s, the fastest at 0\.5 s$/m,
    ],
    ['frames are unlabelled', ['answer.json', 'partly.json'], /boxes judged in the 60 frames/],
  ];
  for (const [why, [answer = '', truthName = '', ...more], said] of told) {
    it(`says that ${why}`, async () => assert.match((await run(at(answer), at(truthName), ...more)).out, said));
  }

  it('says on stderr that the answer seems to be of another clip, and in the JSON', async () => {
    const { code, out, err } = await run(at('longer.json'), at('truth.json'), '--json');
    assert.match(err, /^the answer to another clip\? 1 of the answer's 81 frames/);
    assert.deepEqual([code, JSON.parse(out).mismatches.length], [0, 1]);
  });

  const wrongUse: readonly (readonly [why: string, args: readonly string[], code: number, said: RegExp])[] = [
    [
      'a file that is not there',
      ['missing.json', 'truth.json'],
      2,
      /^ERR_OPTION: cannot read .*missing\.json: there is no such file/,
    ],
    ['a folder', ['.', 'truth.json'], 2, /^ERR_OPTION: cannot read .*: it is a folder$/m],
    ['a file that is no JSON', ['text.json', 'truth.json'], 1, /^ERR_ANSWER: .*text\.json is not JSON$/m],
    ['an answer as truth', ['answer.json', 'answer.json'], 1, /^ERR_ANSWER: the truth has not the form/],
    [
      'a time that is no number',
      ['answer.json', 'truth.json', '--time', 'soon'],
      2,
      /^ERR_OPTION: --time must be seconds, not soon$/m,
    ],
    ['a time that is empty', ['answer.json', 'truth.json', '--time', ''], 2, /^ERR_OPTION: --time must be seconds/],
  ];
  for (const [why, [answer = '', truthName = '', ...more], code, said] of wrongUse) {
    it(`${why}: exit ${code} and one line`, async () => {
      const outcome = await run(at(answer), at(truthName), ...more);
      assert.match(outcome.err, said);
      assert.deepEqual([outcome.code, outcome.out, outcome.err.split('\n').length], [code, '', 2]);
    });
  }
});
