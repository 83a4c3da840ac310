import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { isAlive, slowDescription, slowFile } from '../support/models.js';

/*
 * The built package, in processes of its own: plain JavaScript without a loader, and every way in which a process ends.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Types stripped, as `npm run build` leaves the files in `dist`. */
function build(target: string): void {
  for (const layer of ['operators', 'models']) {
    for (const name of readdirSync(join(root, layer), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const { outputText } = ts.transpileModule(readFileSync(join(root, layer, name), 'utf8'), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, verbatimModuleSyntax: true },
      });
      const out = join(target, layer, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(out), { recursive: true });
      writeFileSync(out, outputText);
    }
  }
  writeFileSync(join(target, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'));
}

describe('model processes of a built program', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tikitaka-built-'));
  before(() => {
    build(folder);
    // White pictures take minutes: whoever is gone before was ended.
    writeFileSync(join(folder, 'slow.onnx'), slowFile());
    writeFileSync(join(folder, 'description.json'), JSON.stringify(slowDescription));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs `body` after a runner was opened; resolves when the program has ended, with the ids it printed. */
  async function program(body: string, onPids?: (parent: number) => void) {
    const script = join(folder, 'program.js');
    writeFileSync(
      script,
      `import { readFileSync } from 'node:fs';
       import { lastValueFrom } from 'rxjs';
       import { openModelRunner } from './models/index.js';
       const runner = await openModelRunner({
         file: '${join(folder, 'slow.onnx')}', device: 'cpu', batchSize: 1, spare: false,
         description: JSON.parse(readFileSync('${join(folder, 'description.json')}', 'utf8')),
       });
       const picture = (brightness) => ({ pixels: new Uint8Array(768).fill(brightness), sourceWidth: 16, sourceHeight: 16 });
       const run = (brightness) => lastValueFrom(runner.run([picture(brightness)], () => undefined));
       console.log(JSON.stringify(runner.pids()));
       ${body}`,
    );
    const child = spawn(process.execPath, [script], { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes(']')) onPids?.(child.pid ?? 0);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    const [code, signal] = await once(child, 'close');
    const pids: number[] = JSON.parse(output.slice(0, output.indexOf(']') + 1) || '[]');
    assert.equal(pids.length, 1, errors);
    return { code, signal, pids, output };
  }

  /** The last signal of a dying process may still be on its way when the program is gone; one that stays lets the test run out of time. */
  async function areGone(pids: readonly number[]): Promise<void> {
    while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  it('ends by itself with 0 after close, with nothing left', async () => {
    const { code, pids, output } = await program(
      'const [finding] = await run(0); console.log(JSON.stringify(finding)); await runner.close();',
    );
    assert.equal(code, 0);
    assert.match(output, /"detections":\[\]/);
    await areGone(pids);
  });

  it('closes while an inference runs, at once and with 0', async () => {
    const { code, pids } = await program(
      'const busy = run(255).catch((e) => console.log(e.code)); await runner.close(); await busy;',
    );
    assert.equal(code, 0);
    await areGone(pids);
  });

  it('exits while an inference runs, with its own code', async () => {
    const { code, pids } = await program('run(255); setTimeout(() => process.exit(3), 20);');
    assert.equal(code, 3);
    await areGone(pids);
  });

  it('takes its processes along when it is killed', async () => {
    const { signal, pids } = await program('setInterval(() => {}, 1000);', (parent) => process.kill(parent, 'SIGKILL'));
    assert.equal(signal, 'SIGKILL');
    await areGone(pids);
  });
});
