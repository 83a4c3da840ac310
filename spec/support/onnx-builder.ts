import {
  type DataType,
  graphField,
  modelField,
  type NodeValue,
  node,
  type ValueInfo,
  valueInfo,
  WireWriter,
} from '../../models/onnx/wire.js';

/** A tensor declaration for the builder. */
export interface Declared extends Omit<ValueInfo, 'dtype'> {
  readonly dtype: DataType;
}

export interface BuiltModel {
  readonly inputs: readonly Declared[];
  readonly outputs: readonly Declared[];
  readonly nodes: readonly NodeValue[];
  /** Default 13. */
  readonly opset?: number;
}

/** A whole ONNX file (IR 8), built from nothing. */
export function buildModel({ inputs, outputs, nodes, opset = 13 }: BuiltModel): Buffer {
  const graph = new WireWriter();
  for (const value of nodes) graph.bytes(graphField.node, node(value));
  graph.text(graphField.name, 'built by a spec');
  for (const input of inputs) graph.bytes(graphField.input, valueInfo(input));
  for (const output of outputs) graph.bytes(graphField.output, valueInfo(output));
  const model = new WireWriter()
    .varint(modelField.irVersion, 8)
    .text(modelField.producerName, 'onnx-builder')
    .bytes(modelField.graph, graph.finish())
    .bytes(modelField.opsetImport, new WireWriter().text(1, '').varint(2, opset).finish());
  return Buffer.from(model.finish());
}

export interface PictureInput {
  readonly layout: 'nhwc' | 'nchw';
  readonly dtype: 'uint8' | 'float32' | 'float16';
  readonly width: number;
  readonly height: number;
  /** Default 'N': dynamic. */
  readonly batch?: number | string;
}

const pictureName = 'images';

const declare = ({ layout, dtype, width, height, batch = 'N' }: PictureInput): Declared => ({
  name: pictureName,
  dtype,
  dims: layout === 'nhwc' ? [batch, height, width, 3] : [batch, 3, height, width],
});

/** An output with known values: the same for every picture of a batch. */
export interface Head {
  readonly name: string;
  /** After the batch dimension. */
  readonly dims: readonly number[];
  readonly values: readonly number[] | Float32Array;
}

/**
 * A file whose outputs are known: each is a constant, repeated for every picture. The picture takes part (its mean times
 * zero is added), so that nothing is folded away at load.
 */
export function constantModel(input: PictureInput, heads: readonly Head[]): Buffer {
  return buildModel({
    inputs: [declare(input)],
    outputs: heads.map(({ name, dims }) => ({ name, dtype: 'float32', dims: ['N', ...dims] })),
    nodes: [
      { op: 'Cast', inputs: [pictureName], outputs: ['as_float'], attributes: { to: 1 } },
      { op: 'ReduceMean', inputs: ['as_float'], outputs: ['mean'], attributes: { axes: [1, 2, 3], keepdims: 1 } },
      constant('nothing', { dtype: 'float32', dims: [], values: [0] }),
      { op: 'Mul', inputs: ['mean', 'nothing'], outputs: ['zero'] },
      ...heads.flatMap(({ name, dims, values }): NodeValue[] => [
        constant(`${name}_shape`, { dtype: 'int64', dims: [dims.length + 1], values: [-1, ...dims.map(() => 1)] }),
        { op: 'Reshape', inputs: ['zero', `${name}_shape`], outputs: [`${name}_zero`] },
        constant(`${name}_value`, { dtype: 'float32', dims: [1, ...dims], values: Float32Array.from(values) }),
        { op: 'Add', inputs: [`${name}_zero`, `${name}_value`], outputs: [name] },
      ]),
    ],
  });
}

/** A file that gives back the picture as it receives it, as float32 of the same layout. */
export function echoModel(input: PictureInput, opset?: number): Buffer {
  const declared = declare(input);
  return buildModel({
    ...(opset === undefined ? {} : { opset }),
    inputs: [declared],
    outputs: [{ name: 'echo', dtype: 'float32', dims: declared.dims }],
    nodes: [{ op: 'Cast', inputs: [pictureName], outputs: ['echo'], attributes: { to: 1 } }],
  });
}

