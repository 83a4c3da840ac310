import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A command that writes some kilobytes to stdout at once, in a process of its own. */
function writing(stdout: 'pipe' | number) {
  const child = spawn(process.execPath, ['--import=tsx', main, 'diagnose', '--schema'], {
    stdio: ['ignore', stdout, 'pipe'],
  });
  const said: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  return { child, ended: once(child, 'close').then(([code]) => ({ code, err: said.join('') })) };
}

describe('the command line, where stdout cannot be written', function () {
  this.timeout(60_000);

  it('ends with 1 and no word where the reader has gone', async () => {
    const { child, ended } = writing('pipe');
    child.stdout?.destroy();
    assert.deepEqual(await ended, { code: 1, err: '' });
  });

  it('ends with 1 and one line where there is no room', async function () {
    if (!existsSync('/dev/full')) this.skip(); // Linux only
    const full = openSync('/dev/full', 'w');
    const { code, err } = await writing(full).ended;
    closeSync(full);
    assert.deepEqual([code, err], [1, 'ERR_OUTPUT: cannot write to stdout: no space is left\n']);
  });
});
