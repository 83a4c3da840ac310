import { TikitakaError } from '../../operators/index.js';
import { floatToHalf } from '../runtime/floats.js';
import { dataTypes, fieldsOf, graphField, modelField, node, readTensorName, WireWriter } from './wire.js';

/*
 * Field numbers of onnx.proto3 that matter where a file changes its number type (see `wire.ts`).
 */
const { float32, float16 } = dataTypes;
const nodeField = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 } as const;
const attributeField = { name: 1, f: 2, i: 3, t: 5, g: 6, floats: 7, graphs: 11, type: 20 } as const;
const tensorField = { dataType: 2, floatData: 4, rawData: 9, dataLocation: 14 } as const;
const valueInfos = 13;
const localFunctions = 25;
const tensorAttribute = 4;

/** Operands that stay float32 whatever the pictures are, by operator: factors of sizes, and all that NMS compares. */
const singleOperands: Readonly<Record<string, readonly number[]>> = {
  Resize: [2],
  Upsample: [1],
  NonMaxSuppression: [0, 1, 3, 4],
};

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

interface ParsedNode {
  readonly whole: Uint8Array;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * The file computing in half precision from its first float to its last: weights, constants, casts, inputs and outputs are
 * float16 where they were float32. Nothing is said of the values; whoever loads it must look whether numbers come out.
 * Errors: ERR_MODEL_LOAD (subgraphs, functions, operators of other domains, weights in files of their own), thrown at call.
 */
export function toHalfPrecision(model: Uint8Array): Uint8Array {
  const fields = Array.from(fieldsOf(model), ({ number, whole, body }) => {
    if (number === localFunctions) throw unfit('it has functions of its own');
    if (number !== modelField.graph) return whole;
    return new WireWriter().bytes(modelField.graph, halveGraph(body)).finish();
  });
  return Buffer.concat(fields);
}

function halveGraph(graph: Uint8Array): Uint8Array {
  const fields = [...fieldsOf(graph)];
  const bodiesOf = (wanted: number) => fields.filter(({ number }) => number === wanted).map(({ body }) => body);
  const nodes = bodiesOf(graphField.node).map(parse);
  const constants = nodes.flatMap(({ op, outputs }) => (op === 'Constant' ? outputs : []));
  const singles = singleNames(nodes, [...constants, ...bodiesOf(graphField.initializer).map(readTensorName)]);
  const out: Uint8Array[] = [];
  for (const { number, whole, body } of fields) {
    if (number === graphField.node) out.push(...halveNode(parse(body), singles));
    else if (number === graphField.initializer)
      out.push(singles.has(readTensorName(body)) ? whole : wrap(number, halveTensor(body)));
    else if (number === graphField.input || number === graphField.output)
      out.push(wrap(number, halveDeclaration(body)));
    // The types that others have are found out anew by the runtime.
    else if (number !== valueInfos) out.push(whole);
  }
  return Buffer.concat(out);
}

function parse(body: Uint8Array): ParsedNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let op = '';
  for (const field of fieldsOf(body)) {
    if (field.number === nodeField.input) inputs.push(text(field.body));
    if (field.number === nodeField.output) outputs.push(text(field.body));
    if (field.number === nodeField.opType) op = text(field.body);
    if (field.number === nodeField.domain && !['', 'ai.onnx'].includes(text(field.body)))
      throw unfit(`it has operators of ${text(field.body)}`);
  }
  return { whole: body, op, inputs, outputs };
}

/** Weights and constants that only operands which stay float32 read: they keep their exact values. */
function singleNames(nodes: readonly ParsedNode[], constants: readonly string[]): ReadonlySet<string> {
  const single = new Set<string>();
  const half = new Set<string>();
  for (const { op, inputs } of nodes)
    for (const [place, name] of inputs.entries()) (singleOperands[op]?.includes(place) ? single : half).add(name);
  return new Set(constants.filter((name) => single.has(name) && !half.has(name)));
}

