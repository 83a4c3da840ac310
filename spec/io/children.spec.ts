import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { openModelRunner } from '../../models/index.js';
import { openBenchProcess } from '../../src/cli/bench-process.js';
import { findFfmpeg, startFfmpeg } from '../../src/decode/ffmpeg.js';
import { createFarServer } from '../../src/tools/demo/far-server.js';
import { generateClip } from '../../src/tools/demo/generate.js';
import { CDN } from '../../src/tools/demo/situation.js';
import { flat, modelFolder, slowDescription, slowFile } from '../support/models.js';

/** Our children that run Node, as the system knows them; the loader of these specs has one of its own, which does not. */
function children(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return parent === process.pid && readlinkSync(`/proc/${pid}/exe`) === realpathSync(process.execPath);
      } catch {
        return false;
      }
    })
    .map(Number);
}

const environmentOf = (pid: number): Record<string, string> =>
  Object.fromEntries(
    readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .filter(Boolean)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );

describe('what child processes know, and what they leave behind', function () {
  this.timeout(120_000);
  const models = modelFolder();
  const folder = mkdtempSync(join(tmpdir(), 'tikitaka-children-'));
  const clips = mkdtempSync(join(tmpdir(), 'tikitaka-children-clips-'));
  const usual = { ...process.env };

  before(function () {
    if (!existsSync('/proc/self/environ')) this.skip();
    Object.assign(process.env, { WALLET_PASSWORD: 'open sesame', PRIVATE_THING: 'x', LC_TIME: 'C', TMPDIR: folder });
    // ONNX Runtime itself is silent where it believes to be tested.
    delete process.env.CI;
  });
  after(() => {
    for (const name of Object.keys(process.env)) if (!(name in usual)) delete process.env[name];
    Object.assign(process.env, usual);
    for (const made of [folder, clips]) rmSync(made, { recursive: true, force: true });
  });

  const clip = async () =>
    (await generateClip({ seed: 3, seconds: 1, width: 320, height: 180, cacheFolder: clips })).path;

  const judge = (environment: Record<string, string>, more: readonly string[] = []) => {
    assert.equal(environment.WALLET_PASSWORD, undefined);
    assert.equal(environment.PRIVATE_THING, undefined);
    const { LC_TIME, TMPDIR, ORT_DISABLE_TELEMETRY, PATH } = environment;
    assert.deepEqual(
      { LC_TIME, TMPDIR, ORT_DISABLE_TELEMETRY, PATH },
      { LC_TIME: 'C', TMPDIR: folder, ORT_DISABLE_TELEMETRY: '1', PATH: process.env.PATH },
    );
    for (const name of more) assert.equal(environment[name], process.env[name]);
  };

  /** What `open` starts knows the right things. */
  async function judgeChildOf<T>(
    open: () => Promise<T>,
    close: (opened: T) => Promise<unknown>,
    more?: readonly string[],
  ) {
    const others = new Set(children());
    const opened = await open();
    try {
      const [pid, ...rest] = children().filter((child) => !others.has(child));
      assert.deepEqual(rest, []);
      judge(environmentOf(pid ?? 0), more);
    } finally {
      await close(opened);
    }
  }

  it('a model process, which leaves no file in the temp folder', async () => {
    const file = models.write('quick.onnx', slowFile(1));
    const options = { file, description: slowDescription, device: 'cpu', batchSize: 1, spare: false } as const;
    await judgeChildOf(
      async () => {
        const runner = await openModelRunner(options);
        await lastValueFrom(runner.run([flat(0)], () => undefined));
        return runner;
      },
      (runner) => runner.close(),
    );
    // The loader of these specs keeps what it has compiled.
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.startsWith('tsx-')),
      [],
    );
  });

  it('the far server of the demo', () =>
    judgeChildOf(
      () => createFarServer({ files: {}, link: CDN, protocol: 'http/1.1' }),
      (server) => server.close(),
    ));

  it('a measuring process, which also reads the configuration', async () => {
    process.env.ORT_THREADS = '1';
    const target = await clip();
    const overrides = { IMG_SIZE: '576', LOG_LEVEL: 'silent' } as const;
    await judgeChildOf(
      () => openBenchProcess({ type: 'load', target, overrides }, new AbortController().signal),
      (bench) => bench.close(),
      ['ORT_THREADS'],
    );
  });

  it('ffmpeg, asked for its version and decoding', async () => {
    const { path } = await findFfmpeg();
    const log = join(folder, 'environment');
    const wrapper = join(folder, 'ffmpeg');
    writeFileSync(wrapper, `#!/bin/sh\nenv -0 >> "${log}"\nexec "${path}" "$@"\n`);
    chmodSync(wrapper, 0o755);
    const binary = await findFfmpeg({ path: wrapper });
    const run = startFfmpeg({
      binary,
      source: { url: await clip() },
      maxPixels: 1e6,
      threads: 1,
      filters: ['scale=64:48'],
      onComplaint: () => undefined,
    });
    await run.next(new Uint8Array(64 * 48 * 3));
    await run.kill();
    const seen = readFileSync(log, 'utf8').split('\0');
    const starts = seen.filter((pair) => pair.startsWith('PATH=')).length;
    assert.ok(starts >= 2, `${starts} children`);
    assert.equal(seen.filter((pair) => pair === 'ORT_DISABLE_TELEMETRY=1').length, starts);
    assert.deepEqual(
      seen.filter((pair) => /WALLET|PRIVATE/.test(pair)),
      [],
    );
  });
});
