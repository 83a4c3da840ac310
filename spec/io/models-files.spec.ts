import assert from 'node:assert/strict';
import { lastValueFrom } from 'rxjs';
import { type ModelRunnerOptions, openModelRunner } from '../../models/index.js';
import { describeModel, flat, modelFolder, side, slowDescription, slowFile } from '../support/models.js';
import { buildModel, constantModel } from '../support/onnx-builder.js';

describe('model files', () => {
  const folder = modelFolder();
  const input = { width: side, height: side, layout: 'nhwc', dtype: 'uint8' } as const;
  const good = slowFile(1);
  const options = { description: slowDescription, device: 'cpu', batchSize: 1, spare: false } as const;

  const open = async (more: Partial<ModelRunnerOptions> & { file: string }) => {
    const runner = await openModelRunner({ ...options, ...more });
    await runner.close();
  };

  const table: { why: string; bytes: Uint8Array | string; code: string; says: RegExp[] }[] = [
    {
      why: 'a truncated file',
      bytes: good.subarray(0, good.length - 40),
      code: 'ERR_MODEL_LOAD',
      says: [/no complete ONNX file/],
    },
    {
      why: 'an operator set that the runtime does not know',
      bytes: buildModel({
        inputs: [{ name: 'images', dtype: 'uint8', dims: ['N', side, side, 3] }],
        outputs: [{ name: 'output0', dtype: 'float32', dims: ['N', side, side, 3] }],
        nodes: [{ op: 'Cast', inputs: ['images'], outputs: ['output0'], attributes: { to: 1 } }],
        opset: 900,
      }),
      code: 'ERR_MODEL_LOAD',
      says: [/opset/i],
    },
    {
      why: 'another picture size: both shapes are named',
      bytes: constantModel({ ...input, width: 32, height: 32 }, [
        { name: 'output0', dims: [5, 1], values: [0, 0, 0, 0, 0] },
      ]),
      code: 'ERR_MODEL_SHAPE',
      says: [/uint8 \[N, 16, 16, 3\]/, /images uint8 \[N, 32, 32, 3\]/],
    },
    {
      why: 'an output of another shape',
      bytes: constantModel(input, [{ name: 'output0', dims: [4], values: [0, 0, 0, 0] }]),
      code: 'ERR_MODEL_SHAPE',
      says: [/\[N, \?, \?\]/, /\[1, 4\]/],
    },
  ];
  for (const { why, bytes, code, says } of table) {
    it(`refuses ${why}`, async () => {
      const file = folder.write(`${why.split(' ')[1]}.onnx`, bytes);
      await assert.rejects(open({ file }), (error: Error & { code?: string }) => {
        assert.equal(error.code, code, error.message);
        for (const expected of says) assert.match(error.message, expected);
        return true;
      });
    });
  }

  it('refuses a file that does not exist', () =>
    assert.rejects(open({ file: '/nowhere.onnx' }), { code: 'ERR_MODEL_LOAD' }));

  it('pads the batch of a file whose batch size is fixed', async () => {
    const yolo = [8, 8, 4, 4, 0.9];
    const file = folder.write(
      'fixed.onnx',
      constantModel({ ...input, batch: 3 }, [{ name: 'output0', dims: [5, 1], values: yolo }]),
    );
    const runner = await openModelRunner({
      ...options,
      description: describeModel({ ...input, fit: 'stretch' }, { layout: 'yolo-detect', classes: { 0: 'ball' } }),
      file,
      batchSize: 8,
    });
    try {
      assert.equal(runner.maxBatch, 3);
      const findings = await lastValueFrom(runner.run([flat(1), flat(1)], () => undefined));
      assert.deepEqual(
        findings.map(({ detections }) => detections[0]?.boxXyxyPx),
        [
          [6, 6, 10, 10],
          [6, 6, 10, 10],
        ],
      );
    } finally {
      await runner.close();
    }
  });

  it('gives a model its picture sizes where it wants them', async () => {
    const file = folder.write(
      'sizes.onnx',
      buildModel({
        inputs: [
          { name: 'images', dtype: 'float32', dims: ['N', 3, side, side] },
          { name: 'orig_target_sizes', dtype: 'int64', dims: ['N', 2] },
        ],
        outputs: [
          { name: 'labels', dtype: 'int64', dims: ['N', 1] },
          { name: 'boxes', dtype: 'float32', dims: ['N', 1, 4] },
          { name: 'scores', dtype: 'float32', dims: ['N', 1] },
        ],
        nodes: [
          // The box is (0, 0, w/2, h/2) of the given size; the score is the picture's mean.
          { op: 'Cast', inputs: ['orig_target_sizes'], outputs: ['size'], attributes: { to: 1 } },
          {
            op: 'Constant',
            inputs: [],
            outputs: ['factor'],
            attributes: { value: { dtype: 'float32', dims: [2], values: [0.5, 0.5] } },
          },
          { op: 'Mul', inputs: ['size', 'factor'], outputs: ['corner'] },
          { op: 'Sub', inputs: ['corner', 'corner'], outputs: ['origin'] },
          { op: 'Concat', inputs: ['origin', 'corner'], outputs: ['box'], attributes: { axis: 1 } },
          {
            op: 'Constant',
            inputs: [],
            outputs: ['one_axis'],
            attributes: { value: { dtype: 'int64', dims: [1], values: [1] } },
          },
          { op: 'Unsqueeze', inputs: ['box', 'one_axis'], outputs: ['boxes'] },
          { op: 'ReduceMean', inputs: ['images'], outputs: ['mean'], attributes: { axes: [1, 2, 3], keepdims: 0 } },
          { op: 'Unsqueeze', inputs: ['mean', 'one_axis'], outputs: ['scores'] },
          { op: 'Sub', inputs: ['scores', 'scores'], outputs: ['zero'] },
          { op: 'Cast', inputs: ['zero'], outputs: ['labels'], attributes: { to: 7 } },
        ],
      }),
    );
    const description = describeModel(
      {
        ...input,
        layout: 'nchw',
        dtype: 'float32',
        normalise: { divisor: 255 },
        fit: 'stretch',
        sizesName: 'orig_target_sizes',
        name: 'images',
      },
      {
        layout: 'detr',
        scores: 'labelled',
        names: { boxes: 'boxes' },
        boxes: 'xyxy',
        normalised: false,
        classes: { 0: 'player' },
      },
    );
    const runner = await openModelRunner({ ...options, description, file, batchSize: 2 });
    try {
      const [first, second] = await lastValueFrom(runner.run([flat(204), flat(102)], () => undefined));
      assert.deepEqual(first?.detections[0]?.boxXyxyPx, [0, 0, 8, 8]);
      assert.deepEqual(
        [first, second].map((finding) => finding?.detections[0]?.score.toFixed(3)),
        ['0.800', '0.400'],
      );
    } finally {
      await runner.close();
    }
  });
});

