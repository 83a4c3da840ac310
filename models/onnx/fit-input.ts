import { TikitakaError } from '../../operators/index.js';
import type { InputSpec } from '../runtime/protocol.js';
import type { GraphFacts } from './graph.js';
import {
  type Attribute,
  dataTypes,
  fieldsOf,
  graphField,
  modelField,
  node,
  readValueInfo,
  type TensorValue,
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

/**
 * The file with nodes in front of its picture input, so that it takes uint8 [N, H, W, 3] RGB 0..255 and prepares it by
 * itself: channel order, transposition (still in bytes: a quarter of the memory), cast, `(v / divisor - mean) / std`.
 * Undefined where the file takes such pictures already.
 */
export function prependPreparation(model: Uint8Array, input: FittedInput, spec: InputSpec): Uint8Array | undefined {
  const steps = preparation({ ...spec, dtype: input.dtype });
  if (steps.length === 0) return undefined;
  const picture = `${input.name}__uint8_nhwc`;
  const nodes: Uint8Array[] = [];
  steps.forEach((step, i) => {
    const from = i === 0 ? picture : `${input.name}__${i}`;
    const to = i === steps.length - 1 ? input.name : `${input.name}__${i + 1}`;
    const constant = step.constant && `${input.name}__${i}_value`;
    if (step.constant && constant) {
      nodes.push(node({ op: 'Constant', inputs: [], outputs: [constant], attributes: { value: step.constant } }));
    }
    const { op, attributes } = step;
    nodes.push(
      node({ op, inputs: constant ? [from, constant] : [from], outputs: [to], ...(attributes && { attributes }) }),
    );
  });
  const declared = valueInfo({ name: picture, dtype: 'uint8', dims: [input.batch, spec.height, spec.width, 3] });
  const edited = Array.from(fieldsOf(model), ({ number, whole, body }) =>
    number === modelField.graph
      ? new WireWriter().bytes(modelField.graph, editGraph(body, input.name, nodes, declared)).finish()
      : whole,
  );
  return Buffer.concat(edited);
}

/** New nodes first (a graph is stored in topological order), the old input declaration replaced, the rest as it was. */
function editGraph(
  graph: Uint8Array,
  inputName: string,
  nodes: readonly Uint8Array[],
  declared: Uint8Array,
): Uint8Array {
  const added = new WireWriter();
  for (const bytes of nodes) added.bytes(graphField.node, bytes);
  added.bytes(graphField.input, declared);
  const kept = [...fieldsOf(graph)].filter(
    ({ number, body }) => number !== graphField.input || readValueInfo(body).name !== inputName,
  );
  return Buffer.concat([added.finish(), ...kept.map(({ whole }) => whole)]);
}

interface Step {
  readonly op: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Second operand. */
  readonly constant?: TensorValue;
}

function preparation({ layout, dtype, colours, normalise: { divisor, mean, std } }: InputSpec): Step[] {
  const steps: Step[] = [];
  if (colours === 'bgr') {
    steps.push({
      op: 'Gather',
      attributes: { axis: 3 },
      constant: { dtype: 'int64', dims: [3], values: [2, 1, 0] },
    });
  }
  if (layout === 'nchw') steps.push({ op: 'Transpose', attributes: { perm: [0, 3, 1, 2] } });
  if (dtype === 'uint8') return steps;
  const channels = layout === 'nchw' ? [1, 3, 1, 1] : [1, 1, 1, 3];
  const factors = std.map((value) => 1 / (divisor * value));
  const shifts = mean.map((value, i) => -value / (std[i] ?? 1));
  steps.push({ op: 'Cast', attributes: { to: dataTypes.float32 } });
  if (factors.some((value) => value !== 1)) {
    steps.push({ op: 'Mul', constant: { dtype: 'float32', dims: channels, values: factors } });
  }
  if (shifts.some((value) => value !== 0)) {
    steps.push({ op: 'Add', constant: { dtype: 'float32', dims: channels, values: shifts } });
  }
  if (dtype === 'float16') steps.push({ op: 'Cast', attributes: { to: dataTypes.float16 } });
  return steps;
}
