import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateCommand } from '../../../src/cli/evaluate.js';
import { playFootball } from '../scene/football.js';

describe('tikitaka evaluate', () => {
  const { truth } = playFootball({ frameCount: 80 });
  let folder = '';
  const at = (name: string) => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tikitaka-evaluate-'));
    writeFileSync(at('truth.json'), JSON.stringify(truth));
    writeFileSync(at('answer.json'), JSON.stringify({ processing_time: 1.5, frames: truth.frames }));
    writeFileSync(at('text.json'), 'no JSON');
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What the command writes to stdout. */
  async function run(...args: readonly string[]): Promise<string> {
    const write = process.stdout.write;
    let text = '';
    process.stdout.write = (chunk: string | Uint8Array) => {
      text += chunk;
      return true;
    };
    try {
      await evaluateCommand().exitOverride().parseAsync(args, { from: 'user' });
    } finally {
      process.stdout.write = write;
    }
    return text;
  }

  it('prints JSON with the measures and the score', async () => {
    const result = JSON.parse(await run(at('answer.json'), at('truth.json'), '--json', '--fastest', '0.5'));
    assert.equal(result.person.f1, 1);
    assert.equal(result.score.timeS, 1.5);
    assert.ok(result.score.speed < 1);
  });

  it('prints a table that fits 100 columns', async () => {
    const lines = (await run(at('answer.json'), at('truth.json'))).split('\n');
    assert.ok(lines.some((line) => line.startsWith('person')));
    for (const line of lines) assert.ok(line.length <= 100, `${line.length}: ${line}`);
  });

  for (const [why, args, code] of [
    ['a file that is not there', ['missing.json', 'truth.json'], 'ERR_OPTION'],
    ['a file that is no JSON', ['text.json', 'truth.json'], 'ERR_ANSWER'],
    ['an answer as truth', ['answer.json', 'answer.json'], 'ERR_ANSWER'],
  ] as const) {
    it(`${why}: ${code}`, () => assert.rejects(run(at(args[0]), at(args[1])), { code }));
  }

  it('a time that is no number: ERR_OPTION', () =>
    assert.rejects(run(at('answer.json'), at('truth.json'), '--time', 'soon'), { code: 'ERR_OPTION' }));
});
