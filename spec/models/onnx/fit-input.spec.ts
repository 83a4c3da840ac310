import assert from 'node:assert/strict';
import { fitInput } from '../../../models/onnx/fit-input.js';
import { readGraph } from '../../../models/onnx/graph.js';
import type { InputSpec } from '../../../models/runtime/protocol.js';
import { buildModel, constantModel, echoModel } from '../../support/onnx-builder.js';

const spec: InputSpec = {
  name: undefined,
  width: 96,
  height: 64,
  layout: 'nchw',
  dtype: 'float32',
  colours: 'rgb',
  normalise: { divisor: 255, mean: [0, 0, 0], std: [1, 1, 1] },
  sizesName: undefined,
  fit: 'stretch',
  picture: { width: 96, height: 64, fit: 'stretch' },
};
const picture = { layout: 'nchw', dtype: 'float32', width: 96, height: 64 } as const;
const fitted = (model: Uint8Array, more: Partial<InputSpec> = {}) =>
  fitInput(readGraph(model, 'spec.onnx'), { ...spec, ...more }, 'spec.onnx');

describe('readGraph', () => {
  it('says what goes in and out', () => {
    const model = constantModel(picture, [{ name: 'output0', dims: [5, 7], values: Array(35).fill(0) }]);
    const { inputs, outputs, opsets, producer, nodes } = readGraph(model, 'spec.onnx');
    assert.deepEqual(inputs, [{ name: 'images', dtype: 'float32', dims: ['N', 3, 64, 96] }]);
    assert.deepEqual(outputs, [{ name: 'output0', dtype: 'float32', dims: ['N', 5, 7] }]);
    assert.deepEqual({ opsets, producer }, { opsets: { '': 13 }, producer: 'onnx-builder' });
    assert.equal(nodes, 8);
  });

  const model = echoModel(picture);
  for (const [why, bytes] of [
    ['words', Buffer.from('this is a text file, not a model')],
    ['nothing', new Uint8Array()],
    ['a file cut off', model.subarray(0, model.length - 10)],
    ['a model without a graph', model.subarray(0, 2)],
  ] as const) {
    it(`refuses ${why}: ERR_MODEL_LOAD`, () =>
      assert.throws(() => readGraph(bytes, 'spec.onnx'), { code: 'ERR_MODEL_LOAD' }));
  }
});

describe('fitInput', () => {
  it('takes dynamic sizes, a fixed batch, and half precision where floats are described', () => {
    assert.deepEqual(fitted(echoModel(picture)), { name: 'images', dtype: 'float32', batch: 'N' });
    assert.deepEqual(fitted(echoModel({ ...picture, batch: 4 })), { name: 'images', dtype: 'float32', batch: 4 });
    assert.equal(fitted(echoModel({ ...picture, dtype: 'float16' })).dtype, 'float16');
    const dynamic = buildModel({
      inputs: [{ name: 'images', dtype: 'float32', dims: ['N', 3, 'height', 'width'] }],
      outputs: [],
      nodes: [],
    });
    assert.equal(fitted(dynamic).name, 'images');
  });

  const refusals: [why: string, model: Uint8Array, more: Partial<InputSpec>, says: RegExp][] = [
    ['another size', echoModel({ ...picture, width: 100 }), {}, /\[N, 3, 64, 96\].*\[N, 3, 64, 100\]/],
    ['another order', echoModel({ ...picture, layout: 'nhwc' }), {}, /\[N, 3, 64, 96\].*\[N, 64, 96, 3\]/],
    ['another type', echoModel({ ...picture, dtype: 'uint8' }), {}, /float32 \[N.*uint8 \[N/],
    ['another name', echoModel(picture), { name: 'frames' }, /frames float32.*images float32/],
    ['a sizes input that is not there', echoModel(picture), { sizesName: 'sizes' }, /sizes int64 \[N, 2\]/],
    [
      'an input that nobody fills',
      buildModel({
        inputs: [
          { name: 'images', dtype: 'float32', dims: ['N', 3, 64, 96] },
          { name: 'extra', dtype: 'int64', dims: [1] },
        ],
        outputs: [],
        nodes: [],
      }),
      {},
      /extra int64 \[1\]/,
    ],
    ['no input at all', buildModel({ inputs: [], outputs: [], nodes: [] }), {}, /no inputs/],
  ];
  for (const [why, model, more, says] of refusals) {
    it(`refuses ${why}, with both shapes: ERR_MODEL_SHAPE`, () =>
      assert.throws(
        () => fitted(model, more),
        (error: Error & { code?: string }) => error.code === 'ERR_MODEL_SHAPE' && says.test(error.message),
      ));
  }
});
