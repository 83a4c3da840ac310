import assert from 'node:assert/strict';
import fc from 'fast-check';
import { deviceOrder, fellBack, reportLine } from '../../../models/runtime/devices.js';
import { floatsOf, floatToHalf, halfToFloat } from '../../../models/runtime/floats.js';
import { Predictor } from '../../../models/runtime/predictor.js';
import { packFindings, unpackFindings } from '../../../models/runtime/protocol.js';

describe('Predictor', () => {
  const warm = [
    [1, 10],
    [2, 16],
    [4, 30],
  ] as const;

  it('knows the warmed sizes, lies between them on a line, and grows in proportion beyond them', () => {
    const predictor = new Predictor(warm, false);
    assert.deepEqual(
      [1, 2, 3, 4, 8].map((n) => predictor.predictMs(n)),
      [10, 16, 23, 30, 60],
    );
    assert.equal(new Predictor([[4, 40]], false).predictMs(1), 10);
  });

  it('takes the next warmed size where runs are padded', () => {
    const predictor = new Predictor(warm, true);
    assert.deepEqual(
      [1, 2, 3, 4].map((n) => predictor.predictMs(n)),
      [10, 16, 30, 30],
    );
  });

  it('follows the runs, for all sizes alike', () => {
    const predictor = new Predictor(warm, false);
    for (let run = 0; run < 30; run++) predictor.observe(2, 32);
    assert.ok(Math.abs(predictor.predictMs(1) - 20) < 0.1 && Math.abs(predictor.predictMs(4) - 60) < 0.3);
    for (let run = 0; run < 30; run++) predictor.observe(4, 30);
    assert.ok(Math.abs(predictor.predictMs(1) - 10) < 0.1);
  });

  it('is not thrown off by one hiccup', () => {
    const predictor = new Predictor(warm, false);
    predictor.observe(1, 10_000);
    assert.ok(predictor.predictMs(1) <= 20);
  });

  it('stays finite and positive whatever is observed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 64 }), fc.double({ min: 0, max: 1e6, noNaN: true }))),
        (runs) => {
          const predictor = new Predictor(warm, false);
          for (const [size, ms] of runs) predictor.observe(size, ms);
          const ms = predictor.predictMs(3);
          assert.ok(Number.isFinite(ms) && ms > 0);
        },
      ),
    );
  });
});

describe('deviceOrder', () => {
  const table = [
    { choice: 'auto', platform: 'linux', order: ['cuda', 'cpu'] },
    { choice: 'auto', platform: 'win32', order: ['dml', 'cpu'] },
    { choice: 'auto', platform: 'darwin', order: ['coreml', 'cpu'] },
    { choice: 'auto', platform: 'freebsd', order: ['cpu'] },
    { choice: 'cpu', platform: 'linux', order: ['cpu'] },
    { choice: 'tensorrt', platform: 'linux', order: ['tensorrt', 'cuda', 'cpu'] },
    { choice: 'cuda', platform: 'linux', order: ['cuda', 'cpu'] },
    { choice: 'webgpu', platform: 'linux', order: ['webgpu', 'cpu'] },
  ] as const;
  for (const { choice, platform, order } of table) {
    it(`${choice} on ${platform}: ${order.join(', ')}`, () => assert.deepEqual(deviceOrder(choice, platform), order));
  }

  it('is told in one line, with the reasons why others are not used', () => {
    const line = reportLine({
      model: 'ours',
      file: 'ours.onnx',
      device: 'cpu',
      threads: 2,
      maxBatch: 8,
      oneMs: 12.34,
      fullMs: 90,
      passedOver: [{ device: 'cuda', reason: 'no library' }],
      half: false,
      notes: ['no half precision on it'],
      fellBack: false,
    });
    assert.equal(
      line,
      'ours runs on cpu, 2 threads, 12.3 ms a picture, 90 ms a batch of 8; cuda not used: no library; no half precision on it',
    );
  });
});

