import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { benchSchema } from '../../src/tools/bench/result.js';
import { type GeneratedClip, generateClip } from '../../src/tools/demo/generate.js';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A busy machine comes to the end of the clip too, and a batch of 1 is warm at once. */
const env = { ...process.env, IMG_SIZE: '576', BATCH_SIZE: '1', TIME_BUDGET_S: '20', LOG_LEVEL: 'warn' };

/** The command in a process group of its own, as in a terminal. */
function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import=tsx', main, 'bench', ...args], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  let all = '';
  for await (const chunk of stream ?? []) all += chunk;
  return all;
}

async function run(args: readonly string[]) {
  const child = start(args);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code, out, err };
}

describe('tikitaka bench', function () {
  this.timeout(240_000);
  let folder = '';
  let clip: GeneratedClip;
  const at = (name: string) => join(folder, name);
  const resultIn = async (name: string) => benchSchema.parse(JSON.parse(await readFile(at(name), 'utf8')));
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-bench-'));
    clip = await generateClip({ seed: 3, seconds: 0.4, width: 320, height: 180, gop: 10, cacheFolder: folder });
  });
  after(() => rm(folder, { recursive: true }));

  const twoCells = ['--batches', '1', '--strides', 'auto', '--sizes', '576', '--budgets', '20', '--pitch', 'off'];

  it('measures two cells, judges, recommends and confirms, and writes JSON and chart', async () => {
    const outputs = ['--json', at('a.json'), '--chart', at('a.png')];
    const truth = ['--truth', clip.truthPath, '--fastest', '0.1'];
    const { code, out, err } = await run([clip.path, ...twoCells, ...truth, ...outputs, '--repetitions', '1']);
    assert.equal(code, 0, err);
    const { cells, reference, baseline, confirmation, recommended, interrupted } = await resultIn('a.json');
    assert.deepEqual(cells.map(({ setting }) => setting.pitch).sort(), [false, true]);
    assert.equal(reference.runs, 3);
    for (const { frames, measured, quality, peakBytes, stoppedBy } of cells) {
      assert.deepEqual([frames, measured, stoppedBy], [10, 10, 'end']);
      assert.ok(quality && quality.personF1 > 0, JSON.stringify(quality));
      if (process.platform === 'linux') assert.ok(peakBytes && peakBytes > 2e8, `${peakBytes} bytes`);
    }
    assert.deepEqual([baseline?.measured, baseline?.isCut, interrupted], [10, false, false]);
    assert.ok(confirmation && recommended);
    assert.match(out, /^ {2}IMG_SIZE=576$/m);
    assert.equal((await readFile(at('a.png'))).subarray(1, 4).toString(), 'PNG');
  });

  it('keeps what was measured when interrupted, exits with 130 and leaves no process behind', async () => {
    const child = start([
      clip.path,
      '--batches',
      '1,2',
      '--strides',
      '1,2,3',
      '--json',
      at('b.json'),
      '--repetitions',
      '1',
    ]);
    const group = -(child.pid ?? 0);
    const out = text(child.stdout);
    let err = '';
    child.stderr?.on('data', (chunk) => {
      // The line of the first cell; what comes next has just begun.
      if (!err.includes('FPS') && `${err}${chunk}`.includes('FPS')) process.kill(group, 'SIGINT');
      err += chunk;
    });
    const [code] = await once(child, 'exit');
    assert.equal(code, 130, err);
    const { interrupted, cells, cut } = await resultIn('b.json');
    assert.equal(interrupted, true);
    assert.equal(cells.length, 2);
    assert.ok(cut.length > 0 && cut.every(({ reason }) => reason === 'interrupted'));
    assert.match(await out, /INTERRUPTED/);
    await goneWithin(10_000, group);
  });

  it('ends with the error of a clip that cannot be read', async () => {
    const { code, out, err } = await run([at('none.mp4'), '--quiet']);
    assert.match(err, /^ERR_SOURCE/m);
    assert.deepEqual([code, out], [1, '']);
  });
});

/** What a loader or a killed grandchild leaves ends a moment after us. */
async function goneWithin(ms: number, group: number): Promise<void> {
  const untilMs = performance.now() + ms;
  for (;;) {
    try {
      process.kill(group, 0);
    } catch (error) {
      return assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
    }
    assert.ok(performance.now() < untilMs, 'processes are left');
    await setTimeout(50);
  }
}