describe('hot swap', () => {
  const folder = modelFolder();
  const input = { width: side, height: side, layout: 'nhwc', dtype: 'uint8' } as const;
  const description = describeModel({ ...input, fit: 'stretch' }, { layout: 'yolo-detect', classes: { 0: 'ball' } });
  const version = (score: number) =>
    constantModel(input, [{ name: 'output0', dims: [5, 1], values: [8, 8, 4, 4, score] }]);
  const file = folder.write('a.onnx', version(0.5));

  it('drops no run, uses the new file from then on, and keeps the old one where the new is refused', async () => {
    const runner = await openModelRunner({ file, description, device: 'cpu', batchSize: 2, spare: false });
    try {
      const score = async () => (await lastValueFrom(runner.run([flat(0)], () => undefined)))[0]?.detections[0]?.score;
      assert.equal(await score(), 0.5);
      let swapped = false;
      const swap = runner.swap(folder.write('b.onnx', version(0.75))).then(() => {
        swapped = true;
      });
      const seen = new Set<number | undefined>();
      while (!swapped) seen.add(await score());
      await swap;
      assert.equal(await score(), 0.75);
      assert.deepEqual(
        [...seen].filter((value) => value !== 0.5 && value !== 0.75),
        [],
      );
      assert.ok(seen.has(0.5), 'the old file answered while the new one was loaded');

      for (const [name, bytes] of [
        ['broken.onnx', version(0.9).subarray(0, 100)],
        [
          'shape.onnx',
          constantModel({ ...input, width: 8 }, [{ name: 'output0', dims: [5, 1], values: [0, 0, 0, 0, 0] }]),
        ],
      ] as const) {
        await assert.rejects(runner.swap(folder.write(name, bytes)), { code: /^ERR_MODEL/ });
      }
      await assert.rejects(runner.swap('/nowhere.onnx'), { code: 'ERR_MODEL_LOAD' });
      assert.equal(await score(), 0.75);
      assert.equal(runner.pids().length, 1, 'the old process is gone');
    } finally {
      await runner.close();
    }
  });
});
