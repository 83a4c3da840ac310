import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/app/config.js';
import { createLogger } from '../../src/app/log.js';
import { chosenModels, openModels, withImageSize } from '../../src/app/model-choice.js';
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
