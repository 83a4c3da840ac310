import assert from 'node:assert/strict';
import { createCostModel, decodeMs, priorSpeeds, wallMs } from '../../../src/plan/index.js';
import { usualSpeeds as speeds } from './clips.js';

const work = { bytes: 100_000, keys: 1, references: 4, late: 10, kept: 2 };

describe('the cost model', () => {
  it('adds up decoding by the kind of frame, and scaling of what is kept', () => {
    assert.equal(decodeMs(speeds, work), 12 + 4 * 6 + 10 * 3 + 2 * 2.2);
  });

  for (const [stage, change, expected] of [
    ['the link', { bytes: 1_000_000 }, 200],
    ['the decoder', {}, 70.4],
    ['the models', { kept: 10 }, 150],
  ] as const) {
    it(`takes as long as the slowest stage: ${stage}`, () =>
      assert.equal(wallMs(speeds, { ...work, ...change }), expected));
  }

  it('lets the models begin with their backlog', () => {
    assert.equal(wallMs(speeds, work, 8), 10 * 15);
  });

  it('starts from figures in proportion to the picture', () => {
    const full = priorSpeeds(1920, 1080, 15);
    const quarter = priorSpeeds(960, 540, 15);
    assert.equal(quarter.keyMs, full.keyMs / 4);
    assert.equal(quarter.scaleMs, full.scaleMs / 4);
    assert.equal(quarter.inferMs, 15);
    assert.equal(quarter.bytesPerMs, full.bytesPerMs);
  });

  it('approaches what it observes, without a jump', () => {
    const cost = createCostModel(speeds);
    const truth = { ...speeds, keyMs: 24, referenceMs: 12, lateMs: 6, scaleMs: 4.4 };
    cost.observeDecode(work, decodeMs(truth, work));
    const first = decodeMs(cost.speeds, work);
    assert.ok(first > decodeMs(speeds, work) && first < decodeMs(truth, work));
    for (let i = 0; i < 20; i++) cost.observeDecode(work, decodeMs(truth, work));
    assert.ok(Math.abs(decodeMs(cost.speeds, work) / decodeMs(truth, work) - 1) < 0.01);
  });

  it('follows the link by what arrives, slowly where little does: that tells of round trips', () => {
    const afterBytes = (bytes: number) => {
      const cost = createCostModel(speeds);
      for (let i = 0; i < 20; i++) cost.observeLink(bytes, bytes / 1000);
      return cost.speeds.bytesPerMs;
    };
    assert.ok(afterBytes(10_000_000) < 1100);
    assert.ok(afterBytes(1000) > 4900);
  });

  it('is not led astray by one wild measurement', () => {
    const cost = createCostModel(speeds);
    cost.observeDecode(work, 1e9);
    assert.ok(decodeMs(cost.speeds, work) < 3 * decodeMs(speeds, work));
    cost.observeLink(1e9, 1e-9);
    assert.ok(cost.speeds.bytesPerMs < 3 * speeds.bytesPerMs);
  });

  it('takes over what the runner predicts and what a round trip took', () => {
    const cost = createCostModel(speeds);
    cost.observeInfer(9);
    cost.observeRtt(30);
    assert.equal(cost.speeds.inferMs, 9);
    assert.equal(cost.speeds.rttMs, 30);
    cost.observeRtt(2400);
    assert.equal(cost.speeds.rttMs, 300, 'a server that thinks first is no slow link');
  });

  it('learns nothing from measurements that say nothing', () => {
    const cost = createCostModel(speeds);
    cost.observeDecode(work, 0);
    cost.observeDecode({ bytes: 0, keys: 0, references: 0, late: 0, kept: 0 }, 10);
    cost.observeLink(0, 10);
    cost.observeLink(10, 0);
    cost.observeRtt(0);
    cost.observeInfer(Number.NaN);
    assert.deepEqual(cost.speeds, speeds);
  });

  it('hands out snapshots that do not change', () => {
    const cost = createCostModel(speeds);
    const before = cost.speeds;
    cost.observeInfer(99);
    assert.equal(before.inferMs, 15);
  });
});
