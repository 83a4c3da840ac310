import { TikitakaError } from '../../operators/index.js';
import type { InputSpec } from '../runtime/protocol.js';
import type { GraphFacts } from './graph.js';
import { fitting, type PlacementInput, placementDims, preparation } from './preparation.js';
import {
  fieldsOf,
  graphField,
  modelField,
  node,
  readValueInfo,
  type ValueInfo,
  valueInfo,
  WireWriter,
} from './wire.js';

/** The picture input of a file, found and checked against its description. */
export interface FittedInput {
  readonly name: string;
  /** Of the file: a half-precision export fits the description of its float32 sibling. */
  readonly dtype: InputSpec['dtype'];
  /** The file's own batch dimension: a number where it is fixed. */
  readonly batch: number | string;
}

const show = ({ name, dtype, dims }: ValueInfo) => `${name} ${dtype} [${dims.join(', ')}]`;

/** Finds the picture input. Errors: ERR_MODEL_SHAPE with both shapes, thrown at call. */
export function fitInput(graph: GraphFacts, spec: InputSpec, file: string): FittedInput {
  const size = spec.layout === 'nhwc' ? [spec.height, spec.width, 3] : [3, spec.height, spec.width];
  const found = spec.name === undefined ? graph.inputs[0] : graph.inputs.find(({ name }) => name === spec.name);
  const sizes = graph.inputs.find(({ name }) => name === spec.sizesName);
  const dtypes: readonly InputSpec['dtype'][] = spec.dtype === 'uint8' ? ['uint8'] : ['float32', 'float16'];
  const dtype = dtypes.find((known) => known === found?.dtype);
  const fits =
    dtype &&
    found &&
    found.dims.length === size.length + 1 &&
    size.every((dim, i) => typeof found.dims[i + 1] === 'string' || found.dims[i + 1] === dim) &&
    (spec.sizesName === undefined) === (sizes === undefined) &&
    graph.inputs.every((input) => input === found || input === sizes);
  if (found && dtype && fits) return { name: found.name, dtype, batch: found.dims[0] ?? '?' };
  const expected = [
    `${spec.name ?? 'first input'} ${spec.dtype} [N, ${size.join(', ')}]`,
    ...(spec.sizesName === undefined ? [] : [`${spec.sizesName} int64 [N, 2]`]),
  ].join(', ');
  const actual = graph.inputs.map(show).join(', ') || 'no inputs';
  throw new TikitakaError('ERR_MODEL_SHAPE', `${file}: the description expects ${expected}, the file has ${actual}`, {
    details: { file, expected, found: actual },
  });
}

/** A file that takes what arrives. */
export interface PreparedModel {
  readonly model: Uint8Array;
  /** Name of its picture input: uint8 [N, H, W, 3] RGB 0..255, of the size that arrives. */
  readonly pictureName: string;
  /** Names of the inputs that say where the picture goes, where the file's own input has grey bars that what arrives has not. */
  readonly placementNames: Readonly<Record<PlacementInput, string>> | undefined;
}

/**
 * The file with nodes in front of its picture input (see `preparation`). Undefined where the file takes the pictures as they
 * arrive. Errors: ERR_MODEL_SHAPE, thrown at call.
 */
export function prependPreparation(
  model: Uint8Array,
  { input, opset }: { readonly input: FittedInput; readonly opset: number },
  spec: InputSpec,
): PreparedModel | undefined {
  const steps = preparation({ ...spec, dtype: input.dtype }, opset);
  if (steps.length === 0) return undefined;
  const pictureName = `${input.name}__uint8_nhwc`;
  const nodes: Uint8Array[] = [];
  steps.forEach(({ op, attributes, operands = [] }, i) => {
    const from = i === 0 ? pictureName : `${input.name}__${i}`;
    const to = i === steps.length - 1 ? input.name : `${input.name}__${i + 1}`;
    const names = operands.map((operand, k) => {
      const name = `${input.name}__${typeof operand === 'string' ? operand : `${i}_value${k}`}`;
      if (typeof operand !== 'string')
        nodes.push(node({ op: 'Constant', inputs: [], outputs: [name], attributes: { value: operand } }));
      return name;
    });
    nodes.push(node({ op, inputs: [from, ...names], outputs: [to], ...(attributes && { attributes }) }));
  });
  const placementNames =
    fitting(spec) === 'placed' ? { sizes: `${input.name}__sizes`, pads: `${input.name}__pads` } : undefined;
  const { width, height } = spec.picture;
  const declared = [
    valueInfo({ name: pictureName, dtype: 'uint8', dims: [input.batch, height, width, 3] }),
    ...Object.entries(placementNames ?? {}).map(([operand, name]) =>
      valueInfo({ name, dtype: 'int64', dims: [placementDims[operand as PlacementInput]] }),
    ),
  ];
  const edited = Array.from(fieldsOf(model), ({ number, whole, body }) =>
    number === modelField.graph
      ? new WireWriter().bytes(modelField.graph, editGraph(body, { inputName: input.name, nodes, declared })).finish()
      : whole,
  );
  return { model: Buffer.concat(edited), pictureName, placementNames };
}

/** New nodes first (a graph is stored in topological order), the old input declaration replaced, the rest as it was. */
function editGraph(
  graph: Uint8Array,
  edit: {
    readonly inputName: string;
    readonly nodes: readonly Uint8Array[];
    readonly declared: readonly Uint8Array[];
  },
): Uint8Array {
  const added = new WireWriter();
  for (const bytes of edit.nodes) added.bytes(graphField.node, bytes);
  for (const bytes of edit.declared) added.bytes(graphField.input, bytes);
  const kept = [...fieldsOf(graph)].filter(
    ({ number, body }) => number !== graphField.input || readValueInfo(body).name !== edit.inputName,
  );
  return Buffer.concat([added.finish(), ...kept.map(({ whole }) => whole)]);
}
