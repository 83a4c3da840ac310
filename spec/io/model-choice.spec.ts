import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ModelSetOptions, reportLine } from '../../models/index.js';
import { cacheFolder } from '../../src/app/cache-folder.js';
import { type ConfigKey, loadConfig } from '../../src/app/config.js';
import { createLogger } from '../../src/app/log.js';
import { chosenModels, modelSetOptions, openModels, withImageSize } from '../../src/app/model-choice.js';
import { packageRoot } from '../../src/app/package-root.js';

const weights = fileURLToPath(new URL('models/weights/tikitaka-768x448.onnx', packageRoot));

describe('the size of the pictures', () => {
  // No machine sees 40 frames in 10 ms beyond opening, and every one does in an hour.
  for (const [reason, overrides, width] of [
    ['the smaller one where the budget is short', { TIME_BUDGET_S: '0.26' }, 576],
    ['the full one where it is long', { TIME_BUDGET_S: '3600' }, 768],
    ['the full one in a fixed plan, whatever the machine', { TIME_BUDGET_S: '0.26', PLAN: 'fixed' }, 768],
    ['the one that is asked for', { TIME_BUDGET_S: '0.26', IMG_SIZE: '768' }, 768],
    ['the nearest to the one that is asked for', { TIME_BUDGET_S: '3600', IMG_SIZE: '416' }, 576],
  ] as const) {
    it(`is ${reason}`, async () => {
      const config = loadConfig({ env: {}, dotenvPaths: [], overrides: { LOG_LEVEL: 'silent', ...overrides } });
      const models = await openModels(config, createLogger(config));
      try {
        assert.equal(models.input.width, width);
      } finally {
        await models.close();
      }
    });
  }

  it('is told to the tools that vary it', async () => {
    const overrides = { LOG_LEVEL: 'silent', TIME_BUDGET_S: '0.26' };
    const config = loadConfig({ env: {}, dotenvPaths: [], overrides });
    const { IMG_SIZE } = await withImageSize(config, createLogger(config));
    assert.deepEqual(IMG_SIZE, { width: 576, nearest: false, tell: false });
  });

  for (const [size, notice] of [
    ['416', 'IMG_SIZE=416: no model has this width, the nearest is taken: 576×320'],
    ['576', undefined],
    ['~416', undefined],
  ] as const) {
    it(`${size} ${notice ? 'is told to be another' : 'needs no word'}`, () => {
      const config = loadConfig({ env: {}, dotenvPaths: [], overrides: { IMG_SIZE: size } });
      assert.equal(chosenModels(config).sizeNotice, notice);
    });
  }

  it('416! is refused with the list of those that there are', () => {
    const config = loadConfig({ env: {}, dotenvPaths: [], overrides: { IMG_SIZE: '416!' } });
    assert.throws(() => chosenModels(config), { code: 'ERR_OPTION', message: /has no input 416 .* 768×448, 576×320/ });
  });

  it('stays that of models of one’s own, whatever the budget', async () => {
    const overrides = { LOG_LEVEL: 'silent', TIME_BUDGET_S: '0.26', PLAYER_MODEL: weights };
    const config = loadConfig({ env: {}, dotenvPaths: [], overrides });
    assert.equal(await withImageSize(config, createLogger(config)), config);
  });
});

describe('settings of the sessions', () => {
  const optionsFor = (overrides: Partial<Record<ConfigKey, string>>) => {
    const config = loadConfig({
      env: { HOME: '/home' },
      dotenvPaths: [],
      overrides: { LOG_LEVEL: 'silent', ...overrides },
    });
    return modelSetOptions(config, createLogger(config));
  };
  const table: [overrides: Partial<Record<ConfigKey, string>>, expected: Partial<ModelSetOptions>][] = [
    [{}, { graphOptimization: 'all', memoryArena: true, fp16: false, weakest: 0.12 }],
    [{ ORT_GRAPH_OPTIMIZATION: 'extended' }, { graphOptimization: 'extended' }],
    [{ ORT_MEMORY_ARENA: '0' }, { memoryArena: false }],
    [{ MODEL_MEMORY_MB: '600' }, { maxRssBytes: 600e6 }],
    [{ GPU_MEMORY_MB: '2000' }, { gpuMemoryBytes: 2e9 }],
    [{ FP16: '1' }, { fp16: true }],
    [{ ORT_THREADS: '3' }, { threads: 3 }],
    [{ TENSORRT_CACHE_DIR: '/engines' }, { engineCacheDir: '/engines' }],
    [{}, { engineCacheDir: join(cacheFolder(), 'tensorrt') }],
  ];
  for (const [overrides, expected] of table) {
    it(`${JSON.stringify(overrides)} becomes ${JSON.stringify(expected)}`, () => {
      const options = optionsFor(overrides);
      assert.deepEqual({ ...options, ...expected }, options);
    });
  }

  it('say nothing of what is not set, and of no folder where engines are not to be kept', () => {
    const options = optionsFor({ TENSORRT_CACHE_DIR: 'off' });
    for (const name of ['engineCacheDir', 'maxRssBytes', 'gpuMemoryBytes']) assert.ok(!(name in options), name);
  });

  it('have a start that tells what this device cannot give', async () => {
    const config = loadConfig({
      env: {},
      dotenvPaths: [],
      overrides: { DEVICE: 'cpu', FP16: '1', GPU_MEMORY_MB: '100' },
    });
    const models = await openModels(config, createLogger({ ...config, LOG_LEVEL: 'silent' }), false);
    await models.close();
    const [report] = models.reports;
    assert.equal(report?.notes.length, 2);
    assert.match(report ? reportLine(report) : '', /no half precision: .*; no limit of GPU memory: cpu has none/);
  });
});
