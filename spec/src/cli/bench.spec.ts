import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../src/app/config.js';
import { createLogger } from '../../../src/app/log.js';
import { benchCommand } from '../../../src/cli/bench.js';
import { gridOf } from '../../../src/cli/bench-grid.js';

describe('tikitaka bench, before it measures', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tikitaka-bench-'));
    writeFileSync(join(folder, 'no-truth.json'), '{"frames":[]}');
    writeFileSync(join(folder, 'text.json'), 'no JSON');
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [why, args, code] of [
    ['a size that the model does not have', ['--sizes', '700'], 'ERR_OPTION'],
    ['a batch that is no number', ['--batches', '1,few'], 'ERR_OPTION'],
    ['a stride below 1', ['--strides', '0'], 'ERR_OPTION'],
    ['a pitch that is neither on nor off', ['--pitch', 'maybe'], 'ERR_OPTION'],
    ['no repetition', ['--repetitions', '0'], 'ERR_OPTION'],
    ['a chart of another kind', ['--chart', 'a.gif'], 'ERR_OPTION'],
    ['a folder that is not there', ['--json', 'none/a.json'], 'ERR_OPTION'],
    ['a truth that is not there', ['--truth', 'none.json'], 'ERR_OPTION'],
    ['a truth without frames', ['--truth', 'no-truth.json'], 'ERR_ANSWER'],
    ['a truth that is no JSON', ['--truth', 'text.json'], 'ERR_ANSWER'],
    ['a malformed setting', ['--budget', 'soon'], 'ERR_CONFIG'],
  ] as const) {
    it(`${why}: ${code}`, () => {
      const [name, value] = args;
      const isPath = value.endsWith('.json');
      const given = [join(folder, 'text.json'), '--quiet', name, isPath ? join(folder, value) : value];
      return assert.rejects(benchCommand().exitOverride().parseAsync(given, { from: 'user' }), { code });
    });
  }
});

describe('gridOf', () => {
  const grid = (env: Readonly<Record<string, string>>, options: Parameters<typeof gridOf>[1] = {}) => {
    const config = loadConfig({ env: { LOG_LEVEL: 'silent', ...env }, dotenvPaths: [] });
    return gridOf(config, options, createLogger(config));
  };

  it('takes the present setting as its reference', () => {
    const env = { IMG_SIZE: '576', BATCH_SIZE: '8', FRAME_STRIDE: '3', TIME_BUDGET_S: '1.5', SKIP_PITCH: '1' };
    const reference = { model: 'fast', widthPx: 576, batch: 8, stride: 3, budgetS: 1.5, pitch: false };
    assert.deepEqual(grid(env).reference, reference);
  });

  it('goes over all sizes that ship', () => {
    const widths = new Set(grid({}, { quick: true }).settings.map(({ model, widthPx }) => `${model} ${widthPx}`));
    assert.deepEqual([...widths].sort(), ['accurate 960', 'fast 576', 'fast 768']);
  });

  it('keeps to the lists that are given', () => {
    const options = { all: true, batches: '1,4', strides: 'auto, 2', sizes: '768', budgets: '2', pitch: 'on' };
    const { settings } = grid({ BATCH_SIZE: '4' }, options);
    assert.deepEqual(settings.map(({ batch, stride }) => `${batch} ${stride}`).sort(), [
      '1 2',
      '1 auto',
      '4 2',
      '4 auto',
    ]);
  });
});
