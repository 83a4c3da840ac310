import protobuf from 'protobufjs/minimal.js';

/*
 * The few messages of onnx.proto3 (github.com/onnx/onnx, IR version 8) that are read or written here, on the wire level:
 * whatever is not understood is copied as bytes, so that no model loses a field, and weights are never parsed.
 */

/** Field numbers of onnx.proto3. */
export const modelField = { irVersion: 1, producerName: 2, producerVersion: 3, graph: 7, opsetImport: 8 } as const;
export const graphField = { node: 1, name: 2, initializer: 5, input: 11, output: 12 } as const;
const valueInfoField = { name: 1, type: 2 } as const;
const nodeField = { input: 1, output: 2, name: 3, opType: 4, attribute: 5 } as const;
const attributeField = { name: 1, i: 3, s: 4, t: 5, ints: 8, type: 20 } as const;
const attributeType = { int: 2, string: 3, tensor: 4, ints: 7 } as const;
const tensorField = { dims: 1, dataType: 2, name: 8, rawData: 9 } as const;

/** TensorProto.DataType. */
export const dataTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
} as const;
export type DataType = keyof typeof dataTypes;

const wire = { varint: 0, bytes: 2 } as const;

/** One field of a message: its number, and its bytes with tag (to copy) and, where length-delimited, without (to parse). */
export interface WireField {
  readonly number: number;
  readonly whole: Uint8Array;
  readonly body: Uint8Array;
  /** Value of a varint field. */
  readonly value: number;
}

/** Walks the fields of one message without parsing them. Throws RangeError where the bytes are no protobuf. */
export function* fieldsOf(message: Uint8Array): Generator<WireField> {
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const type = tag & 7;
    let body = message.subarray(0, 0);
    let value = 0;
    if (type === wire.bytes) {
      const length = reader.uint32();
      body = message.subarray(reader.pos, reader.pos + length);
      reader.skip(length);
    } else if (type === wire.varint) {
      value = Number(reader.int64());
    } else {
      reader.skipType(type);
    }
    yield { number: tag >>> 3, whole: message.subarray(start, reader.pos), body, value };
  }
}

/** A tensor that a graph declares. Dimensions: a number, or a symbol (also for unknown ones). */
export interface ValueInfo {
  readonly name: string;
  readonly dtype: string;
  readonly dims: readonly (number | string)[];
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const first = (message: Uint8Array, number: number) => {
  for (const field of fieldsOf(message)) if (field.number === number) return field;
  return undefined;
};
const bodyOf = (message: Uint8Array, number: number) => first(message, number)?.body ?? new Uint8Array();

export function readValueInfo(message: Uint8Array): ValueInfo {
  const tensorType = bodyOf(bodyOf(message, valueInfoField.type), 1);
  const type = first(tensorType, 1)?.value ?? 0;
  const dims = [...fieldsOf(bodyOf(tensorType, 2))].map(({ body }) => {
    const dim = first(body, 1) ?? first(body, 2);
    return dim?.number === 1 ? dim.value : text(dim?.body ?? new Uint8Array()) || '?';
  });
  const dtype = Object.entries(dataTypes).find(([, number]) => number === type)?.[0] ?? `type ${type}`;
  return { name: text(bodyOf(message, valueInfoField.name)), dtype, dims };
}

/** The name of an initializer. */
export function readTensorName(message: Uint8Array): string {
  return text(bodyOf(message, tensorField.name));
}

/** Builds one message; each `field` may repeat. */
export class WireWriter {
  readonly #writer = protobuf.Writer.create();

  bytes(number: number, value: Uint8Array): this {
    this.#writer.uint32((number << 3) | wire.bytes).bytes(value);
    return this;
  }

  text(number: number, value: string): this {
    this.#writer.uint32((number << 3) | wire.bytes).string(value);
    return this;
  }

  varint(number: number, value: number): this {
    this.#writer.uint32((number << 3) | wire.varint).int64(value);
    return this;
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}

export function valueInfo({
  name,
  dtype,
  dims,
}: {
  name: string;
  dtype: DataType;
  dims: ValueInfo['dims'];
}): Uint8Array {
  const shape = new WireWriter();
  for (const dim of dims) {
    const message = typeof dim === 'number' ? new WireWriter().varint(1, dim) : new WireWriter().text(2, dim);
    shape.bytes(1, message.finish());
  }
  const tensorType = new WireWriter().varint(1, dataTypes[dtype]).bytes(2, shape.finish()).finish();
  return new WireWriter()
    .text(valueInfoField.name, name)
    .bytes(valueInfoField.type, new WireWriter().bytes(1, tensorType).finish())
    .finish();
}

/** A tensor with its values; `float32` from numbers, `int64` from whole numbers, `uint8` from bytes. */
export interface TensorValue {
  readonly name?: string;
  readonly dtype: 'float32' | 'int64' | 'uint8';
  readonly dims: readonly number[];
  readonly values: readonly number[] | Float32Array;
}

export function tensor({ name = '', dtype, dims, values }: TensorValue): Uint8Array {
  const typed =
    dtype === 'float32'
      ? Float32Array.from(values)
      : dtype === 'int64'
        ? BigInt64Array.from(Array.from(values, BigInt))
        : Uint8Array.from(values);
  const message = new WireWriter();
  for (const dim of dims) message.varint(tensorField.dims, dim);
  return message
    .varint(tensorField.dataType, dataTypes[dtype])
    .text(tensorField.name, name)
    .bytes(tensorField.rawData, new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength))
    .finish();
}

/** An attribute: a whole number, a list of them, a word, or a tensor. */
export type Attribute = number | readonly number[] | string | TensorValue;

export interface NodeValue {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export function node({ op, inputs, outputs, attributes = {} }: NodeValue): Uint8Array {
  const message = new WireWriter();
  for (const name of inputs) message.text(nodeField.input, name);
  for (const name of outputs) message.text(nodeField.output, name);
  message.text(nodeField.name, `${op}_${outputs[0] ?? ''}`).text(nodeField.opType, op);
  for (const [name, value] of Object.entries(attributes)) {
    message.bytes(nodeField.attribute, attribute(name, value));
  }
  return message.finish();
}

function attribute(name: string, value: Attribute): Uint8Array {
  const message = new WireWriter().text(attributeField.name, name);
  if (typeof value === 'number') {
    return message.varint(attributeField.i, value).varint(attributeField.type, attributeType.int).finish();
  }
  if (typeof value === 'string') {
    return message.text(attributeField.s, value).varint(attributeField.type, attributeType.string).finish();
  }
  if ('dtype' in value) {
    return message.bytes(attributeField.t, tensor(value)).varint(attributeField.type, attributeType.tensor).finish();
  }
  for (const item of value) message.varint(attributeField.ints, item);
  return message.varint(attributeField.type, attributeType.ints).finish();
}