/** A file that finds one box, whose score is how bright the picture is that it receives, 0..1: bars show in it. One YOLO row, `rows: first`. */
export function brightnessModel(input: PictureInput, box: readonly [number, number, number, number]): Buffer {
  return buildModel({
    inputs: [declare(input)],
    outputs: [{ name: 'output0', dtype: 'float32', dims: ['N', 1, 5] }],
    nodes: [
      { op: 'Cast', inputs: [pictureName], outputs: ['as_float'], attributes: { to: 1 } },
      { op: 'ReduceMean', inputs: ['as_float'], outputs: ['mean'], attributes: { axes: [1, 2, 3], keepdims: 1 } },
      constant('white', { dtype: 'float32', dims: [], values: [1 / 255] }),
      { op: 'Mul', inputs: ['mean', 'white'], outputs: ['share'] },
      constant('row', { dtype: 'int64', dims: [3], values: [-1, 1, 1] }),
      { op: 'Reshape', inputs: ['share', 'row'], outputs: ['score'] },
      constant('nothing', { dtype: 'float32', dims: [], values: [0] }),
      { op: 'Mul', inputs: ['score', 'nothing'], outputs: ['zero'] },
      constant('corners', { dtype: 'float32', dims: [1, 1, 4], values: box }),
      { op: 'Add', inputs: ['zero', 'corners'], outputs: ['box'] },
      { op: 'Concat', inputs: ['box', 'score'], outputs: ['output0'], attributes: { axis: 2 } },
    ],
  });
}

/**
 * A file that takes as long as the picture is bright: it multiplies square matrices of side 1 + 8 × mean. Black: at once;
 * white: 17 GFLOP, `rounds` times. Its output is one YOLO row without a detection.
 */
export function slowModel(input: PictureInput, rounds: number): Buffer {
  const products = Array.from(
    { length: rounds },
    (_, i): NodeValue => ({
      op: 'MatMul',
      inputs: [i === 0 ? 'matrix' : `product${i}`, 'matrix'],
      outputs: [`product${i + 1}`],
    }),
  );
  return buildModel({
    inputs: [declare(input)],
    outputs: [{ name: 'output0', dtype: 'float32', dims: ['N', 5, 1] }],
    nodes: [
      { op: 'Cast', inputs: [pictureName], outputs: ['as_float'], attributes: { to: 1 } },
      { op: 'ReduceMean', inputs: ['as_float'], outputs: ['mean'], attributes: { axes: [0, 1, 2, 3], keepdims: 0 } },
      constant('eight', { dtype: 'float32', dims: [], values: [8] }),
      { op: 'Mul', inputs: ['mean', 'eight'], outputs: ['scaled'] },
      constant('one', { dtype: 'float32', dims: [], values: [1] }),
      { op: 'Add', inputs: ['scaled', 'one'], outputs: ['side_float'] },
      { op: 'Cast', inputs: ['side_float'], outputs: ['side'], attributes: { to: 7 } },
      constant('pair', { dtype: 'int64', dims: [1], values: [2] }),
      { op: 'Expand', inputs: ['side', 'pair'], outputs: ['square'] },
      { op: 'ConstantOfShape', inputs: ['square'], outputs: ['matrix'] },
      ...products,
      { op: 'ReduceMax', inputs: [`product${rounds}`], outputs: ['top'], attributes: { keepdims: 0 } },
      { op: 'ReduceMean', inputs: ['as_float'], outputs: ['means'], attributes: { axes: [1, 2, 3], keepdims: 1 } },
      constant('nothing', { dtype: 'float32', dims: [], values: [0] }),
      { op: 'Mul', inputs: ['means', 'nothing'], outputs: ['zeros'] },
      { op: 'Add', inputs: ['zeros', 'top'], outputs: ['flat'] },
      constant('row', { dtype: 'int64', dims: [3], values: [-1, 1, 1] }),
      { op: 'Reshape', inputs: ['flat', 'row'], outputs: ['cells'] },
      constant('five', { dtype: 'float32', dims: [1, 5, 1], values: [0, 0, 0, 0, 0] }),
      { op: 'Add', inputs: ['cells', 'five'], outputs: ['output0'] },
    ],
  });
}

function constant(
  name: string,
  value: {
    readonly dtype: 'float32' | 'int64';
    readonly dims: readonly number[];
    readonly values: readonly number[] | Float32Array;
  },
): NodeValue {
  return { op: 'Constant', inputs: [], outputs: [name], attributes: { value } };
}
