import { TikitakaError } from '../../operators/index.js';
import { fieldsOf, graphField, modelField, readTensorName, readValueInfo, type ValueInfo } from './wire.js';

/** What an ONNX file says of itself. */
export interface GraphFacts {
  /** Without those that are weights. */
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: number;
  /** Operator-set version by domain; '' = ai.onnx. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly producer: string;
}

/** Reads a model file's declarations without its weights. Errors: ERR_MODEL_LOAD (no ONNX file), thrown at call. */
export function readGraph(model: Uint8Array, file: string): GraphFacts {
  try {
    return parse(model);
  } catch (cause) {
    throw new TikitakaError('ERR_MODEL_LOAD', `${file} is no complete ONNX file`, { cause, details: { file } });
  }
}

function parse(model: Uint8Array): GraphFacts {
  const opsets: Record<string, number> = {};
  let producer = '';
  let graph: Uint8Array | undefined;
  for (const { number, body } of fieldsOf(model)) {
    if (number === modelField.graph) graph = body;
    if (number === modelField.producerName) producer = new TextDecoder().decode(body);
    if (number === modelField.opsetImport) {
      const fields = [...fieldsOf(body)];
      const domain = new TextDecoder().decode(fields.find((field) => field.number === 1)?.body);
      opsets[domain] = fields.find((field) => field.number === 2)?.value ?? 0;
    }
  }
  if (!graph) throw new RangeError('no graph');
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const weights = new Set<string>();
  let nodes = 0;
  for (const { number, body } of fieldsOf(graph)) {
    if (number === graphField.node) nodes++;
    if (number === graphField.initializer) weights.add(readTensorName(body));
    if (number === graphField.input) inputs.push(readValueInfo(body));
    if (number === graphField.output) outputs.push(readValueInfo(body));
  }
  return { inputs: inputs.filter(({ name }) => !weights.has(name)), outputs, nodes, opsets, producer };
}
