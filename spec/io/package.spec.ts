import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
/** What npm sets for scripts of this project must not leak into another one. */
const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));

interface PackedFile {
  readonly path: string;
}

describe('the package', function () {
  this.timeout(600_000);
  let folder = '';
  let tarball = '';
  let files: readonly string[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tikitaka-package-'));
    await run('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: root, env });
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: root,
      env,
      maxBuffer: 1 << 26,
    });
    const packed = JSON.parse(stdout.slice(stdout.indexOf('[')));
    const [first] = packed as readonly { readonly filename: string; readonly files: readonly PackedFile[] }[];
    tarball = join(folder, first?.filename ?? '');
    files = first?.files.map(({ path }) => path) ?? [];
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('holds the program, the weights with their card, and the documents; no sources, specs or training code', () => {
    for (const needed of [
      'dist/src/main.js',
      'dist/operators/index.d.ts',
      'models/weights/MODEL_CARD.md',
      'README.md',
      'CHANGELOG.md',
      'LICENSE',
      '.env.example',
    ]) {
      assert.ok(files.includes(needed), `${needed} is missing`);
    }
    assert.ok(
      files.some((path) => /^models\/weights\/.*\.onnx$/.test(path)),
      'weights are missing',
    );
    assert.deepEqual(
      files.filter((path) => /^(spec|bench|src|operators|models\/training|\.training|demo-out)\//.test(path)),
      [],
    );
  });

  it('installs elsewhere, where its parts can be imported and its command runs', async () => {
    await writeFile(
      join(folder, 'package.json'),
      '{"name":"consumer","version":"1.0.0","type":"module","private":true}',
    );
    const flags = ['--onnxruntime-node-install=skip', '--prefer-offline', '--no-audit', '--no-fund'];
    await run('npm', ['install', tarball, ...flags], { cwd: folder, env, maxBuffer: 1 << 26 });
    const check = `
      const parts = await Promise.all(['tikitaka', 'tikitaka/operators', 'tikitaka/models', 'tikitaka/server'].map((name) => import(name)));
      console.log([parts[0].createEngine, parts[1].rampBatch, parts[2].openModelSet, parts[3].createApp].map((part) => typeof part).join());
      console.log(parts[2].shippedModels().length > 0);`;
    await writeFile(join(folder, 'check.js'), check);
    const { stdout } = await run(process.execPath, ['check.js'], { cwd: folder, env });
    assert.equal(stdout, 'function,function,function,function\ntrue\n');
    const help = await run('npx', ['--no-install', 'tikitaka', '--help'], { cwd: folder, env });
    assert.match(help.stdout, /run .*<file\|url>/s);
    const failed = await run('npx', ['--no-install', 'tikitaka', 'run', '/no/such.mp4'], { cwd: folder, env }).catch(
      (error) => error,
    );
    assert.match(failed.stderr, /ERR_SOURCE/);
  });
});
