import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config.js';
import { createLogger } from '../../src/log.js';
import { openModels, withImageSize } from '../../src/model-choice.js';
import { packageRoot } from '../../src/package-root.js';

const weights = fileURLToPath(new URL('models/weights/tikitaka-768x448.onnx', packageRoot));

describe('the size of the pictures', () => {
  // No machine sees 40 frames in 10 ms beyond opening, and every one does in an hour.
  for (const [reason, overrides, width] of [
    ['the smaller one where the budget is short', { TIME_BUDGET_S: '0.26' }, 576],
    ['the full one where it is long', { TIME_BUDGET_S: '3600' }, 768],
    ['the full one in a fixed plan, whatever the machine', { TIME_BUDGET_S: '0.26', PLAN: 'fixed' }, 768],
    ['the one that is asked for', { TIME_BUDGET_S: '0.26', IMG_SIZE: '768' }, 768],
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
    assert.deepEqual(IMG_SIZE, { width: 576, nearest: false });
  });

  it('stays that of models of one’s own, whatever the budget', async () => {
    const overrides = { LOG_LEVEL: 'silent', TIME_BUDGET_S: '0.26', PLAYER_MODEL: weights };
    const config = loadConfig({ env: {}, dotenvPaths: [], overrides });
    assert.equal(await withImageSize(config, createLogger(config)), config);
  });
});