describe('fellBack', () => {
  const table = [
    { why: 'asked for by name', choice: 'cuda', device: 'cpu', platform: 'linux', card: false, expected: true },
    { why: 'the next best of it', choice: 'tensorrt', device: 'cuda', platform: 'linux', card: true, expected: true },
    { why: 'as asked for', choice: 'cuda', device: 'cuda', platform: 'linux', card: true, expected: false },
    {
      why: 'the processor, as asked for',
      choice: 'cpu',
      device: 'cpu',
      platform: 'linux',
      card: true,
      expected: false,
    },
    { why: 'there is no card', choice: 'auto', device: 'cpu', platform: 'linux', card: false, expected: false },
    { why: 'there is a card', choice: 'auto', device: 'cpu', platform: 'linux', card: true, expected: true },
    {
      why: 'there always is something',
      choice: 'auto',
      device: 'cpu',
      platform: 'darwin',
      card: false,
      expected: true,
    },
    { why: 'nothing is known of it', choice: 'auto', device: 'cpu', platform: 'freebsd', card: true, expected: false },
  ] as const;
  for (const { why, choice, device, platform, card, expected } of table) {
    it(`${choice} on ${platform} is ${device}: ${expected ? 'a warning' : 'none'}, ${why}`, () => {
      assert.equal(fellBack(choice, device, { platform, exists: () => card }), expected);
    });
  }
});

describe('findings on the control channel', () => {
  it('come out as they went in', () => {
    const float = fc.float({ min: 0, max: 4096, noNaN: true });
    const score = fc.float({ min: 0, max: 1, noNaN: true });
    const detection = fc.record(
      {
        classId: fc.constantFrom(0, 1, 2, 3),
        score,
        boxXyxyPx: fc.tuple(float, float, float, float),
        roleScores: fc.tuple(score, score, score),
      },
      { requiredKeys: ['classId', 'score', 'boxXyxyPx'] },
    );
    const keyPoint = fc.record({ xPx: float, yPx: float, score });
    const finding = fc.record({
      detections: fc.array(detection, { maxLength: 5 }),
      keyPoints: fc.oneof(fc.constant([]), fc.array(keyPoint, { minLength: 32, maxLength: 32 })),
    });
    fc.assert(
      fc.property(fc.array(finding, { maxLength: 4 }), (findings) => {
        assert.deepEqual(unpackFindings(packFindings(findings as never)), JSON.parse(JSON.stringify(findings)));
      }),
    );
  });
});

describe('floatsOf', () => {
  it('writes every half as it was read, what lies between as the nearest, and nothing as infinite or 0', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      for (const signed of [bits, bits | 0x8000]) assert.equal(floatToHalf(halfToFloat(signed)), signed);
    }
    const between = fc.tuple(fc.nat(0x7bfe), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(between, ([bits, share]) => {
        const [low, high] = [halfToFloat(bits), halfToFloat(bits + 1)];
        const value = low + share * (high - low);
        const nearest = halfToFloat(floatToHalf(value));
        assert.ok(Math.abs(nearest - value) <= (high - low) / 2 || (bits === 0 && nearest === high));
      }),
    );
    const table: [value: number, bits: number][] = [
      [1e9, 0x7bff],
      [Number.NEGATIVE_INFINITY, 0xfbff],
      [1e-12, 1],
      [-1e-12, 0x8001],
      // Exactly between two: the even one.
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
    ];
    for (const [value, bits] of table) assert.equal(floatToHalf(value), bits, `${value}`);
    assert.ok(Number.isNaN(halfToFloat(floatToHalf(Number.NaN))));
  });

  it('reads half precision', () => {
    const table: [bits: number, value: number][] = [
      [0x0000, 0],
      [0x3c00, 1],
      [0xc000, -2],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x0001, 2 ** -24],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0xfc00, Number.NEGATIVE_INFINITY],
    ];
    for (const [bits, value] of table) assert.equal(halfToFloat(bits), value);
    assert.ok(Number.isNaN(halfToFloat(0x7c01)));
    assert.deepEqual([...floatsOf(Uint16Array.of(0x3c00, 0xc000), 'float16')], [1, -2]);
  });

  it('passes floats through and turns whole numbers into floats', () => {
    const floats = Float32Array.of(1.5);
    assert.equal(floatsOf(floats, 'float32'), floats);
    assert.deepEqual([...floatsOf(BigInt64Array.of(3n, -1n), 'int64')], [3, -1]);
    assert.deepEqual([...floatsOf(Uint16Array.of(7), 'uint16')], [7]);
  });
});
