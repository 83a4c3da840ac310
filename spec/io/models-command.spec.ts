import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { modelsCommand } from '../../src/cli/models.js';
import { side } from '../support/models.js';
import { constantModel } from '../support/onnx-builder.js';

describe('tikitaka models', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tikitaka-command-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const put = (name: string, content: string | Uint8Array) => {
    const file = join(folder, name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
    return file;
  };
  /** One person at a quarter of the picture, whatever it shows. */
  const model = put(
    'mine.onnx',
    constantModel({ width: side, height: side, layout: 'nchw', dtype: 'float32' }, [
      { name: 'output0', dims: [5, 1], values: [8, 8, 8, 8, 0.9] },
    ]),
  );
  put(
    'mine.json',
    JSON.stringify({
      version: 1,
      name: 'mine',
      input: {
        width: side,
        height: side,
        layout: 'nchw',
        dtype: 'float32',
        normalise: { divisor: 255 },
        fit: 'stretch',
      },
      output: { layout: 'yolo-detect', classes: { 0: 'player' } },
    }),
  );
  put('labels/objects/a_1.txt', '2 0.5 0.5 0.5 0.5\n');
  put('labels/objects/a_2.txt', '2 0.5 0.5 0.5 0.5\n2 0.1 0.1 0.1 0.1\n');

  async function run(...args: string[]): Promise<{ out: string; err: string }> {
    const written = { out: '', err: '' };
    const { stdout, stderr } = process;
    const writes = { out: stdout.write, err: stderr.write };
    stdout.write = (text: string | Uint8Array) => {
      written.out += text;
      return true;
    };
    stderr.write = (text: string | Uint8Array) => {
      written.err += text;
      return true;
    };
    try {
      const command = modelsCommand();
      for (const child of command.commands) child.exitOverride();
      await command.parseAsync(args, { from: 'user' });
    } finally {
      stdout.write = writes.out;
      stderr.write = writes.err;
    }
    return written;
  }

  it('list: what ships', async () => {
    const shipped: { name: string; family: string; size: string }[] = JSON.parse((await run('list', '--json')).out);
    assert.deepEqual(
      shipped.map(({ name, family, size }) => [name, family, size]),
      [
        ['tikitaka-960x544', 'accurate', '960×544'],
        ['tikitaka-768x448', 'fast', '768×448'],
        ['tikitaka-576x320', 'fast', '576×320'],
      ],
    );
    assert.match((await run('list')).out, /tikitaka-768x448 .*MODEL=fast/);
  });

  it('info: what a file says of itself', async () => {
    const { inputs, outputs, description } = JSON.parse((await run('info', model, '--json')).out);
    assert.deepEqual([inputs[0].dims, outputs[0].name, description.name], [['N', 3, side, side], 'output0', 'mine']);
    assert.match((await run('info', model)).out, /images float32 \[N, 3, 16, 16\]/);
    await assert.rejects(run('info', join(folder, 'none.onnx')), { code: 'ERR_MODEL_LOAD' });
  });

  it('check: loads it, runs it once and says where', async () => {
    const { ok, device, model: name } = JSON.parse((await run('check', model, '--device', 'cpu', '--json')).out);
    assert.deepEqual([ok, device, name], [true, 'cpu', 'mine']);
    await assert.rejects(run('check', put('bare.onnx', '')), { code: 'ERR_MODEL_DESCRIPTION' });
    await assert.rejects(run('check', model, '--device', 'tpu'), { code: 'ERR_CONFIG' });
    await assert.rejects(run('check', '--set', 'ORT_THREADS=many', model), /ORT_THREADS="many"/);
  });

  it('evaluate: decodes the pictures, runs the model and measures; only results on stdout', async () => {
    for (const name of ['a_1', 'a_2']) {
      const canvas = createCanvas(64, 48);
      canvas.getContext('2d').fillRect(0, 0, 32, 48);
      put(`images/${name}.jpg`, canvas.toBuffer('image/jpeg'));
    }
    const { out, err } = await run('evaluate', folder, '--model', model, '--device', 'cpu', '--json');
    const { classes, person, images, intervals } = JSON.parse(out);
    assert.deepEqual(images, { objects: 2, pitch: 0 });
    assert.deepEqual([classes.player.truths, classes.player.precision], [3, 1]);
    assert.ok(Math.abs(classes.player.ap - 2 / 3) < 1e-9 && Math.abs(person.ap - 2 / 3) < 1e-9);
    assert.deepEqual(intervals.objects.player, [0.5, 1]);
    assert.match(err, /mine runs on cpu/);
    const { out: text } = await run('evaluate', folder, '--model', model, '--device', 'cpu');
    assert.match(text, /player +AP50 0\.667/);
    assert.match(text, /description "thresholds": \{ "player": 0\.89 \}/);
  });
});