function halveNode({ whole, op, inputs, outputs }: ParsedNode, singles: ReadonlySet<string>): Uint8Array[] {
  if (op === 'Constant' && outputs.some((name) => singles.has(name))) return [wrap(graphField.node, whole)];
  const casts: Uint8Array[] = [];
  const renamed = inputs.map((name, place) => {
    if (!singleOperands[op]?.includes(place) || name === '' || singles.has(name)) return name;
    const cast = `${name}__single_${outputs[0] ?? ''}_${place}`;
    casts.push(node({ op: 'Cast', inputs: [name], outputs: [cast], attributes: { to: float32 } }));
    return cast;
  });
  const message = new WireWriter();
  for (const name of renamed) message.text(nodeField.input, name);
  const rest = Array.from(fieldsOf(whole)).filter(({ number }) => number !== nodeField.input);
  const parts = rest.map((field) =>
    field.number === nodeField.attribute ? wrap(nodeField.attribute, halveAttribute(field.body, op)) : field.whole,
  );
  const halved = Buffer.concat([message.finish(), ...parts]);
  return [...casts, halved].map((bytes) => wrap(graphField.node, bytes));
}

/** Constants, and the type that Cast and its like make. */
function halveAttribute(attribute: Uint8Array, op: string): Uint8Array {
  const fields = [...fieldsOf(attribute)];
  const name = text(fields.find(({ number }) => number === attributeField.name)?.body ?? new Uint8Array());
  if (fields.some(({ number }) => number === attributeField.g || number === attributeField.graphs))
    throw unfit(`${op} has a graph of its own`);
  const isType = (op === 'Cast' && name === 'to') || name === 'dtype';
  const isFloats = op === 'Constant' && (name === 'value_float' || name === 'value_floats');
  if (isFloats) return floatsAttribute(fields, name === 'value_float');
  return Buffer.concat(
    fields.map((field) => {
      if (field.number === attributeField.t) return wrap(attributeField.t, halveTensor(field.body));
      if (isType && field.number === attributeField.i && field.value === float32)
        return new WireWriter().varint(attributeField.i, float16).finish();
      return field.whole;
    }),
  );
}

/** `value_float` and `value_floats` know no other type: they become a tensor. */
function floatsAttribute(
  fields: ReturnType<typeof fieldsOf> extends Generator<infer F> ? F[] : never,
  scalar: boolean,
) {
  const values = fields.flatMap(({ number, whole, body }) => {
    if (number === attributeField.f) return [...floatsAt(whole.subarray(-4))];
    if (number !== attributeField.floats) return [];
    // Packed, or one by one.
    return [...floatsAt(body.length > 0 ? body : whole.subarray(-4))];
  });
  const tensor = new WireWriter();
  if (!scalar) tensor.varint(1, values.length);
  tensor.varint(tensorField.dataType, float16).bytes(tensorField.rawData, halves(values));
  return new WireWriter()
    .text(attributeField.name, 'value')
    .bytes(attributeField.t, tensor.finish())
    .varint(attributeField.type, tensorAttribute)
    .finish();
}

function halveTensor(tensor: Uint8Array): Uint8Array {
  const fields = [...fieldsOf(tensor)];
  if (fields.find(({ number }) => number === tensorField.dataType)?.value !== float32) return tensor;
  if (fields.some(({ number, value }) => number === tensorField.dataLocation && value !== 0))
    throw unfit('its weights are in files of their own');
  const parts = fields.map(({ number, whole, body }) => {
    if (number === tensorField.dataType) return new WireWriter().varint(number, float16).finish();
    if (number === tensorField.rawData) return wrap(number, halves(floatsAt(body)));
    if (number !== tensorField.floatData) return whole;
    return wrap(tensorField.rawData, halves(floatsAt(body.length > 0 ? body : whole.subarray(-4))));
  });
  return Buffer.concat(parts);
}

/** ValueInfoProto: type (2) → tensor type (1) → element type (1). */
function halveDeclaration(declaration: Uint8Array): Uint8Array {
  const within = (message: Uint8Array, path: readonly number[]): Uint8Array => {
    const [step, ...deeper] = path;
    return Buffer.concat(
      Array.from(fieldsOf(message), (field) => {
        if (field.number !== step) return field.whole;
        if (deeper.length > 0) return wrap(field.number, within(field.body, deeper));
        return field.value === float32 ? new WireWriter().varint(step, float16).finish() : field.whole;
      }),
    );
  };
  return within(declaration, [2, 1, 1]);
}

const wrap = (number: number, bytes: Uint8Array): Uint8Array => new WireWriter().bytes(number, bytes).finish();

/** Little-endian, as ONNX stores them, wherever they lie. */
function floatsAt(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

function halves(values: ArrayLike<number>): Uint8Array {
  const halved = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halved[i] = floatToHalf(values[i] ?? 0);
  return new Uint8Array(halved.buffer);
}

const unfit = (why: string) => new TikitakaError('ERR_MODEL_LOAD', `the file cannot compute in half precision: ${why}`);
