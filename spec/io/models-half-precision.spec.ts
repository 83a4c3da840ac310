import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { shippedModels } from '../../models/index.js';
import { toHalfPrecision } from '../../models/onnx/half-precision.js';
import { graphField, modelField, node, valueInfo, WireWriter } from '../../models/onnx/wire.js';
import { floatsOf } from '../../models/runtime/floats.js';
import { buildModel, echoModel } from '../support/onnx-builder.js';

/*
 * Files converted to half precision, run by ONNX Runtime on the CPU: it takes float16 everywhere and computes in float32 inside of
 * each operator, so that the types are checked and every value is rounded as on a device that has half floats.
 */

async function run(model: Uint8Array, feeds: Record<string, Tensor>) {
  const session = await InferenceSession.create(model, { executionProviders: ['cpu'], logSeverityLevel: 3 });
  const results = await session.run(feeds);
  await session.release();
  return Object.entries(results).map(([name, { type, data }]) => ({ name, type, values: floatsOf(data, type) }));
}

const constant = (
  output: string,
  attributes: NonNullable<Parameters<typeof buildModel>[0]['nodes'][number]['attributes']>,
) => ({ op: 'Constant', inputs: [], outputs: [output], attributes }) as const;
const floats = (dims: readonly number[], values: readonly number[]) =>
  ({ value: { dtype: 'float32', dims, values } }) as const;

describe('half precision', () => {
  for (const { file, description } of shippedModels()) {
    const { width, height } = description.input;
    it(`${description.name} finds the same`, async () => {
      const model = readFileSync(file);
      const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) >> 3);
      const feeds = () => ({ frames: new Tensor('uint8', pixels, [1, height, width, 3]) });
      const [single, half] = [await run(model, feeds()), await run(toHalfPrecision(model), feeds())];
      assert.deepEqual(
        half.map(({ name, type }) => [name, type]),
        single.map(({ name }) => [name, 'float16']),
      );
      const [persons, ...others] = single.map(({ values }, i) =>
        values.map((value, k) => Math.abs(value - (half[i]?.values[k] ?? Number.NaN))),
      );
      for (const errors of others) assert.ok(Math.max(...errors) < 2e-3, `${Math.max(...errors)}`);
      // Persons that score alike change places: their scores, in falling order, do not.
      const scoreErrors = persons?.filter((_, k) => k % 8 === 4) ?? [];
      assert.ok(Math.max(...scoreErrors) < 5e-3, `${Math.max(...scoreErrors)}`);
    });
  }

  it('keeps float32 what must be: the factors of a resize, constant or computed, exactly', async () => {
    const size = { width: 9, height: 7 };
    // 5/7 and 4/9 end below 5 and 4 when they are rounded to a half.
    const model = buildModel({
      inputs: [{ name: 'images', dtype: 'float32', dims: [1, 3, size.height, size.width] }],
      outputs: [
        { name: 'constant', dtype: 'float32', dims: [1, 3, 5, 4] },
        { name: 'computed', dtype: 'float32', dims: [1, 3, 14, 18] },
      ],
      nodes: [
        constant('none', floats([0], [])),
        constant('factors', floats([4], [1, 1, Math.fround(5 / 7) + 1e-6, Math.fround(4 / 9) + 1e-6])),
        { op: 'Resize', inputs: ['images', 'none', 'factors'], outputs: ['constant'] },
        constant('ones', floats([4], [0.5, 0.5, 1, 1])),
        constant('two', floats([], [2])),
        { op: 'Mul', inputs: ['ones', 'two'], outputs: ['double'] },
        { op: 'Resize', inputs: ['images', 'none', 'double'], outputs: ['computed'] },
      ],
    });
    const values = Float32Array.from({ length: 3 * 63 }, (_, i) => i / 8);
    const half = await run(toHalfPrecision(model), {
      images: new Tensor(
        'float16',
        Uint16Array.from(values, (v) => halfOf(v)),
        [1, 3, size.height, size.width],
      ),
    });
    const single = await run(model, { images: new Tensor('float32', values, [1, 3, size.height, size.width]) });
    assert.deepEqual(
      half.map(({ values: found }) => [...found]),
      single.map(({ values: found }) => [...found]),
    );
  });

  it('takes constants along that are written as plain floats', async () => {
    const floatsField = (values: readonly number[], packed: boolean) => {
      const bytes = Buffer.from(Float32Array.from(values).buffer);
      // AttributeProto: f is field 2, floats field 7, as four bytes each or all in one piece.
      return packed ? new WireWriter().bytes(7, bytes).finish() : Buffer.concat([Buffer.of((2 << 3) | 5), bytes]);
    };
    const plain = (output: string, attribute: string, type: number, field: Uint8Array) => {
      const body = [new WireWriter().text(1, attribute).finish(), field, new WireWriter().varint(20, type).finish()];
      return new WireWriter().text(2, output).text(4, 'Constant').bytes(5, Buffer.concat(body)).finish();
    };
    const graph = new WireWriter()
      .bytes(graphField.node, plain('three', 'value_float', 1, floatsField([3], false)))
      .bytes(graphField.node, plain('list', 'value_floats', 6, floatsField([0.5, -2], true)))
      .bytes(graphField.node, node({ op: 'Mul', inputs: ['three', 'list'], outputs: ['product'] }))
      .text(graphField.name, 'plain')
      .bytes(graphField.output, valueInfo({ name: 'product', dtype: 'float32', dims: [2] }));
    const opset = new WireWriter().text(1, '').varint(2, 13).finish();
    const model = new WireWriter().varint(modelField.irVersion, 8).bytes(modelField.graph, graph.finish());
    const [{ type, values } = { type: '', values: [] }] = await run(
      toHalfPrecision(model.bytes(modelField.opsetImport, opset).finish()),
      {},
    );
    assert.deepEqual([type, [...values]], ['float16', [1.5, -6]]);
  });

  const echo = echoModel({ width: 2, height: 1, layout: 'nhwc', dtype: 'float32' });
  const strange = new WireWriter()
    .bytes(
      modelField.graph,
      new WireWriter().bytes(1, new WireWriter().text(4, 'Gelu').text(7, 'com.microsoft').finish()).finish(),
    )
    .finish();
  for (const [why, model, says] of [
    ['functions of its own', Buffer.concat([echo, new WireWriter().text(25, 'f').finish()]), /functions/],
    ['operators of others', strange, /com\.microsoft/],
  ] as const) {
    it(`refuses a file with ${why}: ERR_MODEL_LOAD`, () =>
      assert.throws(
        () => toHalfPrecision(model),
        (error: Error & { code?: string }) => error.code === 'ERR_MODEL_LOAD' && says.test(error.message),
      ));
  }

  it('takes the input and what is cast to float along', async () => {
    const model = toHalfPrecision(echoModel({ width: 2, height: 1, layout: 'nhwc', dtype: 'uint8' }));
    const [{ type, values } = { type: '', values: [] }] = await run(model, {
      images: new Tensor('uint8', Uint8Array.of(0, 1, 2, 253, 254, 255), [1, 1, 2, 3]),
    });
    assert.deepEqual([type, [...values]], ['float16', [0, 1, 2, 253, 254, 255]]);
  });
});

/** Eighths below 2048 / 8: exact in half precision. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(value));
  return ((exponent + 15) << 10) | Math.round((value / 2 ** exponent - 1) * 1024);
}
